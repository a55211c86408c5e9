"""The current state of the mesh: the state of each port, from the records of its publications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from portmesh.durations import age
from portmesh.text import count
from portmesh.upkeep.leftovers import count_left
from portmesh.upkeep.port_facts import EndingAccess, MeshFacts, PortFacts
from portmesh.upkeep.unmade import UnmadeStatus, describe_unmade
from portmesh.upkeep.withdrawn import WithdrawnStatus, describe_withdrawn


class PortStatus(BaseModel):
    """One line of `portmesh status`. `age_seconds` is the time since the version was published."""

    product: str
    port: str
    state: str
    rows: int | None
    age_seconds: float | None
    refused_attempts: int
    late: bool
    last_attempt: str


class LeftStatus(BaseModel):
    """A leftover of an earlier run of a port."""

    port: str
    kind: str
    what: str
    story: str


class MeshStatus(BaseModel):
    """Everything that `portmesh status` shows."""

    target: str
    at: datetime
    ports: list[PortStatus]
    left: list[LeftStatus]
    ending: list[EndingAccess]
    withdrawn: list[WithdrawnStatus]
    unmade: list[UnmadeStatus]
    summary: str


def describe_mesh(facts: MeshFacts, now: datetime, chosen: Sequence[str] = ()) -> MeshStatus:
    """The status of the chosen ports (labels), or of all. `now` is in UTC, without a time zone."""
    by_id = {port.id: port for port in facts.ports}
    shown = sorted((port for port in facts.ports if not chosen or port.label in chosen), key=lambda port: port.label)
    ports = [_describe_port(port, by_id, now) for port in shown]
    left = [
        LeftStatus(port=port.label, kind=one.kind, what=f"{one.kind} {one.name}", story=one.story(now))
        for port in shown
        for one in port.leftovers
    ]
    return MeshStatus(
        target=facts.target,
        at=now,
        ports=ports,
        left=left,
        ending=facts.ending,
        withdrawn=describe_withdrawn(facts.ports, now, chosen),
        unmade=describe_unmade(facts.unmade, now),
        summary=_summary(ports, left),
    )


def _describe_port(port: PortFacts, by_id: dict[str, PortFacts], now: datetime) -> PortStatus:
    waits_for = _waits_for(port, by_id)
    state = "held back" if port.is_held_back else "published" if port.published_at else "not built"
    return PortStatus(
        product=port.product,
        port=port.port,
        state="waiting" if waits_for and not port.is_held_back else state,
        rows=port.row_count,
        age_seconds=(now - port.published_at).total_seconds() if port.published_at else None,
        refused_attempts=port.refused_attempts,
        late=port.late,
        last_attempt=_last_attempt(port, waits_for, now),
    )


def _waits_for(port: PortFacts, by_id: dict[str, PortFacts]) -> list[str]:
    """Ports that this one reads, directly or through other ports, and that were held back after its last attempt."""
    found: list[str] = []
    seen: set[str] = set()
    ahead = list(port.reads)
    while ahead:
        other = by_id[ahead.pop()]
        if other.id in seen:
            continue
        seen.add(other.id)
        ahead.extend(other.reads)
        if other.is_held_back and _before(port, other):
            found.append(other.label)
    return sorted(found)


def _before(port: PortFacts, other: PortFacts) -> bool:
    return not port.attempted_at or (other.attempted_at is not None and port.attempted_at < other.attempted_at)


def _last_attempt(port: PortFacts, waits_for: list[str], now: datetime) -> str:
    if port.is_held_back and port.attempted_at:
        times = f" ({port.refused_attempts} times)" if port.refused_attempts > 1 else ""
        return f"refused {age((now - port.attempted_at).total_seconds())} ago{times}: {', '.join(port.failed_checks)}"
    if waits_for:
        return f"waits for {', '.join(waits_for)}"
    notes = {"rolled_back": "rolled back", "unchanged": "nothing new"}
    note = notes.get(port.verdict or "", "")
    return ", ".join(text for text in (note, "late" if port.late else "") if text)


def _summary(ports: list[PortStatus], left: list[LeftStatus]) -> str:
    states = [port.state for port in ports]
    counts = [f"{states.count(s)} {s}" for s in ("published", "held back", "waiting", "not built") if s in states]
    total = count(len(ports), "port")
    return f"{total}: {', '.join(counts)}. {count_left([one.kind for one in left])} left behind by failed runs."
