"""The current facts about the mesh from its records and its engine, as the macro `mesh_status` returns them."""

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
    """A version that was rolled back. Between the two times consumers read it, or an older version rolled back too."""

    version: str
    row_count: int
    published_at: datetime
    rolled_back_at: datetime


class PortFacts(BaseModel):
    """One port. Times are in UTC, without a time zone. `with_orphans` adds what runs left in S3."""

    id: str
    product: str
    port: str
    reads: list[str]
    selector: str = ""
    models_before: list[str] = []
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
        """Ignore tables whose name only resembles a version's: someone else created them."""
        return [version for version in found if parse_version_name(version.name)]

    @property
    def label(self) -> str:
        return f"{self.product}.{self.port}"

    @property
    def leftovers(self) -> list[Leftover]:
        """What failed runs left behind: candidates first, then files."""
        return [*self.left, *self.orphans]

    @property
    def is_held_back(self) -> bool:
        return self.verdict == "refused"


class EndingAccess(BaseModel):
    """A consumer's access, or a deprecated version with readers, that ends within 30 days or has ended."""

    rule: str
    port: str
    reader: str
    last_day: date
    what: str
    next: str
    file: str


class MeshFacts(BaseModel):
    """The target, its ports, access that ends soon, and published tables that no model builds any more."""

    target: str
    ports: list[PortFacts]
    ending: list[EndingAccess] = []
    unmade: list[Unmade] = []

    def choose(self, labels: Sequence[str]) -> list[PortFacts]:
        """The ports with these labels, or all ports, in order. Raises UsageError for an unknown label."""
        by_label = {port.label: port for port in self.ports}
        return [by_label[label] for label in choose_ports(list(by_label), labels)]


def read_mesh_facts(target: str | None = None) -> MeshFacts:
    """The current facts about the mesh on a target."""
    return MeshFacts.model_validate_json(run_operation("mesh_status", target=target)[-1])


def choose_ports(labels: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """The chosen labels, or all labels if none is chosen, in order. Raises UsageError for an unknown label."""
    for label in chosen:
        if label not in labels:
            raise not_allowed("port", label, sorted(labels))
    return sorted(set(chosen) or labels)


def utc_now() -> datetime:
    """The current time in UTC, without a time zone, as in the records."""
    return datetime.now(UTC).replace(tzinfo=None)
