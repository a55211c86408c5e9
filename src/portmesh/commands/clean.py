"""`portmesh clean`: remove what failed and refused runs left behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from portmesh.commands.options import AsJson, Ports, Target
from portmesh.durations import parse_duration
from portmesh.output import console, errors_as_json, print_json
from portmesh.text import facts_block
from portmesh.upkeep.cleaning import decide_all, remove
from portmesh.upkeep.leftovers import Decision, count_left
from portmesh.upkeep.port_facts import read_mesh_facts, utc_now
from portmesh.upkeep.unmade import UnmadeStatus, count_unmade, describe_unmade, unmade_block


def clean(
    ports: Ports = None,
    older_than: Annotated[
        str,
        typer.Option(metavar="SPAN", help="For runs with no record, remove leftovers older than this: 30min, 24h, 7d."),
    ] = "24h",
    refused: Annotated[
        bool,
        typer.Option("--refused", help="Also remove the candidate that the last refused attempt kept for inspection."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing; show what would be removed.")] = False,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Remove what failed and refused runs left behind.

    That is candidates, and folders in S3 that belong to no table. Whatever consumers read, or a run may still be
    writing, is kept.
    """
    with errors_as_json(as_json):
        span = parse_duration(older_than, "--older-than")
        mesh = read_mesh_facts(target)
        decisions = decide_all(mesh.choose(ports or []), mesh.target, span, refused)
        unmade = describe_unmade([] if ports else mesh.unmade, utc_now())
        if not dry_run:
            remove(decisions, target)
    if as_json:
        unmade_facts = [one.model_dump(mode="json") for one in unmade]
        print_json({"target": mesh.target, "dry_run": dry_run, **_as_facts(decisions), "unmade": unmade_facts})
    else:
        options = ["--refused"] * refused + (["--target", target] if target else [])
        _print(decisions, dry_run, " ".join(["portmesh clean", *(ports or []), *options]))
        _print_unmade(unmade)


def _as_facts(decisions: Sequence[Decision]) -> dict[str, list[dict[str, Any]]]:
    def facts(goes: bool) -> list[dict[str, Any]]:
        return [
            {"port": d.port, "kind": d.left.kind, "name": d.left.name, "where": d.left.where, "why": d.why}
            for d in decisions
            if d.goes is goes
        ]

    return {"gone": facts(True), "left": facts(False)}


def _print(decisions: Sequence[Decision], dry_run: bool, command: str) -> None:
    gone = [decision for decision in decisions if decision.goes]
    left = [decision for decision in decisions if not decision.goes]
    out = console()
    if not decisions:
        out.print("There is nothing to clean: failed runs left nothing behind.")
        return
    if gone:
        verb = "Would remove" if dry_run else "Removed"
        out.print(f"{verb} {_count(gone)}.\n\n{_block(gone)}", markup=False, soft_wrap=True)
    if left:
        start = "\n" if gone else ""
        verb = "Would keep" if dry_run else "Kept"
        out.print(f"{start}{verb} {_count(left)}.\n\n{_block(left)}", markup=False, soft_wrap=True)
    steps = [command] if gone and dry_run else []
    if any("--older-than" in decision.why for decision in left):
        steps.append(f"if no run is going on: {command} --older-than 0h")
    if steps:
        out.print("\n" + facts_block([("next", "\n".join(steps))]), markup=False, soft_wrap=True)


def _print_unmade(unmade: Sequence[UnmadeStatus]) -> None:
    if unmade:
        heading = f"Kept {count_unmade(unmade)}: consumers may still read {'it' if len(unmade) == 1 else 'them'}."
        console().print(f"\n{heading}\n\n{facts_block(unmade_block(unmade))}", markup=False, soft_wrap=True)


def _count(decisions: Sequence[Decision]) -> str:
    return count_left([decision.left.kind for decision in decisions])


def _block(decisions: Sequence[Decision]) -> str:
    return facts_block([(d.port, f"{d.left.kind} {d.left.name}\n{d.why}") for d in decisions])
