"""The newest attempts to publish a port, as the macro `recent_attempts` reads them from the records."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from pydantic import BaseModel

from portmesh.dbt import run_operation

MOST_PUBLICATIONS = 50
"""The most publications of a port that an outcome lists."""


class Attempt(BaseModel):
    """One attempt. `at` is in UTC, without a time zone; `batches` is a JSON list, or none if they are not known."""

    version: str | None
    verdict: str
    sequence: int
    at: datetime
    row_count: int | None
    invocation_id: str
    batches: str | None = None
    run_name: str | None = None

    @property
    def batch_names(self) -> list[str] | None:
        return json.loads(self.batches) if self.batches else None


class PortRecord(BaseModel):
    """The newest attempts of a port, newest first, and the checks that refused the newest one."""

    attempts: list[Attempt] = []
    failed_checks: list[str] = []

    @property
    def of_this_port(self) -> list[Attempt]:
        """Without maintenance, which is no attempt, and without a port of the same name that was retired before."""
        retired = next((n for n, one in enumerate(self.attempts) if one.verdict == "retired"), len(self.attempts))
        return [one for one in self.attempts[:retired] if one.verdict != "maintained"]

    @property
    def newest(self) -> Attempt | None:
        return next(iter(self.of_this_port), None)

    @property
    def refused(self) -> Attempt | None:
        """The newest attempt, if it was refused."""
        return self.newest if self.newest and self.newest.verdict == "refused" else None

    @property
    def publications(self) -> list[Attempt]:
        """The last published versions, oldest first."""
        return self._published[:MOST_PUBLICATIONS][::-1]

    @property
    def has_older_publications(self) -> bool:
        """Whether there are more than these."""
        return len(self._published) > MOST_PUBLICATIONS

    @property
    def _published(self) -> list[Attempt]:
        return [one for one in self.of_this_port if one.verdict == "published"]

    @property
    def current(self) -> Attempt | None:
        """The publication that consumers read: the newest, or after a rollback the one before it."""
        last = next((one for one in self.of_this_port if one.verdict in ("published", "rolled_back")), None)
        versions = [one for one in self.of_this_port if one.verdict == "published"]
        return next((one for one in versions if last and one.version == last.version), last)

    def attempt_in(self, run_name: str) -> Attempt | None:
        """The last attempt that a run made; none if it made no attempt."""
        return next((one for one in self.of_this_port if one.run_name == run_name), None)

    def verdict_in(self, run_name: str) -> str:
        """The last verdict on this port in a run; empty if it made no attempt."""
        return one.verdict if (one := self.attempt_in(run_name)) else ""


def read_records(ports: Collection[str], target: str, with_checks: bool = False) -> Mapping[str, PortRecord]:
    """The records of the ports with these ids, by id. A domain may read the checks of its own ports only.

    Raises UsageError if the engine cannot be reached, FindingsError if it cannot read them.
    """
    if not ports:
        return {}
    printed = run_operation("recent_attempts", json.dumps({"ports": sorted(ports), "with_checks": with_checks}), target)
    return {id_: PortRecord.model_validate(found) for id_, found in json.loads(printed[-1]).items()}
