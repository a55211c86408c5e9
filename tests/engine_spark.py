"""The engine Spark for tests: the Thrift server of a rig."""

from __future__ import annotations

import os
from datetime import date
from functools import cached_property
from typing import Any

from pyhive import hive

from tests.engine_glue import OnGlue

SESSION = {
    "set:hiveconf:spark.sql.ansi.enabled": "true",
    "set:hiveconf:spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "set:hiveconf:spark.sql.timestampType": "TIMESTAMP_NTZ",
    "set:hiveconf:spark.sql.session.timeZone": "UTC",
}


class Spark(OnGlue):
    target = "emr"
    dialect = "spark"
    steps_of_a_build = ("create branch", "insert", "fast_forward", "publications", "drop branch")
    steps_of_a_change = ("create table", "create or replace table", "publications", "drop table")

    def run(self, sql: str) -> hive.Cursor:
        cursor = self._session.cursor()
        cursor.execute(sql)
        return cursor

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement, with dates converted because PyHive returns them as text."""
        cursor = self.run(self.in_own_sql(sql))
        dates = [place for place, (_, kind, *_) in enumerate(cursor.description) if kind == "DATE_TYPE"]
        return [_with_dates(row, dates) for row in cursor.fetchall()]

    def columns(self, relation: str) -> list[tuple[str, str]]:
        return [(name, kind) for name, kind, _ in self.run(f"describe table {relation}").fetchall()]

    def candidates(self, port: str) -> list[str]:
        return self.internal_versions(port) + [f"{port}.branch_{name}" for name in self.branches(port)]

    def type_name(self, portable: str) -> str:
        return {"timestamp": "timestamp_ntz"}.get(portable, portable)

    def quote(self, name: str) -> str:
        return f"`{name}`"

    @cached_property
    def _session(self) -> hive.Connection:
        host, port = os.environ["PORTMESH_SPARK_HOST"], int(os.environ["PORTMESH_SPARK_PORT"])
        return hive.connect(host=host, port=port, username="tests", auth="NONE", configuration=SESSION)


def _with_dates(row: tuple[Any, ...], places: list[int]) -> tuple[Any, ...]:
    """A row with dates, which PyHive returns as text."""
    values = list(row)
    for place in places:
        values[place] = values[place] and date.fromisoformat(values[place])
    return tuple(values)
