"""After a rollback: the version that consumers no longer read, and the ports that were built from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel

from portmesh.durations import age
from portmesh.text import count
from portmesh.upkeep.port_facts import PortFacts, Withdrawn


class WithdrawnStatus(BaseModel):
    """One version that was taken back, and the labels of the ports that have its rows in them."""

    port: str
    version: str
    rows: int
    rolled_back_at: datetime
    built_from_it: list[str]
    story: str
    next: str


def describe_withdrawn(ports: Sequence[PortFacts], now: datetime, chosen: Sequence[str] = ()) -> list[WithdrawnStatus]:
    """What rollbacks took since the last publication of the chosen ports, else of all; `now` is UTC."""
    by_id = {port.id: port for port in ports}
    return [
        _describe(port, port.withdrawn, built_from(port.id, port.withdrawn, by_id), now)
        for port in sorted(ports, key=lambda port: port.label)
        if port.withdrawn and (not chosen or port.label in chosen)
    ]


def built_from(port: str, withdrawn: Withdrawn, ports: Mapping[str, PortFacts]) -> list[PortFacts]:
    """The ports with rows of a version that was taken back: built while it was published, or later from such a port."""
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
        f"version {withdrawn.version} ({count(withdrawn.row_count, 'row')}), taken back "
        f"{age((now - withdrawn.rolled_back_at).total_seconds())} ago, is kept until the next publication\n"
        + (f"built from it: {', '.join(built)}" if built else "no other port was built from it")
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
    """With the tables and snapshots before the ports, which hold the rows of their last build."""
    stored = {name for port in ports for name in port.stored_before}
    return f"dbt build --select {' '.join([*sorted(stored), *(port.port.replace('.v', '_v') for port in ports)])}"
