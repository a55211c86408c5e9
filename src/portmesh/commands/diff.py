"""`portmesh diff`: what a change does to the contracts of ports, and whom it reaches."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from portmesh.commands.options import AsJson, Target
from portmesh.contracts.diff.printing import as_facts, as_markdown, print_report
from portmesh.contracts.diff.report import report
from portmesh.contracts.rows import printing as rows_printing
from portmesh.contracts.rows.comparing import compare_rows
from portmesh.contracts.rows.pairing import pairs_of
from portmesh.errors import ExitCode
from portmesh.lineage.cache import cache_file
from portmesh.output import console, errors_as_json, print_json, shown_while_working
from portmesh.state import current_state, read_state


class Format(StrEnum):
    """How the result is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


Against = Annotated[
    str,
    typer.Option(metavar="REF", help="A branch, tag or commit, production, or a manifest.json with compiled SQL."),
]


def diff(
    against: Against,
    format_: Annotated[
        Format, typer.Option("--format", help="text, markdown for a pull request, or json.")
    ] = Format.TEXT,
    data: Annotated[
        bool,
        typer.Option("--data", help="Also compare the rows of changed ports: published, and in your environment."),
    ] = False,
    hide_above: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            help="With --data: read no values classified above this: public, internal, confidential or restricted.",
        ),
    ] = "internal",
    tolerance: Annotated[
        float,
        typer.Option(
            metavar="SHARE", min=0, max=1, help="With --data: the share by which doubles may differ, such as 1e-9."
        ),
    ] = 0,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Show what a change does to each port, and whom it reaches.

    Exits with 1 if a version number does not fit the change, or if a change breaks consumers who have not agreed.
    """
    as_json = as_json or format_ is Format.JSON
    with errors_as_json(as_json), shown_while_working() as say:
        say("reading the earlier state")
        before = read_state(against, target)
        say("compiling the working tree")
        after = current_state(target, before=before)
        say("comparing")
        found = report(before, after, cache_file())
        pairs = pairs_of(found, hide_above) if data else []
        if pairs:
            say("comparing rows")
        rows = compare_rows(pairs, target, tolerance) if pairs else None
    if as_json:
        print_json(as_facts(found) | ({"rows": rows.model_dump() if rows else None} if data else {}))
    elif format_ is Format.MARKDOWN:
        print(as_markdown(found) + (f"\n{rows_printing.as_markdown(rows)}" if rows else ""), end="")
    else:
        print_report(found, console())
        if rows:
            console().print(f"\n{rows_printing.as_text(rows)}", markup=False, soft_wrap=True)
    if found.problems:
        raise typer.Exit(ExitCode.FINDINGS)
