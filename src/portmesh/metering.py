"""Adds up the bytes that Spark read for each publication, and records them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from portmesh.dbt import run_operation
from portmesh.query_comment import purpose_of
from portmesh.spark_history import Statement


@dataclass(frozen=True)
class Metered:
    """The bytes read for a publication and for its audit. `port` is dbt's unique id."""

    product: str
    run: str
    port: str
    bytes: int
    audit_bytes: int


def bytes_by_publication(statements: Iterable[Statement]) -> dict[tuple[str, str, str], dict[str, int]]:
    """Bytes read by step, for each product, run and port (dbt's unique id) that the statements' comments name."""
    read: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for statement in statements:
        tags, step = purpose_of(statement.sql)
        if "port" in tags and step:
            read[tags["product"], tags["run"], tags["node"]][step] += statement.bytes_read
    return {publication: dict(steps) for publication, steps in read.items()}


def record_bytes(read: Mapping[tuple[str, str, str], Mapping[str, int]]) -> list[Metered]:
    """Add bytes (by product, run and port, then by step) to the publication records. Returns what was recorded."""
    found = [Metered(*whose, sum(steps.values()), steps.get("audit", 0)) for whose, steps in read.items()]
    if found:
        run_operation("record_bytes", json.dumps({"publications": [asdict(metered) for metered in found]}), "emr")
    return found
