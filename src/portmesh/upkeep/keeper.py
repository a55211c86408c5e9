"""Maintains Iceberg ports: reads a table's metadata, lets the engine rewrite and remove files, and records it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pyiceberg.catalog import Catalog

from portmesh.dbt import run_operation
from portmesh.errors import PortmeshError
from portmesh.lake.iceberg import TableFacts, read_table
from portmesh.upkeep.leftovers import KeptVersion
from portmesh.upkeep.maintenance import Plan, has_rows_of, plan, why_not
from portmesh.upkeep.port_facts import PortFacts, utc_now

# Younger files may belong to a run that is still writing. Spark accepts no shorter time.
FILES_OLDER_THAN = timedelta(days=1)


@dataclass(frozen=True)
class Report:
    """What was done with one port, or would be done. `skipped` says why nothing was."""

    port: str
    plan: Plan | None = None
    skipped: str = ""
    error: str = ""


@dataclass(frozen=True)
class Keeper:
    """Maintains ports one after the other. An error in one port does not stop the others."""

    catalog: Catalog
    target: str
    unread_for: timedelta
    dry_run: bool

    @property
    def age(self) -> timedelta:
        """How long ago a snapshot must have been superseded to expire. Athena uses this age for files too."""
        return max(self.unread_for, FILES_OLDER_THAN) if self.target == "athena" else self.unread_for

    @property
    def files_older_than(self) -> datetime:
        return utc_now() - FILES_OLDER_THAN

    def maintain(self, port: PortFacts) -> Report:
        skipped = why_not(port.left, port.inspected, port.label)
        if skipped:
            return Report(port.label, skipped=skipped)
        try:
            return Report(port.label, plan=self._maintain(port))
        except PortmeshError as error:
            return Report(port.label, error=error.message)

    def _maintain(self, port: PortFacts) -> Plan:
        table = self._read(port)
        before = self._plan(table, port.kept)
        if self.dry_run:
            return before
        manifests = before.rewrites_manifests and self.target == "emr"
        if before.compact.files or manifests:
            self._run("rewrite_files", port, compact=before.compact.files > 0, manifests=manifests)
            table = self._read(port)
        newest = port.kept[0]
        is_rewritten = table.current != newest.snapshot_id
        if is_rewritten:
            newest = newest.model_copy(update={"snapshot_id": table.current})
        after = self._plan(table, [newest, *port.kept[1:]])
        decided = {"snapshot_id": table.current, "is_rewritten": is_rewritten, "keep": self._keep(after)}
        self._run("remove_expired", port, **decided)
        return replace(after, compact=before.compact, manifests=before.manifests)

    def _plan(self, table: TableFacts, kept: Sequence[KeptVersion]) -> Plan:
        return plan(table, kept, utc_now() - self.age, by_vacuum=self.target == "athena")

    def _keep(self, after: Plan) -> dict[str, Any]:
        return {
            "tags": after.tags,
            "expired_tags": after.expired_tags,
            "expire": after.expire,
            "snapshots_to_keep": after.snapshots_to_keep,
            "max_age_seconds": int(self.age.total_seconds()),
            "files_older_than": f"{self.files_older_than:%Y-%m-%d %H:%M:%S}",
        }

    def _read(self, port: PortFacts) -> TableFacts:
        table = read_table(self.catalog, port.database, port.table, self.files_older_than)
        if not has_rows_of(table, port.kept[0].snapshot_id):
            raise PortmeshError(
                "What consumers read has no record yet: a build is publishing it, or was killed when it had. "
                f"Nothing expired; after the next build: portmesh maintain {port.label}"
            )
        return table

    def _run(self, macro: str, port: PortFacts, **arguments: Any) -> None:
        run_operation(macro, json.dumps({"port": port.label, **arguments}), self.target)
