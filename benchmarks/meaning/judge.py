"""DuckDB as the judge: it runs the query before and after a change on several sets of data, and compares the rows.

Rows have no order. The unchanged columns are those of which `changes` says nothing: the rows with only these columns
must be the same bag of rows before and after, in each set. A column that was predicted to change is *equal* if it can
be put beside them and the rows are still the same bag, in each set. Floating-point numbers count as equal if their
first ten digits are.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.meaning.data import Connection, NotExecutedError, run, scalar
from benchmarks.meaning.pairs import ASKED, Mesh, Pair
from benchmarks.meaning.queries import OPEN, Schema
from portmesh.lineage import Lineage, read_lineage
from portmesh.lineage.meaning import Changes, NodeChange, changes


@dataclass(frozen=True)
class Found:
    """What DuckDB found in one set of data.

    `differ` are the columns whose own values differ, `equal` those that were predicted in vain. `joint` says whether
    the unchanged columns together have the same rows, `same` whether all columns together do.
    """

    differ: tuple[str, ...]
    equal: tuple[str, ...]
    joint: bool
    same: bool


@dataclass(frozen=True)
class Judged:
    """What was predicted for a pair, and what DuckDB found in each set of data in which both sides run.

    `predicted` are the columns of both that can have other values.
    """

    pair: Pair
    predicted: tuple[str, ...]
    change: NodeChange | None
    found: Mapping[str, Found]

    @property
    def differ(self) -> tuple[str, ...]:
        """Columns that differ in any set."""
        return tuple(dict.fromkeys(name for each in self.found.values() for name in each.differ))

    @property
    def equal(self) -> tuple[str, ...]:
        """Predicted columns that are equal in all sets."""
        return tuple(name for name in self.predicted if all(name in each.equal for each in self.found.values()))

    @property
    def missed(self) -> tuple[str, ...]:
        """Columns that differ and were not predicted."""
        return tuple(name for name in self.differ if name not in self.predicted)

    @property
    def joint(self) -> bool:
        return all(each.joint for each in self.found.values())

    @property
    def same(self) -> bool:
        return all(each.same for each in self.found.values())

    def only(self, name: str) -> Judged | None:
        """By one set of data alone; None if both sides have the same rows in it."""
        found = self.found.get(name)
        return None if found is None or found.same else replace(self, found={name: found})


class Rows:
    """The rows of queries in one set of data."""

    def __init__(self, connection: Connection, open_: Container[str] = ()) -> None:
        self.connection, self.open = connection, open_
        self.tables: dict[str, str | NotExecutedError] = {}
        self.columns: dict[str, dict[str, str]] = {}

    def table(self, sql: str) -> str:
        """The table with the rows of a query. Raises NotExecutedError."""
        if sql not in self.tables:
            self.tables[sql] = self._run(f"rows_{len(self.tables)}", sql)
        found = self.tables[sql]
        if isinstance(found, NotExecutedError):
            raise found
        return found

    def _run(self, name: str, sql: str) -> str | NotExecutedError:
        try:
            run(self.connection, f"create temp table {name} as {sql}")
        except NotExecutedError as error:
            return error
        described = self.connection.execute(f"describe {name}").fetchall()
        self.columns[name] = {row[0].lower(): row[1] for row in described}
        return name

    def same(self, before: str, after: str, columns: Sequence[str]) -> bool:
        """Whether two tables have the same bag of rows, of these columns."""
        left, right = (f"select {', '.join(self._rounded(t, c) for c in columns)} from {t}" for t in (before, after))
        counts = f"(select count(*) from {before}) = (select count(*) from {after})"
        return bool(
            scalar(
                self.connection,
                f"select {counts} and not exists (({left}) except all ({right}))"
                f" and not exists (({right}) except all ({left}))",
            )
        )

    def _rounded(self, table: str, column: str) -> str:
        if self.columns[table][column] in ("DOUBLE", "FLOAT"):
            return f"printf('%.9e', {column})"
        return f"{column}::varchar"


class Judge:
    """Judges pairs on several sets of data."""

    def __init__(self, sets: Mapping[str, Rows], known: Schema) -> None:
        self.sets, self.known = sets, known
        self.lineages: dict[Mesh, Lineage] = {}

    def judge(self, pair: Pair) -> Judged | None:
        """Run both sides; None for a mutation after which all rows are the same, in each set.

        A set is left out in which a side does not run. Raises NotExecutedError if that leaves none.
        """
        tables, why = self._tables(pair)
        if not tables:
            raise why
        columns = [*next(iter(self.sets[name].columns[before] for name, (before, _) in tables.items()))]
        same = {name: self.sets[name].same(*both, columns) for name, both in tables.items()}
        if all(same.values()) and pair.kind != "rewrite":
            return None
        change = self._changes(pair).nodes.get(ASKED)
        predicted = tuple(name for name in columns if change and change.changes(name))
        found = {
            name: Found((), predicted, joint=True, same=True)
            if same[name]
            else self._found(self.sets[name], *both, columns, predicted)
            for name, both in tables.items()
        }
        return Judged(pair, predicted, change, found)

    def _tables(self, pair: Pair) -> tuple[dict[str, tuple[str, str]], NotExecutedError]:
        """The rows before and after in each set in which both run; and why another is not among them."""
        found, why = {}, NotExecutedError(OPEN)
        sides = pair.before.one_query(), pair.after.one_query()
        for name, rows in self.sets.items():
            if pair.number in rows.open:
                continue
            try:
                before, after = (rows.table(sql) for sql in sides)
            except NotExecutedError as error:
                why = error
                continue
            if [*rows.columns[before]] == [*rows.columns[after]]:
                found[name] = before, after
            else:
                why = NotExecutedError("it has other columns")
        return found, why

    @staticmethod
    def _found(rows: Rows, before: str, after: str, columns: Sequence[str], predicted: Sequence[str]) -> Found:
        """What is found in a set of data in which the rows are not the same."""
        unchanged = [name for name in columns if name not in predicted]
        differ = tuple(name for name in columns if not rows.same(before, after, [name]))
        return Found(
            differ,
            tuple(
                name
                for name in predicted
                if name not in differ and (not unchanged or rows.same(before, after, [*unchanged, name]))
            ),
            joint=not unchanged or rows.same(before, after, unchanged),
            same=False,
        )

    def _changes(self, pair: Pair) -> Changes:
        before, after = pair.before.manifest(self.known), pair.after.manifest(self.known)
        if pair.before not in self.lineages:
            self.lineages[pair.before] = read_lineage(before)
        return changes(before, after, lineages=(self.lineages[pair.before], read_lineage(after)))
