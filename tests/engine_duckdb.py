"""The engine DuckDB for tests: a file in the mesh's folder, which also contains the sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from tests.engine import INTERNAL, Engine


class DuckDB(Engine):
    target = "local"
    keeps_every_version = False
    steps_of_a_build = ("create table", "failures", "publications", "drop table")

    def __init__(self, folder: Path) -> None:
        self.database = folder / "mesh.duckdb"

    def output(self) -> dict[str, Any]:
        return {"path": str(self.database)}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.database)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    def execute(self, sql: str) -> None:
        self.rows(sql)

    def make_table(self, table: str, select: str) -> None:
        schema, _ = table.split(".")
        self.execute(f"create schema if not exists {schema}; create or replace table {table} as {select}")

    def change_table(self, table: str, statement: str) -> None:  # noqa: ARG002 - the table is in the statement
        self.execute(statement)

    def relations(self, schema: str) -> list[str]:
        found = self.rows(
            "select name from (select schema_name, table_name as name from duckdb_tables() "
            f"union all select schema_name, view_name from duckdb_views()) where schema_name = '{schema}' order by 1"
        )
        return [name for (name,) in found]

    def columns(self, relation: str) -> list[tuple[str, str]]:
        return [(name, kind) for name, kind, *_ in self.rows(f"describe {relation}")]

    def comment(self, relation: str) -> str | None:
        schema, name = relation.split(".")
        ((text,),) = self.rows(
            f"select comment from duckdb_views() where schema_name = '{schema}' and view_name = '{name}'"
        )
        return None if text is None else str(text)

    def candidates(self, port: str) -> list[str]:
        published = self._published(port)
        return [f"{port.split('.')[0]}{INTERNAL}.{table}" for table in self._tables(port) if table not in published]

    def versions(self, port: str) -> int:
        return len(set(self._tables(port)) & self._published(port))

    def stored_in(self, port: str) -> str:
        ((base,),) = self.rows(
            f"select base from {_records(port)} where {_is_of(port)} order by attempted_at desc limit 1"
        )
        return f"{port.split('.')[0]}{INTERNAL}.{base}"

    def type_name(self, portable: str) -> str:
        return {"int": "integer", "string": "varchar"}.get(portable, portable)

    def close(self) -> None:
        DuckDBConnectionManager.close_all_connections()

    def _tables(self, port: str) -> list[str]:
        """Tables that contain, or once contained, a version of the port or its increment."""
        schema, name = port.split(".")
        found = self.rows(
            f"select table_name from duckdb_tables() where schema_name = '{schema}{INTERNAL}' "
            f"and regexp_full_match(table_name, '{name}__\\d{{8}}_.*') order by 1"
        )
        return [table for (table,) in found]

    def _published(self, port: str) -> set[str]:
        if _records(port).removeprefix("portmesh.") not in self.relations("portmesh"):
            return set()
        rows = self.rows(f"select version, base, version || '__replaced' from {_records(port)} where {_is_of(port)}")
        return {name for row in rows for name in row}


def _records(port: str) -> str:
    return f"portmesh.publications__{port.split('.')[0]}"


def _is_of(port: str) -> str:
    return f"port = '{port.split('.')[1]}' and verdict in ('published', 'rolled_back')"
