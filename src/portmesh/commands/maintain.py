"""`portmesh maintain`: keep Iceberg ports in a few large files, with only the versions that they declare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from portmesh.commands.options import AsJson, Ports, Target
from portmesh.durations import parse_duration
from portmesh.errors import ExitCode, UsageError
from portmesh.lake.targets import aws_region
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.text import count, facts_block, size
from portmesh.upkeep.port_facts import read_mesh_facts

if TYPE_CHECKING:
    from portmesh.lake.iceberg import Size
    from portmesh.upkeep.keeper import Report
    from portmesh.upkeep.maintenance import Plan


def maintain(
    ports: Ports = None,
    unread_for: Annotated[
        str,
        typer.Option(metavar="SPAN", help="Expire only snapshots superseded for at least this long: 30min, 24h, 7d."),
    ] = "24h",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; show what would change.")] = False,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Compact the files of Iceberg ports and expire old versions.

    Each port keeps the versions that it declares (config.meta.keep_versions). Orphan files are removed and manifests
    rewritten. The target local needs no maintenance.
    """
    with errors_as_json(as_json):
        span = parse_duration(unread_for, "--unread-for")
        mesh = read_mesh_facts(target)
        if mesh.target == "local":
            raise UsageError(
                "The target local needs no maintenance: each publication removes the versions it supersedes.",
                next_step="portmesh maintain --target emr, or --target athena",
            )
        chosen = mesh.choose(ports or [])
        # Imported here because the AWS packages take a second to load and most commands do not need them.
        from portmesh.lake.glue import open_catalog
        from portmesh.upkeep.keeper import Keeper

        keeper = Keeper(open_catalog(aws_region()), mesh.target, span, dry_run)
        reports = [keeper.maintain(port) for port in chosen if port.kept]
    if as_json:
        print_json({"target": mesh.target, "dry_run": dry_run, "ports": [asdict(report) for report in reports]})
    else:
        _print(reports, dry_run)
    if any(report.error for report in reports):
        raise typer.Exit(ExitCode.FINDINGS)


def _print(reports: Sequence[Report], dry_run: bool) -> None:
    out = console()
    if not reports:
        out.print("There is nothing to maintain: no port is published on this target yet.")
        return
    done = [report for report in reports if report.plan]
    verb = "Would maintain" if dry_run else "Maintained"
    rows = [(report.port, *_cells(report.plan)) for report in done if report.plan]
    out.print(f"{verb} {count(len(done), 'port')}; {len(reports) - len(done)} skipped.\n", markup=False)
    if rows:
        headers = ("port", "small files", "manifests", "snapshots expired", "files freed", "orphans", "tags")
        out.print(table(headers, rows, headers[1:]))
    notes = [(report.port, report.skipped or report.error) for report in reports if not report.plan]
    if notes:
        out.print(f"\n{facts_block(notes)}", markup=False, soft_wrap=True)


def _cells(done: Plan) -> tuple[str, ...]:
    tags = ", ".join([f"+{name}" for name, _ in done.tags] + [f"-{name}" for name in done.expired_tags])
    return (
        _text(done.compact),
        f"{done.manifests:,}",
        f"{len(done.expire):,}",
        _text(done.freed),
        _text(done.orphans),
        tags,
    )


def _text(files: Size) -> str:
    return f"{files.files:,} ({size(files.bytes)})" if files.files else "0"
