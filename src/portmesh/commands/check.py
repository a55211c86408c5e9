"""`portmesh check`: the rules that need SQL, files or history, outside a run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from portmesh.commands.options import AsJson, Target
from portmesh.errors import ExitCode
from portmesh.output import console, errors_as_json, print_json
from portmesh.repository import find_root
from portmesh.rules.baseline import compare, read_baseline, write_baseline
from portmesh.rules.checking import check_mesh
from portmesh.rules.pages import read_page
from portmesh.rules.printing import as_facts, as_github, as_text
from portmesh.text import count


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    GITHUB = "github"


def check(
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="CODE", help="Print the page of a rule, such as PM203 or PM104.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            help="Leave out what an earlier state has too: a git ref, production, or a manifest.json.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Leave out the findings in this file (default: check-baseline.json)."),
    ] = None,
    write: Annotated[
        bool,
        typer.Option("--write-baseline", help="Write all findings into the baseline: only new ones count then."),
    ] = False,
    form: Annotated[
        Format, typer.Option("--format", help="text, or github: annotations in a pull request.")
    ] = Format.TEXT,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Check the rules that need parsed SQL or other files.

    What SQL and Jinja read, checks that can never fail, who reads a port and who approves its changes. dbt checks the
    other rules itself, at the start of every run. Exit code 1 if there are findings.
    """
    root = find_root()
    with errors_as_json(as_json):
        if explain:
            _explain(read_page(root, explain), as_json)
            return
        known = read_baseline(root, None if write else baseline)
        state = check_mesh(root, against, target)
        if write:
            file = write_baseline(root, baseline, state.findings)
            typer.echo(f"{count(len(state.findings), 'finding')} written to {file}.")
            return
        compared = compare(state.findings, known)
    if as_json:
        print_json(as_facts(compared, state.name))
    elif form is Format.GITHUB and compared.new:
        print(as_github(compared.new))
    else:
        console().print(as_text(compared, state.name), markup=False, soft_wrap=True)
    if compared.new:
        raise typer.Exit(ExitCode.FINDINGS)


def _explain(page: str, as_json: bool) -> None:
    if as_json:
        print_json({"page": page})
    else:
        console().print(page.rstrip(), markup=False, soft_wrap=True)
