"""`portmesh meter`: add the bytes that Spark read to the records of what it published."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

import typer

from portmesh.commands.options import AsJson
from portmesh.dbt import run_operation
from portmesh.output import console, errors_as_json, print_json
from portmesh.query_comment import purpose_of
from portmesh.spark_history import SPARK_UI, Statement, ended_statements
from portmesh.text import count, size


def meter(
    spark_ui: Annotated[str, typer.Option(metavar="URL", help=f"Spark's UI or history server; else {SPARK_UI}.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add the bytes that Spark read to the records of publications: it tells them only after a statement."""
    with errors_as_json(as_json):
        ui = spark_ui or os.environ.get(SPARK_UI) or "http://127.0.0.1:4040"
        read = bytes_by_publication(ended_statements(ui))
        publications = [
            {"run": run, "port": port, "bytes": sum(steps.values()), "audit_bytes": steps.get("audit", 0)}
            for (run, port), steps in read.items()
        ]
        if publications:
            run_operation("record_bytes", json.dumps({"publications": publications}), "emr")
    if as_json:
        print_json({"publications": publications})
    else:
        total = size(sum(sum(steps.values()) for steps in read.values()))
        console().print(f"{count(len(read), 'publication')} in Spark's history: {total} read.", markup=False)


def bytes_by_publication(statements: Iterable[Statement]) -> dict[tuple[str, str], dict[str, int]]:
    """Bytes read by step, of each run and port (dbt's unique id) that the statements' comments name."""
    read: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for statement in statements:
        tags, step = purpose_of(statement.sql)
        if "port" in tags and step:
            read[tags["run"], tags["node"]][step] += statement.bytes_read
    return {publication: dict(steps) for publication, steps in read.items()}
