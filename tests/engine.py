"""What a test needs to know about the engine of its mesh. Each engine has its own module."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

ENGINES = ("local", "emr", "athena")
INTERNAL = "__internal"


class Engine(ABC):
    """A running engine. Relations are named `<schema>.<name>`; SQL is DuckDB's on every engine."""

    target: str
    """The name of the engine's target in profiles/profiles.yml."""
    keeps_every_version = True
    """Iceberg keeps published snapshots until `portmesh maintain`; DuckDB drops those beyond keep_versions itself."""
    steps_of_a_build: tuple[str, ...]
    """Words in the statements with which a build of an existing port writes."""
    steps_of_a_change: tuple[str, ...] = ()
    """The same for a build that adds a column to the port; empty if they are the same."""

    def output(self) -> dict[str, Any]:
        """Settings in which the test mesh's profile differs from the repository's."""
        return {}

    @abstractmethod
    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement, as Python values of the same types on every engine."""

    @abstractmethod
    def execute(self, sql: str) -> None:
        """Run a statement that returns no rows."""

    @abstractmethod
    def make_table(self, table: str, select: str) -> None:
        """Create or replace a table with the result of a DuckDB query."""

    @abstractmethod
    def change_table(self, table: str, statement: str) -> None:
        """Run a DuckDB insert, update or delete on a table that make_table created."""

    def records(self, name: str, schema: str = "portmesh") -> str:
        """The from clause that reads the records of all domains: `publications` or `measurements`."""
        tables = [table for table in self.relations(schema) if table.startswith(f"{name}__")]
        return "(" + " union all ".join(f"select * from {schema}.{table}" for table in tables) + ") as records"

    @abstractmethod
    def relations(self, schema: str) -> list[str]:
        """The sorted names of the tables and views in a schema. Empty if the schema does not exist."""

    @abstractmethod
    def columns(self, relation: str) -> list[tuple[str, str]]:
        """The names and types of a relation's columns, as the engine reports them."""

    @abstractmethod
    def comment(self, relation: str) -> str | None:
        """The comment on a relation."""

    @abstractmethod
    def candidates(self, port: str) -> list[str]:
        """Leftovers of versions that were written but not published, oldest first, as SQL names them."""

    @abstractmethod
    def versions(self, port: str) -> int:
        """How many published versions of a port still exist."""

    @abstractmethod
    def stored_in(self, port: str) -> str:
        """The table with the rows that consumers read."""

    @abstractmethod
    def type_name(self, portable: str) -> str:
        """A contract's type as the engine names it in a message."""

    def column_name(self, name: str) -> str:
        """The name that the engine stores for a quoted column."""
        return name

    def quote(self, name: str) -> str:
        """A name quoted for the engine's SQL."""
        return f'"{name}"'

    @abstractmethod
    def close(self) -> None:
        """Close what dbt left open in this process."""


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
