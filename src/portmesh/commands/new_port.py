"""`portmesh new port`: make an output port from a table of a source, from a file that one lists, or from a port."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from portmesh.commands.made import generate
from portmesh.commands.options import AsJson, Target
from portmesh.commands.questions import Question, answers, is_terminal
from portmesh.errors import UsageError
from portmesh.keys import CLASSIFICATIONS
from portmesh.output import console, errors_as_json, print_json, shown_while_working
from portmesh.repository import find_root
from portmesh.scaffold.new_port import Draft, Request, as_json, assert_classification, draft_port
from portmesh.scaffold.port_files import port_file, write_port
from portmesh.scaffold.port_inputs import names_of
from portmesh.scaffold.selector import selector
from portmesh.text import count, facts_block

FROM = Question("--from", "Which table is it made from?", "A table of one of the domain's sources: shop.orders")
CLASSIFICATION = Question(
    "--classification",
    "How sensitive is it?",
    "public: anybody may see it. internal: everybody in the company. confidential: it is about persons or business "
    "secrets. restricted: only who must work with it.",
    assert_classification,
)


def new_port(
    name: Annotated[str, typer.Argument(metavar="DOMAIN.PORT", help="Such as orders.order_lines.")],
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="TABLE", help="A table of a source (shop.orders), a file that one lists, or a port."
        ),
    ] = "",
    classification: Annotated[
        str, typer.Option(metavar="LEVEL", help=f"How sensitive it is: {', '.join(CLASSIFICATIONS)}.")
    ] = "",
    description: Annotated[str, typer.Option(metavar="TEXT", help="What one row is: One row per ….")] = "",
    describe: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=TEXT", help="Describe a column. May be repeated.")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="Name a column yourself. May be repeated.")
    ] = None,
    key: Annotated[str, typer.Option(metavar="COLUMNS", help="The key, if you know it better: store_id,day.")] = "",
    freshness: Annotated[
        str, typer.Option(metavar="COLUMN=DAYS", help="How old its newest row may get: _landed_at=8.")
    ] = "",
    consumer: Annotated[
        list[str] | None, typer.Option(metavar="NAME=PURPOSE", help="Who may read it, what for. May be repeated.")
    ] = None,
    target: Target = None,
    as_json_: AsJson = False,
) -> None:
    """Make an output port: its models, its contract and its checks.

    All rows are profiled. Each proposed check has the figure that led to it. Nothing is overwritten. A terminal asks
    what the data cannot tell.
    """
    with errors_as_json(as_json_):
        root = find_root()
        domain, dot, port = name.partition(".")
        if not dot:
            raise UsageError(
                f"{name} names no domain.",
                [("got", name), ("allowed", "DOMAIN.PORT")],
                f"portmesh new port DOMAIN.{name}",
            )
        given = {"--from": source or None, "--classification": classification or None}
        said = answers(given, [FROM, CLASSIFICATION])
        request = Request(
            domain=domain,
            port=port,
            source=said["--from"],
            classification=said["--classification"],
            description=description,
            descriptions=names_of(describe or [], "--describe"),
            names=names_of(rename or [], "--rename"),
            key=tuple(part.strip() for part in key.split(",") if part.strip()),
            freshness=_days(freshness),
            consumers=names_of(consumer or [], "--consumer"),
            target=target or "",
        )
        with shown_while_working() as progress:
            draft = draft_port(root, request, progress)
        if is_terminal() and not as_json_:
            draft = _ask_descriptions(draft)
        files = [str(path.relative_to(root)) for path in write_port(root, draft)]
        files += generate(root, f"The port {name}", files)
    if as_json_:
        print_json(as_json(draft, files))
    else:
        _print(draft, files, selector(root, port_file(root, draft)))


def _days(text: str) -> tuple[str, int] | None:
    column, equals, days = text.partition("=")
    if not text:
        return None
    if not equals or not days.isdigit() or not int(days):
        raise UsageError(
            "--freshness is not a column with days.",
            [("got", text), ("allowed", "COLUMN=DAYS")],
            "write it like _landed_at=8",
        )
    return column, int(days)


def _ask_descriptions(draft: Draft) -> Draft:
    """Ask for what is not described. An empty answer leaves it to be written in the YAML."""
    given = dict(draft.request.descriptions)
    description = draft.request.description
    if not draft.description:
        description = typer.prompt("What is one row? One row per", default="", show_default=False)
        description = f"One row per {description.rstrip('.')}." if description else ""
    if draft.undescribed:
        console().print("Describe each column: its unit, what null means, what a reader cannot guess (Enter: later).")
    for column in draft.undescribed:
        given[column] = typer.prompt(f"  {column}", default="", show_default=False)
    return replace(draft, request=replace(draft.request, descriptions=given, description=description))


def _print(draft: Draft, files: list[str], selected: str) -> None:
    out = console()
    proposed = count(len(draft.proposals.checks), "check")
    rows = count(draft.profile.rows, "row")
    out.print(
        f"Wrote {draft.label}: {count(len(draft.columns), 'column')}, {proposed} proposed from {rows}.\n", markup=False
    )
    facts = [("files", "\n".join(files)), ("key", " and ".join(draft.proposals.key) or "none found")]
    notes = [*draft.notes, *(f"{name}: {text}" for name, texts in draft.proposals.about.items() for text in texts)]
    if notes:
        facts.append(("look at", "\n".join(notes)))
    if draft.references:
        facts.append(("references", "\n".join(draft.references)))
    port = f"{draft.request.port}.yml"
    if draft.undescribed or not draft.description:
        missing = [*([] if draft.description else ["the port itself"]), *draft.undescribed]
        facts.append(("to describe", f"{', '.join(missing)}: PM101 refuses a build until {port} says what they are"))
    if draft.missing:
        facts.append(("to check", f"{', '.join(draft.missing)}: PM106 refuses a build until {port} has a check"))
    build = f"dbt build --select +{selected}"
    build += f" --target {draft.request.target}" if draft.request.target else ""
    todo = draft.undescribed or draft.missing or not draft.description
    facts.append(("next", (f"complete {port}, then: " if todo else "") + build))
    out.print(facts_block(facts), markup=False, soft_wrap=True)
