"""DuckDB as the judge: it runs the query before and after a change, and compares the rows.

Rows have no order. The unchanged columns are those of which `changes` says nothing: the rows with only these columns
must be the same bag of rows before and after. A column that was predicted to change is *equal* if it can be put beside
them and the rows are still the same bag. Floating-point numbers count as equal if their first ten digits are.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from benchmarks.meaning.pairs import ASKED, Mesh, Pair
from benchmarks.meaning.queries import Schema
from portmesh.lineage import Lineage, read_lineage
from portmesh.lineage.meaning import Changes, NodeChange, changes

SECONDS = 20.0


class NotExecutedError(Exception):
    """A query that DuckDB does not run, or not in time."""


@dataclass(frozen=True)
class Judged:
    """What was predicted for a pair, and what DuckDB found.

    `predicted` are the columns of both that can have other values. `differ` are those whose own values differ, `equal`
    those that were predicted in vain. `missed` are columns that differ and were not predicted; `joint` says whether the
    unchanged columns together have the same rows. `same` says whether all columns together have the same rows.
    """

    pair: Pair
    predicted: tuple[str, ...]
    differ: tuple[str, ...]
    equal: tuple[str, ...]
    missed: tuple[str, ...]
    joint: bool
    same: bool
    change: NodeChange | None


class Judge:
    """Judges pairs on one database."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, known: Schema) -> None:
        self.connection, self.known = connection, known
        self.kept: dict[str, str] = {}
        self.lineages: dict[Mesh, Lineage] = {}

    def judge(self, pair: Pair) -> Judged | None:
        """Run both sides; None for a mutation after which all rows are the same.

        Raises NotExecutedError.
        """
        before, after = self._table(pair.before), self._table(pair.after)
        columns = self._columns(before)
        if self._columns(after) != columns:
            raise NotExecutedError("it has other columns")
        same = self._same(before, after, columns)
        if same and pair.kind != "rewrite":
            return None
        change = self._changes(pair).nodes.get(ASKED)
        predicted = tuple(name for name in columns if change and change.changes(name))
        unchanged = [name for name in columns if name not in predicted]
        differ = tuple(name for name in columns if not (same or self._same(before, after, [name])))
        return Judged(
            pair,
            predicted,
            differ,
            tuple(name for name in predicted if self._same(before, after, [*unchanged, name])),
            tuple(name for name in differ if name not in predicted),
            not unchanged or same or self._same(before, after, unchanged),
            same,
            change,
        )

    def _changes(self, pair: Pair) -> Changes:
        before, after = pair.before.manifest(self.known), pair.after.manifest(self.known)
        if pair.before not in self.lineages:
            self.lineages[pair.before] = read_lineage(before)
        return changes(before, after, lineages=(self.lineages[pair.before], read_lineage(after)))

    def _table(self, mesh: Mesh) -> str:
        """The table with the rows of a mesh's query."""
        sql = mesh.one_query()
        if sql not in self.kept:
            name = f"rows_{len(self.kept)}"
            timer = threading.Timer(SECONDS, self.connection.interrupt)
            timer.start()
            try:
                self.connection.execute(f"create temp table {name} as {sql}")
            except duckdb.Error as error:
                raise NotExecutedError(str(error)) from error
            finally:
                timer.cancel()
            self.kept[sql] = name
        return self.kept[sql]

    def _columns(self, table: str) -> list[str]:
        return [row[0].lower() for row in self.connection.execute(f"describe {table}").fetchall()]

    def _same(self, before: str, after: str, columns: Sequence[str]) -> bool:
        """Whether two tables have the same bag of rows, of these columns."""
        left, right = (f"select {', '.join(self._rounded(t, c) for c in columns)} from {t}" for t in (before, after))
        counts = f"(select count(*) from {before}) = (select count(*) from {after})"
        row = self.connection.execute(
            f"select {counts} and not exists (({left}) except all ({right}))"
            f" and not exists (({right}) except all ({left}))"
        ).fetchone()
        assert row is not None
        return bool(row[0])

    def _rounded(self, table: str, column: str) -> str:
        types = {row[0].lower(): row[1] for row in self.connection.execute(f"describe {table}").fetchall()}
        if types[column] in ("DOUBLE", "FLOAT"):
            return f"printf('%.9e', {column})"
        return f"{column}::varchar"
