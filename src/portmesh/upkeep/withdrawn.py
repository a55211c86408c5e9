"""Versions that were rolled back, and the ports that were built from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel

from portmesh.durations import age
from portmesh.text import count
from portmesh.upkeep.port_facts import PortFacts, Withdrawn


class WithdrawnStatus(BaseModel):
    """A version that was rolled back, and the labels of the ports that contain its rows."""

    port: str
    version: str
    rows: int
    rolled_back_at: datetime
    built_from_it: list[str]
    story: str
    next: str


def describe_withdrawn(ports: Sequence[PortFacts], now: datetime, chosen: Sequence[str] = ()) -> list[WithdrawnStatus]:
    """Versions rolled back since the last publication of the chosen ports, or of all. `now` is in UTC."""
    by_id = {port.id: port for port in ports}
    return [
        _describe(port, port.withdrawn, built_from(port.id, port.withdrawn, by_id), now)
        for port in sorted(ports, key=lambda port: port.label)
        if port.withdrawn and (not chosen or port.label in chosen)
    ]


def built_from(port: str, withdrawn: Withdrawn, ports: Mapping[str, PortFacts]) -> list[PortFacts]:
    """The ports with rows of a rolled-back version: built while it was published, or later from such a port."""
    since: dict[str, datetime] = {}
    found = True
    while found:
        found = False
        for other in ports.values():
            times = [
                at
                for at in other.built_at
                if (port in other.reads and withdrawn.published_at < at < withdrawn.rolled_back_at)
                or any(at > since[id_] for id_ in other.reads if id_ in since)
            ]
            if times and other.id not in since and other.id != port:
                since[other.id] = min(times)
                found = True
    return sorted((ports[id_] for id_ in since), key=lambda other: other.label)


def _describe(port: PortFacts, withdrawn: Withdrawn, others: Sequence[PortFacts], now: datetime) -> WithdrawnStatus:
    built = [other.label for other in others]
    story = (
        f"version {withdrawn.version} ({count(withdrawn.row_count, 'row')}) was rolled back "
        f"{age((now - withdrawn.rolled_back_at).total_seconds())} ago and is kept until the next publication\n"
        + (f"ports built from it: {', '.join(built)}" if built else "no other port was built from it")
    )
    next_step = _build_command(others) if others else f"{_build_command([port])}+, once the model is fixed"
    return WithdrawnStatus(
        port=port.label,
        version=withdrawn.version,
        rows=withdrawn.row_count,
        rolled_back_at=withdrawn.rolled_back_at,
        built_from_it=built,
        story=story,
        next=next_step,
    )


def _build_command(ports: Sequence[PortFacts]) -> str:
    """Builds the ports, and the models before them, which still have the rows or the SQL of their last build."""
    before = {name for port in ports for name in port.models_before}
    return f"dbt build --select {' '.join([*sorted(before), *(_selector(port) for port in ports)])}"


def _selector(port: PortFacts) -> str:
    return port.port.replace(".v", "_v") if ".v" in port.port else port.selector or port.port
