"""How long Athena's VACUUM keeps versions and files. It uses table properties that Trino does not read.

https://docs.aws.amazon.com/athena/latest/ug/vacuum-statement.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULTS = {"vacuum_max_snapshot_age_seconds": "432000", "vacuum_min_snapshots_to_keep": "1"}


@dataclass(frozen=True)
class Retention:
    """Trino's `retention_threshold` for snapshots and for orphan files."""

    snapshots: str
    orphans: str


def retention(parameters: Mapping[str, str], metadata: Mapping[str, Any], now_ms: int) -> Retention:
    """The thresholds for a table, from its parameters in Glue and its Iceberg metadata. `now_ms` is Unix time in ms."""
    settings = {**DEFAULTS, **parameters}
    max_age = int(settings["vacuum_max_snapshot_age_seconds"]) * 1000
    newest_first = sorted((snapshot["timestamp-ms"] for snapshot in metadata.get("snapshots", [])), reverse=True)
    kept = int(settings["vacuum_min_snapshots_to_keep"])
    if len(newest_first) <= kept:
        oldest_kept = newest_first[-1] - 1 if newest_first else now_ms
    else:
        # Halfway to the newest snapshot that may be removed, because Trino's clock is read later than this one.
        oldest_kept = (newest_first[kept - 1] + newest_first[kept]) // 2
    # Rounded up, so that a short delay removes nothing more.
    return Retention(f"{max(max_age, now_ms - oldest_kept)}ms", f"{max_age}ms")
