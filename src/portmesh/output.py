"""Output of the commands: tables for people, the same facts as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from portmesh.errors import PortmeshError
from portmesh.text import printable

PAGE_WIDTH = 100
LONGEST_CELL = 200


def console(stderr: bool = False) -> Console:
    """A console. Colours are for terminals only; elsewhere lines are at most 100 columns wide."""
    found = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=PAGE_WIDTH)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str] = (), gap: int = 3) -> Table:
    """A table without borders. Columns named in `numbers` are right-aligned; `gap` spaces separate the columns.

    Cells are plain text: markup and unprintable characters in them are shown, not interpreted.
    """
    result = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for header in headers:
        result.add_column(header, justify="right" if header in numbers else "left")
    for row in rows:
        result.add_row(*(Text(printable(cell, LONGEST_CELL)) for cell in row))
    return result


def print_json(facts: dict[str, Any]) -> None:
    """Print facts as one JSON document on standard output."""
    print(json.dumps(facts, indent=2, default=str))


@contextmanager
def shown_while_working() -> Iterator[Callable[[str], None]]:
    """A function that shows what is done at the moment, in words. Only a terminal shows it."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield lambda _: None
        return
    with screen.status("") as status:
        yield lambda what: status.update(f"{what} …")


@contextmanager
def errors_as_json(as_json: bool) -> Iterator[None]:
    """With `--json`, also print an expected error as a JSON document; the exit code is the same."""
    try:
        yield
    except PortmeshError as error:
        if not as_json:
            raise
        print_json(error.json_facts)
        raise typer.Exit(error.exit_code) from error
