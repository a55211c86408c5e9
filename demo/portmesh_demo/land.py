"""`portmesh demo land`: deliver the source's data to the lake, clean or with a chosen flaw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from portmesh.commands.options import AsJson, Lake, LandedAt
from portmesh.lake.batches import BatchName
from portmesh.lake.targets import open_lake
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.text import count, facts_block, size
from portmesh_demo.flaws import FLAWS
from portmesh_demo.landing import Landing, Request
from portmesh_demo.landing import Progress as ReportProgress
from portmesh_demo.landing import land as land_request


def land(
    until: Annotated[str | None, typer.Option(metavar="WEEK", help="Land all weeks up to this one: 2017-W20.")] = None,
    flaw: Annotated[
        str | None,
        typer.Option(metavar="KIND", help=f"Land the next week of transactions with a flaw: {', '.join(FLAWS)}."),
    ] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="WEEK", help="With --flaw: use this week instead of the next.")
    ] = None,
    replace: Annotated[
        list[str] | None,
        typer.Option(metavar="FEED/BATCH", help="Replace a batch with the clean one: transactions/2017-W20."),
    ] = None,
    withdraw: Annotated[
        list[str] | None, typer.Option(metavar="FEED/BATCH", help="Remove a batch from the lake.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="The target whose lake to use: local, emr or athena (default: PORTMESH_TARGET, else local).",
        ),
    ] = None,
    lake: Lake = None,
    landed_at: LandedAt = None,
    as_json: AsJson = False,
) -> None:
    """Land the grocery data in the lake, batch by batch.

    Batches that have already landed are verified and kept.
    """
    with errors_as_json(as_json):
        request = Request(
            until=until,
            flaw=flaw,
            batch=batch,
            replace=tuple(replace or ()),
            withdraw=tuple(withdraw or ()),
            landed_at=landed_at,
            hint=(f" --target {target}" if target else "") + (f" --lake {lake}" if lake else ""),
        )
        with _progress() as progress:
            landing = land_request(open_lake(target, lake), request, progress)
    build = f"dbt build --target {target}" if target else "dbt build"
    if as_json:
        print_json({**asdict(landing), "next": _next(landing, build, request.hint)})
    else:
        _print(landing, build, request.hint)


@contextmanager
def _progress() -> Iterator[ReportProgress]:
    """Progress bars, one for each feed. Only a terminal shows them."""
    screen = console(stderr=True)
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TextColumn("batches"))
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        tasks = {}

        def report(batch: BatchName, done: int, total: int) -> None:
            if batch.feed not in tasks:
                tasks[batch.feed] = bars.add_task(batch.feed, total=total)
            bars.update(tasks[batch.feed], completed=done)

        yield report


def _print(landing: Landing, build: str, hint: str) -> None:
    out = console()
    facts = []
    if landing.feeds:
        landed, kept = sum(f.landed for f in landing.feeds), sum(f.kept for f in landing.feeds)
        first = f"Landed {count(landed, 'batch', 'batches')}" if landed else "Nothing new to land"
        verified = f"; {count(kept, 'batch', 'batches')} already there, verified and kept" if kept else ""
        out.print(f"{first}{verified}. The next dbt build reads them.\n" if landed else f"{first}{verified}.\n")
        rows = [(f.feed, f"{f.landed:,}", f"{f.kept:,}", f"{f.rows:,}", size(f.bytes)) for f in landing.feeds]
        numbers = ("landed", "kept", "rows in lake", "size")
        out.print(table(("feed", *numbers), rows, numbers))
        out.print()
    if landing.planted:
        planted = landing.planted
        out.print(f"Landed {planted.batch} with a flaw ({planted.flaw}); other batches are unchanged.\n")
        rows_text = f"{planted.rows:,}" + (" promised" if planted.flaw == "truncated" else "")
        facts = [("rows", rows_text), ("planted", f"{planted.flawed_rows:,} {planted.what}")]
    for name in landing.replaced:
        out.print(f"Replaced {name} with the source's clean batch.")
    for name in landing.withdrawn:
        out.print(f"Removed {name} from the lake.")
    if landing.replaced or landing.withdrawn:
        out.print()
    out.print(facts_block([*facts, ("lake", landing.lake), ("next", _next(landing, build, hint))]), soft_wrap=True)


def _next(landing: Landing, build: str, hint: str) -> str:
    if landing.planted:
        return f"{build}, read what it reports, then: portmesh demo land --replace {landing.planted.batch}{hint}"
    return build
