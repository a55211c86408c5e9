"""`portmesh land`: files of a source land in the lake as one batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from portmesh.commands.options import AsJson, Lake, LandedAt, Target
from portmesh.dbt import parse_manifest
from portmesh.errors import UsageError
from portmesh.lake.contract import LandedTable
from portmesh.lake.land_files import Landed, Progress, Request, Withdrawn
from portmesh.lake.land_files import land as land_files
from portmesh.lake.land_files import withdraw as withdraw_batch
from portmesh.lake.tables import find_table
from portmesh.lake.targets import open_lake
from portmesh.mesh import read_mesh
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.text import count, facts_block, size


def land(
    name: Annotated[str, typer.Argument(metavar="SOURCE.TABLE", help="The source table: shop.orders.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="CSV, JSON or Parquet.")] = None,
    batch: Annotated[str | None, typer.Option(metavar="NAME", help="The batch's name (default: today, UTC).")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a batch that has landed.")] = False,
    withdraw: Annotated[str | None, typer.Option(metavar="NAME", help="Remove a batch that has landed.")] = None,
    target: Target = None,
    lake: Lake = None,
    landed_at: LandedAt = None,
    as_json: AsJson = False,
) -> None:
    """Land files of a source as one batch: whole or not at all.

    The source's YAML says how its files are written (config.meta.landing).
    """
    with errors_as_json(as_json):
        _assert_possible(name, files or [], withdraw, batch, replace)
        hint = (f" --target {target}" if target else "") + (f" --lake {lake}" if lake else "")
        # Opened first, because it fails at once if the target or lake is wrong.
        opened = open_lake(target, lake)
        found = find_table(read_mesh(parse_manifest()), name)
        build = f"dbt build --target {target}" if target else "dbt build"
        if withdraw:
            gone = withdraw_batch(opened, found, withdraw)
            _print_withdrawn(gone, opened.location, found.label, build, as_json)
            return
        with _progress(found) as progress:
            request = Request(files or [], batch, replace, landed_at, hint)
            landed = land_files(opened, found, request, progress)
    if as_json:
        files_landed = [facts.model_dump() for facts in landed.files]
        print_json({**asdict(landed), "files": files_landed, "next": build})
    else:
        _print(landed, build)


def _assert_possible(name: str, files: list[Path], withdraw: str | None, batch: str | None, replace: bool) -> None:
    if withdraw and (files or batch or replace):
        raise UsageError("--withdraw takes no files, and neither --batch nor --replace.", next_step="leave them out")
    if not withdraw and not files:
        next_step = f"portmesh land {name} FILE, or portmesh land {name} --withdraw BATCH"
        raise UsageError("There is nothing to land: no file was named.", next_step=next_step)


@contextmanager
def _progress(found: LandedTable) -> Iterator[Progress]:
    """A progress bar. Only a terminal shows it."""
    screen = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bars(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        task = bars.add_task(found.label, total=None)
        yield lambda done, all_bytes: bars.update(task, completed=done, total=all_bytes)


def _print_withdrawn(gone: Withdrawn, lake: str, label: str, build: str, as_json: bool) -> None:
    next_step = f"portmesh land {label} FILE, then {build}" if gone.was_last else build
    if as_json:
        print_json({"lake": lake, "withdrawn": str(gone.batch), "was_last": gone.was_last, "next": next_step})
        return
    out = console()
    out.print(f"Removed {gone.batch} from the lake.")
    if gone.was_last:
        out.print(f"It was the last batch: {label} has no rows until another one lands.")
    out.print()
    out.print(facts_block([("lake", lake), ("next", next_step)]), soft_wrap=True)


def _print(landed: Landed, build: str) -> None:
    out = console()
    verb = "Replaced" if landed.replaced else "Landed"
    aside = f"; {count(landed.rejected, 'row')} set aside" if landed.rejected else ""
    out.print(f"{verb} {landed.batch}: {count(landed.rows, 'row')}{aside}. The next dbt build reads them.\n")
    rows = [(f.name, f"{f.rows:,}", f"{f.rejected:,}", size(f.bytes)) for f in landed.files]
    out.print(table(("file", "rows", "rejected", "size"), rows, ("rows", "rejected", "size")))
    out.print()
    rejected = (
        [("rejected", f"{landed.rejected_batch}: file, line, reason and text of each")] if landed.rejected else []
    )
    out.print(facts_block([*rejected, ("lake", landed.lake), ("next", build)]), soft_wrap=True)
