"""`portmesh diff`: what a change does to the contracts of ports, and whom it reaches."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from portmesh.commands.options import AsJson, Target
from portmesh.contracts.diff.printing import as_facts, as_markdown, print_report
from portmesh.contracts.diff.report import report
from portmesh.errors import ExitCode
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
        after = current_state(target)
        say("comparing")
        found = report((before.name, after.name), before.manifest, after.manifest)
    if as_json:
        print_json(as_facts(found))
    elif format_ is Format.MARKDOWN:
        print(as_markdown(found), end="")
    else:
        print_report(found, console())
    if found.problems:
        raise typer.Exit(ExitCode.FINDINGS)
