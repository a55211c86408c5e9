"""Reads the statements that Spark ran, through the REST API of its UI or of its history server.

https://spark.apache.org/docs/3.5.9/monitoring.html#rest-api
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from portmesh.errors import UsageError

SPARK_UI = "PORTMESH_SPARK_UI"
AT_MOST = 100_000
"""The most statements to ask for. Spark keeps as many as spark.sql.ui.retainedExecutions says."""


@dataclass(frozen=True)
class Statement:
    """A finished statement: its number, its text, and the bytes that its stages read."""

    number: int
    sql: str
    bytes_read: int


def ended_statements(ui: str) -> Iterator[Statement]:
    """All statements that the applications of this UI ran, oldest first.

    Raises UsageError if Spark's REST API does not answer there.
    """
    for application in _get(ui, "applications"):
        path = f"applications/{application['id']}"
        read = {stage["stageId"]: stage["inputBytes"] for stage in _get(ui, f"{path}/stages")}
        stages = {job["jobId"]: job["stageIds"] for job in _get(ui, f"{path}/jobs")}
        for execution in _get(ui, f"{path}/sql?details=false&length={AT_MOST}"):
            own = {stage for job in execution["successJobIds"] for stage in stages.get(job, [])}
            yield Statement(execution["id"], execution["description"], sum(read.get(stage, 0) for stage in own))


def _get(ui: str, path: str) -> Any:
    try:
        with urllib.request.urlopen(f"{ui.rstrip('/')}/api/v1/{path}", timeout=30) as answer:
            return json.load(answer)
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise UsageError(
            "Could not read Spark's statement history.",
            [("asked", f"{ui}/api/v1/{path}"), ("said", str(error))],
            f"set {SPARK_UI} to Spark's UI or history server, such as http://<primary node>:18080",
        ) from error
