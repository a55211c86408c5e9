"""The versions of a port: those it keeps, and those that crashed and refused runs left, with what of them may go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from portmesh.durations import age
from portmesh.errors import not_allowed


class OpenVersion(BaseModel):
    """A version that is a table, a second name or a branch of its own, as the macro `open_versions` tells it."""

    name: str
    kind: Literal["table", "branch"]
    where: str
    is_held: bool = False
    has_record: bool = False

    @property
    def began_at(self) -> datetime:
        """When its run began (UTC), which is in its name: `lines__20261123_061400_ab12cd`."""
        found = re.search(r"__(\d{8}_\d{6})_", self.name)
        assert found, self.name
        return datetime.strptime(found.group(1), "%Y%m%d_%H%M%S")

    def story(self, now: datetime) -> str:
        """Whose it is: `its run began 3 hours ago and left no record`."""
        began = f"its run began {age((now - self.began_at).total_seconds())} ago"
        return f"{began} and has ended" if self.has_record else f"{began} and left no record"


class KeptVersion(BaseModel):
    """A version that the port keeps (config.meta.keep_versions), with the snapshot that holds its rows."""

    version: str
    contract_version: str
    snapshot_id: int | None


class Decision(BaseModel):
    """Whether an open version goes, and why; `port` is a label such as orders.order_lines."""

    port: str
    version: OpenVersion
    goes: bool
    why: str


def decide(
    port: str, versions: Sequence[OpenVersion], target: str, older_than: timedelta, now: datetime
) -> list[Decision]:
    """What of a port's open versions goes on this target; of a run without a record, only what is old enough."""
    return [_decide(port, version, target, older_than, now) for version in versions]


def _decide(port: str, version: OpenVersion, target: str, older_than: timedelta, now: datetime) -> Decision:
    def stays(why: str) -> Decision:
        return Decision(port=port, version=version, goes=False, why=why)

    if version.is_held:
        return stays("consumers read it")
    if not version.has_record and now - version.began_at < older_than:
        return stays(
            f"its run began {age((now - version.began_at).total_seconds())} ago and may still be at work"
            f" (--older-than {age(older_than.total_seconds())})"
        )
    if version.kind == "branch" and target == "athena":
        return stays("only Spark can drop a branch: portmesh clean --target emr")
    return Decision(port=port, version=version, goes=True, why=version.story(now))


def choose_ports(labels: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """The chosen labels, or all where none is chosen. Raises UsageError for one that is no port."""
    for label in chosen:
        if label not in labels:
            raise not_allowed("port", label, sorted(labels))
    return sorted(chosen or labels)
