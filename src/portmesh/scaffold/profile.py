"""What a table's rows are like, counted exactly by DuckDB: nulls, values, extremes, patterns, keys and references.

The rows are copied once into a scratch database on disk, so that every figure is about the same rows. Each pass reads
only the columns that it needs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from portmesh.scaffold.profile_columns import Column, Slice, Value, kind_of
from portmesh.scaffold.profile_keys import Keys, find_keys, unique_columns
from portmesh.scaffold.profile_patterns import pattern_of
from portmesh.scaffold.profile_references import Reference, Target, find_references
from portmesh.text import quoted

FEW = 100
"""A column with at most this many different values has all of them in its profile."""

SLICES = 16
"""The rows are compared in this many slices, in the order of their arrival, of their time, or of the file."""

ROWS = "profiled"
SLICED = "sliced"
SLICE = "slice__of_portmesh"
"""The number of a row's slice: a name that no source uses."""

PLACE = "place__of_portmesh"
MEMORY = "3GB"

Progress = Callable[[str], None]
"""Called with what is done next, in words."""


@dataclass(frozen=True)
class Order:
    """Two columns of times or of numbers, of which the first is never larger, wherever both have a value.

    `days` is the largest distance if the second is the arrival.
    """

    first: str
    second: str
    rows: int
    days: int | None = None


@dataclass(frozen=True)
class Arrivals:
    """How many different times rows arrived, and the longest time between two of them, in days."""

    number: int = 0
    longest_gap: int = 0


@dataclass(frozen=True)
class Profile:
    """A table's figures. `sliced_by` says in what order the slices are: arrival, file, or the name of a time column."""

    table: str
    rows: int
    columns: tuple[Column, ...]
    keys: Keys
    sliced_by: str
    arrivals: Arrivals
    batches: tuple[int, ...] = ()
    references: tuple[Reference, ...] = ()
    orders: tuple[Order, ...] = ()

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@contextmanager
def scratch(memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database on disk that is gone afterwards. Times are UTC."""
    with (
        tempfile.TemporaryDirectory(prefix="portmesh_profile_") as folder,
        duckdb.connect(str(Path(folder) / "scratch.duckdb")) as connection,
    ):
        connection.execute(f"set memory_limit = '{memory}'; set TimeZone = 'UTC'; set temp_directory = '{folder}'")
        connection.execute("set enable_progress_bar = false")
        yield connection


def profile(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    table: str,
    targets: Sequence[Target] = (),
    progress: Progress = lambda _: None,
) -> Profile:
    """Profile the rows of `relation`: SQL that can stand after `from`. `connection` is that of `scratch()`."""
    progress("reading the rows")
    read_rows(connection, relation)
    return profile_rows(connection, table, targets, progress)


def read_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Copy the rows of `relation` into the scratch database. Returns the columns with their types."""
    connection.execute(f"create or replace table {ROWS} as select * from {relation}")
    return columns_of(connection)


def columns_of(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The columns of the copy with their types."""
    return {name: type_ for name, type_, *_ in connection.execute(f"describe {ROWS}").fetchall()}


def profile_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    targets: Sequence[Target] = (),
    progress: Progress = lambda _: None,
) -> Profile:
    """Profile the copy that `read_rows` made."""
    types = {name: type_ for name, type_ in columns_of(connection).items() if kind_of(type_) != "other"}
    rows = _value(connection, f"select count(*) from {ROWS}")
    progress(f"counting {rows:,} rows, {len(types)} columns")
    sliced_by, arrivals, batches = _slice(connection, rows, types)
    columns = _columns(connection, rows, types, progress)
    progress("looking for unique columns")
    unique = unique_columns(connection, ROWS, columns)
    columns = tuple(
        replace(column, is_unique=True, is_exact=True, distinct=rows) if column.name in unique else column
        for column in columns
    )
    progress("looking for references to other ports")
    references = find_references(connection, ROWS, columns, targets)
    progress("looking for keys")
    referring = {reference.columns[0] for reference in references if len(reference.columns) == 1 and reference.holds}
    keys = find_keys(connection, ROWS, table, columns, referring)
    progress("comparing columns")
    return Profile(
        table=table,
        rows=rows,
        columns=columns,
        keys=keys,
        sliced_by=sliced_by,
        arrivals=arrivals,
        batches=batches,
        references=references,
        orders=_orders(connection, columns, arrivals.number),
    )


def _value(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    (value,) = connection.execute(sql).fetchall()[0]
    return value


def _slice(
    connection: duckdb.DuckDBPyConnection, rows: int, types: dict[str, str]
) -> tuple[str, Arrivals, tuple[int, ...]]:
    """Make the view SLICED. Returns what it is sliced by, the arrivals and the rows of each batch."""
    arrival = next((name for name in ("_landed_at", "_batch_id") if name in types), "")
    batches: list[int] = []
    arrivals = Arrivals()
    if arrival:
        both = [quoted(name) for name in ("_landed_at", "_batch_id") if name in types]
        connection.execute(
            f"create or replace table arrivals as select {', '.join(both)}, count(*) as rows_of, "
            f"row_number() over (order by {', '.join(both)}) - 1 as {PLACE} from {ROWS} group by {', '.join(both)}"
        )
        batches = [n for (n,) in connection.execute(f"select rows_of from arrivals order by {PLACE}").fetchall()]
        gaps = "date_diff('day', lag(arrived) over (order by arrived), arrived)" if arrival == "_landed_at" else "0"
        times = f"select distinct {quoted(arrival)} as arrived from arrivals"
        arrivals = Arrivals(
            *connection.execute(
                f"select count(*), coalesce(max(gap), 0) from (select {gaps} as gap from ({times}))"
            ).fetchall()[0]
        )
        if len(batches) >= 4:
            joined = " and ".join(f"{ROWS}.{name} is not distinct from arrivals.{name}" for name in both)
            slices = min(SLICES, len(batches))
            connection.execute(
                f"create or replace view {SLICED} as select {ROWS}.*, {PLACE} * {slices} // {len(batches)} as {SLICE} "
                f"from {ROWS} join arrivals on {joined}"
            )
            return "arrival", arrivals, tuple(batches)
    for name, type_ in types.items():
        if kind_of(type_) not in ("date", "timestamp") or name == "_landed_at":
            continue
        seconds = f"epoch({quoted(name)})"
        low, high, filled = connection.execute(
            f"select min({seconds}), max({seconds}), count({seconds}) from {ROWS}"
        ).fetchall()[0]
        if filled == rows and rows and high > low:
            place = f"least({SLICES - 1}, cast(floor(({seconds} - {low}) / {high - low} * {SLICES}) as bigint))"
            connection.execute(f"create or replace view {SLICED} as select *, {place} as {SLICE} from {ROWS}")
            return name, arrivals, tuple(batches)
    place = f"rowid * {SLICES} // {max(rows, 1)}"
    connection.execute(f"create or replace view {SLICED} as select *, {place} as {SLICE} from {ROWS}")
    return "file", arrivals, tuple(batches)


def _columns(
    connection: duckdb.DuckDBPyConnection, rows: int, types: dict[str, str], progress: Progress
) -> tuple[Column, ...]:
    slices = _slices(connection, types)
    names = [quoted(name) for name in types]
    counts = ", ".join(f"approx_count_distinct({name})" for name in names)
    distinct = dict(zip(types, connection.execute(f"select {counts} from {ROWS}").fetchall()[0], strict=True))
    lengths = _lengths(connection, [name for name, type_ in types.items() if kind_of(type_) == "text"])
    found = []
    for name, type_ in types.items():
        progress(f"looking at the values of {name}")
        own = slices[name]
        filled = sum(part.filled for part in own)
        values = _values(connection, name) if distinct[name] <= FEW * 1.2 else ()
        of_values = [part for part in own if part.filled]
        shortest, longest, blanks = lengths.get(name, (None, None, 0))
        kind = kind_of(type_)
        found.append(
            Column(
                name=name,
                type=type_,
                kind=kind,
                rows=rows,
                nulls=rows - filled,
                distinct=len(values) if values else min(distinct[name], filled),
                is_exact=bool(values) or not filled,
                smallest=min((part.smallest for part in of_values), default=None),
                largest=max((part.largest for part in of_values), default=None),
                shortest=shortest,
                longest=longest,
                blanks=blanks,
                pattern=pattern_of(connection, SLICED, quoted(name), filled) if kind == "text" and filled else "",
                slices=own,
                values=values if len(values) <= FEW else (),
            )
        )
    return tuple(found)


def _slices(connection: duckdb.DuckDBPyConnection, types: dict[str, str]) -> dict[str, tuple[Slice, ...]]:
    wanted = []
    for name in types:
        column = quoted(name)
        wanted += [f"count({column})", f"min({column})", f"max({column})"]
    select = f"select count(*), {', '.join(wanted)} from {SLICED} group by {SLICE} order by {SLICE}"
    parts = connection.execute(select).fetchall()
    return {
        name: tuple(Slice(part[0], *part[1 + 3 * place : 4 + 3 * place]) for part in parts)
        for place, name in enumerate(types)
    }


def _lengths(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """The shortest and the longest text of each column, and how many have no character but spaces."""
    if not names:
        return {}
    wanted = []
    for name in names:
        text = f"{quoted(name)}::varchar"
        wanted += [f"min(length({text}))", f"max(length({text}))", f"count(*) filter (where trim({text}) = '')"]
    found = connection.execute(f"select {', '.join(wanted)} from {ROWS}").fetchall()[0]
    return {name: (found[3 * place], found[3 * place + 1], found[3 * place + 2]) for place, name in enumerate(names)}


def _values(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[Value, ...]:
    """All values if there are at most FEW, else nothing."""
    column = quoted(name)
    found = connection.execute(
        f"select value_, sum(rows_)::bigint, count(*) from (select {column} as value_, {SLICE}, count(*) as rows_ "
        f"from {SLICED} where {column} is not null group by all) group by value_ order by 2 desc, 1 limit {FEW + 1}"
    ).fetchall()
    return tuple(Value(*each) for each in found) if len(found) <= FEW else ()


PAIRS = (("start", "end"), ("begin", "end"), ("first", "last"), ("lower", "upper"), ("min", "max"), ("from", "to"))
"""Words of two columns' names that say which of the two is the smaller."""


def _orders(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], arrivals: int) -> tuple[Order, ...]:
    """Times that never come after the arrival, and pairs whose names say which is the smaller.

    The distance to the arrival says something only if there were several arrivals.
    """
    landed = next((c for c in columns if c.name == "_landed_at"), None)
    pairs = [
        (a, b, False)
        for a in columns
        for b in columns
        for first, last in PAIRS
        if a.kind == b.kind and a.kind in ("date", "timestamp", "whole", "decimal", "float")
        if first in a.name.lower().split("_") and _replaced(a.name, first, last) == b.name.lower()
    ]
    if landed and arrivals >= 3:
        pairs += [(c, landed, True) for c in columns if c.kind in ("date", "timestamp") and c is not landed]
    found = []
    for a, b, is_arrival in pairs:
        first, second = quoted(a.name), quoted(b.name)
        wrong, both, apart, nearest = connection.execute(
            f"select count(*) filter (where {first} > {second}), count(*) filter (where {first} <= {second}), "
            + (
                f"max(date_diff('day', {first}, {second})), min(date_diff('day', {first}, {second}))"
                if is_arrival
                else "null, null"
            )
            + f" from {ROWS}"
        ).fetchall()[0]
        if wrong == 0 and both:
            # Old events, such as a date of birth, arrive at any distance.
            is_near = is_arrival and apart <= 92 and apart - nearest <= 62
            found.append(Order(a.name, b.name, both, apart if is_near else None))
    return tuple(found)


def _replaced(name: str, first: str, last: str) -> str:
    return "_".join(last if word == first else word for word in name.lower().split("_"))
