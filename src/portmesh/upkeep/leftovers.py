"""What failed and refused runs left of a port, and which of it may be removed; and the versions that a port keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from portmesh.durations import age
from portmesh.text import count, size
from portmesh.upkeep.version_names import parse_version_name


class OpenVersion(BaseModel):
    """A version with a table, a second name or a branch of its own, as the macro `open_versions` lists it.

    For its name see `parse_version_name`.
    """

    name: str
    kind: Literal["table", "branch"]
    where: str
    is_held: bool = False
    has_record: bool = False

    @property
    def began_at(self) -> datetime:
        """When its run began (UTC), from its name."""
        found = parse_version_name(self.name)
        assert found, self.name
        return found.began_at

    def story(self, now: datetime) -> str:
        """Where it comes from: `its run began 3 hours ago and left no record`."""
        return f"{self._began(now)} and has ended" if self.has_record else f"{self._began(now)} and left no record"

    def stays(self, older_than: timedelta, now: datetime) -> str:
        """Why it must be kept; empty if it may be removed. Without a record of its run, it must be old enough."""
        if self.is_held:
            return "consumers read it"
        if not self.has_record and now - self.began_at < older_than:
            return f"{self._began(now)} and may still be running {_option(older_than)}"
        return ""

    def _began(self, now: datetime) -> str:
        return f"its run began {age((now - self.began_at).total_seconds())} ago"


class OrphanFiles(BaseModel):
    """A folder in S3 that belongs to no table. `written_at` is when its newest file was written (UTC)."""

    name: str
    keys: list[str]
    bytes: int
    written_at: datetime
    kind: Literal["folder"] = "folder"

    @property
    def where(self) -> str:
        return self.name

    def story(self, now: datetime) -> str:
        """What it is: `12 files (3.4 MB) that no table uses, the newest 3 days old`."""
        files = f"{count(len(self.keys), 'file')} ({size(self.bytes)})"
        return f"{files} that no table uses, the newest {self._age(now)} old"

    def stays(self, older_than: timedelta, now: datetime) -> str:
        """Why it must be kept; empty if it may be removed. A running build may not have created its table yet."""
        if now - self.written_at >= older_than:
            return ""
        return f"{self.story(now)}: its run may still be running {_option(older_than)}"

    def _age(self, now: datetime) -> str:
        return age((now - self.written_at).total_seconds())


Leftover = OpenVersion | OrphanFiles


def count_left(kinds: Sequence[str]) -> str:
    """Leftovers counted by kind: `2 candidates`, `1 candidate and 3 orphan folders`."""
    folders = kinds.count("folder")
    counts = [count(len(kinds) - folders, "candidate")] if len(kinds) > folders or not folders else []
    return " and ".join([*counts, *([count(folders, "orphan folder")] if folders else [])])


def _option(older_than: timedelta) -> str:
    return f"(--older-than is {age(older_than.total_seconds())})"


class KeptVersion(BaseModel):
    """A version that the port keeps (config.meta.keep_versions), with the snapshot that holds its rows."""

    version: str
    contract_version: str
    snapshot_id: int | None


class Decision(BaseModel):
    """Whether a leftover is removed (`goes`), and why. `port` is a label such as orders.order_lines."""

    port: str
    left: Leftover
    goes: bool
    why: str


def decide(
    port: str, leftovers: Sequence[Leftover], target: str, older_than: timedelta, now: datetime
) -> list[Decision]:
    """Which of a port's leftovers this target can remove, and which it keeps."""
    reasons = [(left, left.stays(older_than, now) or _beyond(target, left)) for left in leftovers]
    return [Decision(port=port, left=left, goes=not why, why=why or left.story(now)) for left, why in reasons]


def _beyond(target: str, left: Leftover) -> str:
    """Why the target's engine cannot remove it; empty if it can."""
    is_branch = left.kind == "branch" and target == "athena"
    return "only Spark can drop a branch: portmesh clean --target emr" if is_branch else ""
