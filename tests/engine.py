"""What a test's mesh needs to know of the engine that it runs on; each engine's own things stand in one module."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

ENGINES = ("local", "emr", "athena")
INTERNAL = "__internal"


class Engine(ABC):
    """An engine that is up. Names of relations are `<schema>.<name>`; SQL is DuckDB's, whatever the engine."""

    target: str
    """The name of the engine's target in profiles/profiles.yml."""
    keeps_every_version = True
    """Iceberg keeps published snapshots until `portmesh maintain`; DuckDB drops those beyond keep_versions at once."""
    steps_of_a_build: tuple[str, ...]
    """Words of the statements in which a build of a port that exists writes."""
    steps_of_a_change: tuple[str, ...] = ()
    """The same of a build that adds a column to the port; none where nothing differs then."""

    def output(self) -> dict[str, Any]:
        """What the mesh's profile sets in another way than the repository's."""
        return {}

    @abstractmethod
    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a statement, as Python values of the same types on every engine."""

    @abstractmethod
    def execute(self, sql: str) -> None:
        """Run a statement that gives no rows."""

    @abstractmethod
    def make_table(self, table: str, select: str) -> None:
        """Make a table of what DuckDB selects, in the place of one that is there."""

    @abstractmethod
    def change_table(self, table: str, statement: str) -> None:
        """Run DuckDB's insert, update or delete on a table that make_table made."""

    def records(self, name: str, schema: str = "portmesh") -> str:
        """What stands after `from` to read the records of all domains, `publications` or `measurements`."""
        tables = [table for table in self.relations(schema) if table.startswith(f"{name}__")]
        return "(" + " union all ".join(f"select * from {schema}.{table}" for table in tables) + ") as records"

    @abstractmethod
    def relations(self, schema: str) -> list[str]:
        """Names of the tables and views in a schema, sorted; none if there is no such schema."""

    @abstractmethod
    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Names and types of a relation's columns, as the engine has them."""

    @abstractmethod
    def comment(self, relation: str) -> str | None:
        """The comment on a relation."""

    @abstractmethod
    def candidates(self, port: str) -> list[str]:
        """What is left of versions that were written and are not published, the oldest first, as SQL names them."""

    @abstractmethod
    def versions(self, port: str) -> int:
        """How many published versions of a port are still there."""

    @abstractmethod
    def stored_in(self, port: str) -> str:
        """The table that holds the rows that consumers read."""

    @abstractmethod
    def type_name(self, portable: str) -> str:
        """A contract's type as the engine names it in a message."""

    def column_name(self, name: str) -> str:
        """The name of a quoted column as the engine keeps it."""
        return name

    def quote(self, name: str) -> str:
        """A name as the engine's SQL quotes it."""
        return f'"{name}"'

    @abstractmethod
    def close(self) -> None:
        """Give up what dbt left open in this process."""


def engine_at(target: str, folder: Path) -> Engine:
    """The engine of a target, for a mesh in `folder`. Only the chosen engine's packages are imported."""
    if target == "local":
        from tests.engine_duckdb import DuckDB

        return DuckDB(folder)
    if target == "emr":
        from tests.engine_spark import Spark

        return Spark(folder)
    from tests.engine_athena import Athena

    return Athena(folder)
