"""The engine Athena for tests: the Athena endpoint of a rig."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

import pyathena
from pyathena.connection import Connection

from tests.engine_glue import OnGlue, lake


class Athena(OnGlue):
    target = "athena"
    dialect = "athena"
    steps_of_a_build = ("create table", "insert", "updatetable", "publications", "deletetable")
    steps_of_a_change = ("updatetable", "publications")

    def run(self, sql: str) -> Any:
        return self._connection.cursor().execute(sql)

    def candidates(self, port: str) -> list[str]:
        return [table for table in self.internal_versions(port) if not table.endswith("__replaced")]

    def type_name(self, portable: str) -> str:
        return {"int": "integer", "string": "varchar", "timestamp": "timestamp(6)"}.get(portable, portable)

    def column_name(self, name: str) -> str:
        return name.lower()

    @cached_property
    def _connection(self) -> Connection[Any]:
        return pyathena.connect(
            s3_staging_dir=f"{lake()}/athena-results/tests/",
            region_name=os.environ["AWS_REGION"],
            work_group=os.environ["PORTMESH_ATHENA_WORKGROUP"],
            poll_interval=0.05,
        )
