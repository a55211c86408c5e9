"""The mesh as its records and its engine have it now, which the macro `mesh_status` tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from pydantic import BaseModel, field_validator

from portmesh.dbt import run_operation
from portmesh.errors import not_allowed
from portmesh.upkeep.leftovers import KeptVersion, Leftover, OpenVersion, OrphanFiles
from portmesh.upkeep.unmade import Unmade
from portmesh.upkeep.version_names import parse_version_name


class Withdrawn(BaseModel):
    """What a rollback took from consumers. Between the two times they read it, or one before it that went too."""

    version: str
    row_count: int
    published_at: datetime
    rolled_back_at: datetime


class PortFacts(BaseModel):
    """One port; times are UTC, without a zone. What runs left in S3 is added by `with_orphans`."""

    id: str
    product: str
    port: str
    reads: list[str]
    stored_before: list[str] = []
    published_at: datetime | None = None
    row_count: int | None = None
    attempted_at: datetime | None = None
    verdict: str | None = None
    refused_attempts: int = 0
    failed_checks: list[str] = []
    late: bool = False
    table: str = ""
    database: str = ""
    internal_database: str = ""
    kept: list[KeptVersion] = []
    withdrawn: Withdrawn | None = None
    built_at: list[datetime] = []
    left: list[OpenVersion] = []
    inspected: list[OpenVersion] = []
    orphans: list[OrphanFiles] = []

    @field_validator("left", "inspected")
    @classmethod
    def _named_by_a_run(cls, found: list[OpenVersion]) -> list[OpenVersion]:
        """Whatever else has a name that only looks like a version's is somebody's own, and none of our business."""
        return [version for version in found if parse_version_name(version.name)]

    @property
    def label(self) -> str:
        return f"{self.product}.{self.port}"

    @property
    def leftovers(self) -> list[Leftover]:
        """What broken runs left: candidates first, then files."""
        return [*self.left, *self.orphans]

    @property
    def is_held_back(self) -> bool:
        return self.verdict == "refused"


class EndingAccess(BaseModel):
    """A consumer, or a version with readers, whose last day is at most 30 days ahead, or is over."""

    rule: str
    port: str
    reader: str
    last_day: date
    what: str
    next: str
    file: str


class MeshFacts(BaseModel):
    """All ports, the target that they are on, which access to them ends, and what is published and no model makes."""

    target: str
    ports: list[PortFacts]
    ending: list[EndingAccess] = []
    unmade: list[Unmade] = []

    def choose(self, labels: Sequence[str]) -> list[PortFacts]:
        """The ports of these labels, or all if there is none, in order. Raises UsageError for one that is no port."""
        by_label = {port.label: port for port in self.ports}
        return [by_label[label] for label in choose_ports(list(by_label), labels)]


def read_mesh_facts(target: str | None = None) -> MeshFacts:
    """The mesh as the target's engine has it now."""
    return MeshFacts.model_validate_json(run_operation("mesh_status", target=target)[-1])


def choose_ports(labels: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """The chosen labels, or all where none is chosen, in order. Raises UsageError for one that is no port."""
    for label in chosen:
        if label not in labels:
            raise not_allowed("port", label, sorted(labels))
    return sorted(set(chosen) or labels)


def utc_now() -> datetime:
    """Now in UTC, without a zone, as the records have it."""
    return datetime.now(UTC).replace(tzinfo=None)
