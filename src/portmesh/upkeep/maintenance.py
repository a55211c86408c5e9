"""Decides which snapshots of an Iceberg port expire, and which are kept for rollback, readers and contract tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from portmesh.lake.iceberg import Size, Snapshot, TableFacts
from portmesh.upkeep.leftovers import KeptVersion, OpenVersion

# Tags of contract versions. Other tags were created by someone else and are left alone.
_OURS = re.compile(r"v\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Plan:
    """What maintenance does to a port. `snapshots_to_keep` counts from the newest, as Athena's VACUUM does."""

    compact: Size
    manifests: int
    expire: tuple[int, ...]
    freed: Size
    orphans: Size
    tags: tuple[tuple[str, int], ...]
    expired_tags: tuple[str, ...]
    snapshots_to_keep: int

    @property
    def rewrites_manifests(self) -> bool:
        return self.manifests > 1


def plan(table: TableFacts, kept: Sequence[KeptVersion], unread_since: datetime, by_vacuum: bool = False) -> Plan:
    """The plan for a table. A snapshot that was current after `unread_since` is kept: it may still be being read.

    A kept version that has no snapshot in this table is in an earlier table, which Athena put aside.
    `by_vacuum`: Athena keeps a number of the newest snapshots and all written after `unread_since`; it writes no tags.
    """
    kept = [version for version in kept if version.snapshot_id in table.snapshots]
    tags = {} if by_vacuum else _tags_of(kept)
    ours = [] if by_vacuum else [name for name in table.tags if _OURS.fullmatch(name)]
    expired_tags = [name for name in ours if name not in tags]
    keep = {table.current, *table.branches.values(), *tags.values(), *(version.snapshot_id for version in kept)}
    keep |= {snapshot for name, snapshot in table.tags.items() if name not in [*expired_tags, *tags]}
    expire = [s.id for s in table.snapshots.values() if s.id not in keep and last_read(table, s) < unread_since]
    order = [snapshot.id for snapshot in ancestry(table)]
    newest = 1 + max(place for place, snapshot in enumerate(order) if snapshot not in expire)
    if by_vacuum:
        expire = [s for s in expire if s not in order[:newest] and table.snapshots[s].at < unread_since]
    return Plan(
        compact=table.small,
        manifests=table.manifests,
        expire=tuple(expire),
        freed=_freed(table, expire),
        orphans=Size(len(table.orphans), sum(table.orphans.values())),
        tags=tuple((name, snapshot) for name, snapshot in tags.items() if table.tags.get(name) != snapshot),
        expired_tags=tuple(expired_tags),
        snapshots_to_keep=newest,
    )


def _tags_of(kept: Sequence[KeptVersion]) -> dict[str, int]:
    """A tag for each contract version among the kept versions, on the newest snapshot published under it."""
    tags: dict[str, int] = {}
    for version in kept:
        if version.snapshot_id is not None:
            tags.setdefault(f"v{version.contract_version}", version.snapshot_id)
    return tags


def last_read(table: TableFacts, snapshot: Snapshot) -> datetime:
    """When another snapshot became current, so that no new reader uses this one. If never current: when written."""
    places = [place for place, (_, current) in enumerate(table.log) if current == snapshot.id]
    if not places:
        return snapshot.at
    return table.log[places[-1] + 1][0] if places[-1] + 1 < len(table.log) else datetime.max


def ancestry(table: TableFacts) -> Iterator[Snapshot]:
    """The current snapshot, then its parent, and so on."""
    snapshot = table.snapshots.get(table.current)
    while snapshot:
        yield snapshot
        snapshot = table.snapshots.get(snapshot.parent) if snapshot.parent is not None else None


def has_rows_of(table: TableFacts, snapshot_id: int | None) -> bool:
    """Whether the table still has the rows of that snapshot: later snapshots only rewrote files."""
    for snapshot in ancestry(table):
        if snapshot.id == snapshot_id:
            return True
        if snapshot.operation != "replace":
            return False
    return False


def _freed(table: TableFacts, expire: Sequence[int]) -> Size:
    """The files that only expired snapshots use."""
    staying = {path for snapshot, files in table.files.items() if snapshot not in expire for path in files}
    going = {path: size for snapshot in expire for path, size in table.files.get(snapshot, {}).items()}
    freed = {path: size for path, size in going.items() if path not in staying}
    return Size(len(freed), sum(freed.values()))


def why_not(open_versions: Sequence[OpenVersion], inspected: Sequence[OpenVersion], port: str) -> str:
    """Why a port is skipped: it has an open candidate. Empty if it has none."""
    if open_versions:
        return f"the candidate {open_versions[0].kind} {open_versions[0].name} is still open: portmesh clean {port}"
    if inspected:
        name = f"{inspected[0].kind} {inspected[0].name}"
        return f"the refused {name} is kept for inspection: portmesh clean --refused {port}"
    return ""
