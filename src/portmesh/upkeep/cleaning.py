"""Decides which leftovers of failed and refused runs to remove, and removes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from portmesh.dbt import run_operation
from portmesh.upkeep.leftovers import Decision, OpenVersion, OrphanFiles, decide
from portmesh.upkeep.port_facts import PortFacts, utc_now

# `orphans` is imported only when needed: the AWS packages take a second to load, and the target local needs none.


def with_orphans(ports: Sequence[PortFacts], target: str) -> list[PortFacts]:
    """The ports with their orphan files, which only a lake in S3 can have."""
    if target == "local":
        return list(ports)
    from portmesh.upkeep.orphans import find_orphans

    found = find_orphans(ports)
    return [port.model_copy(update={"orphans": found[port.label]}) for port in ports]


def decide_all(ports: Sequence[PortFacts], target: str, older_than: timedelta, refused: bool) -> list[Decision]:
    """What to remove and what to keep. `refused` includes the candidates kept for inspection."""
    return [
        decision
        for port in with_orphans(ports, target)
        for decision in decide(
            port.label, [*port.leftovers, *(port.inspected if refused else [])], target, older_than, utc_now()
        )
    ]


def remove(decisions: Sequence[Decision], target: str | None) -> None:
    """Carry out the decisions to remove. Raises PortmeshError if the engine or S3 refuses."""
    going = [decision for decision in decisions if decision.goes]
    orphans = [decision.left for decision in going if isinstance(decision.left, OrphanFiles)]
    names: dict[str, list[str]] = {}
    for decision in going:
        if isinstance(decision.left, OpenVersion):
            names.setdefault(decision.port, []).append(decision.left.name)
    if names:
        run_operation("clean", json.dumps({"versions": names}), target)
    if orphans:
        from portmesh.upkeep.orphans import delete_files

        delete_files(orphans)
