"""`portmesh new source`: describe where a domain's rows come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from portmesh.commands.made import generate, print_made
from portmesh.commands.options import AsJson
from portmesh.commands.questions import Question, answers
from portmesh.errors import UsageError
from portmesh.output import errors_as_json
from portmesh.repository import find_root
from portmesh.scaffold.files import Given, Tables, assert_column, assert_sentence, choose_tables, from_columns
from portmesh.scaffold.source import (
    EVERY,
    NewSource,
    assert_every,
    assert_schema,
    find_source,
    make_source,
    split_label,
)
from portmesh.text import count

DESCRIPTION = Question(
    "--description",
    "What delivers it, in one sentence?",
    "For example: The ledger exports the costs of each store once a day.",
    assert_sentence,
)
HOW_OFTEN = Question(
    "--every",
    "How often do new rows come?",
    f"dbt source freshness then says when they are late: {', '.join(EVERY)}",
    assert_every,
)
LOADED_AT = Question(
    "--loaded-at",
    "Which column says when a row came?",
    "A timestamp in UTC, such as updated_at. Without one nobody can tell that rows are late.",
    assert_column,
)


def source(
    name: Annotated[str, typer.Argument(metavar="DOMAIN.SOURCE", help="Such as finance.ledger.")],
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="FILE", help="A CSV, JSON or Parquet file as it comes; or a table: erp_raw.costs."
        ),
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="The table's name (default: that of the file or table).")
    ] = None,
    grain: Annotated[
        list[str] | None, typer.Option(metavar="SENTENCE", help="What a row is: One row per store and day.")
    ] = None,
    description: Annotated[str | None, typer.Option(metavar="SENTENCE", help="What delivers it.")] = None,
    every: Annotated[str | None, typer.Option(metavar="PERIOD", help=f"How often: {', '.join(EVERY)}.")] = None,
    loaded_at: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Of a table that exists: when a row came, UTC.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="The columns of a CSV file without a header.")
    ] = None,
    date_format: Annotated[
        list[str] | None, typer.Option(metavar="FORMAT", help="How dates are written: %d.%m.%Y.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Describe where a domain's rows come from: files, or a table.

    Of files it recognises the format, the columns and their types. A source that exists gets one more table. For
    several tables, repeat --from, and --table and --grain in the same order.
    """
    root = find_root()
    with errors_as_json(as_json):
        domain, source_name = split_label(root, name)
        chosen = choose_tables(Given(given or (), table or (), from_columns(columns), date_format or ()))
        assert_schema(root, chosen.schema)
        new = _new_source(root, domain, source_name, chosen, grain or [], (description, every, loaded_at))
        file = make_source(root, new)
        written = [file, *generate(root, f"The source {name}", [file])]
    done = f"The source {name} has {count(len(new.tables), 'new table')}: {', '.join(t.name for t in new.tables)}."
    print_made(done, written, _next(domain, new, chosen), as_json, chosen.facts)


def _new_source(
    root: Path, domain: str, name: str, chosen: Tables, grains: Sequence[str], about: tuple[str | None, ...]
) -> NewSource:
    """Ask for what no option said: for a new source what delivers it, and for each table what a row is."""
    rows = [
        Question(
            "--grain" if len(chosen.names) == 1 else f"--grain ({table})",
            f"What is one row of {table}?",
            "For example: One row per store and day.",
            assert_sentence,
        )
        for table in chosen.names
    ]
    given: dict[str, str | None] = {question.option: answer for question, answer in zip(rows, grains, strict=False)}
    asked = list(rows)
    if not find_source(root, domain, name):
        if chosen.are_files and about[2] is not None:
            raise UsageError(
                "--loaded-at is for a table that exists: rows of files have the time when they landed.",
                [("got", f"--loaded-at {about[2]}")],
                "leave it out",
            )
        asked = [DESCRIPTION, HOW_OFTEN, *([] if chosen.are_files else [LOADED_AT]), *rows]
        given |= dict(zip((DESCRIPTION.option, HOW_OFTEN.option, LOADED_AT.option), about, strict=True))
    else:
        _assert_unused(f"{domain}.{name}", dict(zip(("--description", "--every", "--loaded-at"), about, strict=True)))
    said = answers(given, asked)
    return NewSource(
        domain,
        name,
        chosen.described([said[question.option] for question in rows]),
        said.get(DESCRIPTION.option, ""),
        chosen.schema,
        "_landed_at" if chosen.are_files else said.get(LOADED_AT.option, ""),
        said.get(HOW_OFTEN.option, "day"),
    )


def _assert_unused(source: str, options: Mapping[str, str | None]) -> None:
    """Raises UsageError if an option would be passed over: what it says stands in the YAML of a source that exists."""
    given = [option for option, answer in options.items() if answer is not None]
    if given:
        raise UsageError(
            f"{source} exists already, so {' and '.join(given)} would change nothing.",
            [("got", ", ".join(given)), ("allowed", "--from, --table, --grain, --columns, --date-format")],
            f"leave {'it' if len(given) == 1 else 'them'} out; what the source says is changed in its YAML",
        )


def _next(domain: str, new: NewSource, chosen: Tables) -> str:
    first = new.tables[0].name
    port = f"portmesh new port {domain}.PORT --from {new.name}.{first}"
    return f"portmesh land {new.name}.{first} {quote(chosen.files[0])}, then {port}" if chosen.are_files else port
