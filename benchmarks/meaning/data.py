"""Sets of data for the judge: TPC-DS as its generator makes it, and others that keep its keys and types.

What a change can do shows only on data that minds. Each set keeps what the contracts of the tables promise and what the
specification declares: types, primary, foreign and business keys. Everything is seeded: two runs have the same rows.

- *dsdgen* is the data of the generator.
- *drawn* has another value in each cell that is no key. Of 40, 38 have the value of any row of the same column, so a
  shop's zip code says nothing of its state; one is null, and one has a value that the column had not. A foreign key
  stays, or is null in two of 40. The two calendars are as they are.
- *repeated* is drawn as well, but half of the cells are the smallest value of their column: many rows are alike.
- Each of the three also with *few* rows: about 10,000 of each table of sales, with their returns, and of the inventory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from tests import tpc

DSDGEN = "dsdgen"
SECONDS = 20.0
MEMORY = "2GB"
FEW = 10_000
CALENDARS = ("date_dim", "time_dim")
KEYS = tpc.primary("tpcds")
FOREIGN = tpc.foreign("tpcds")
BUSINESS = {column for _, columns in tpc.business() for column in columns}
Connection = duckdb.DuckDBPyConnection


class NotExecutedError(Exception):
    """A query that DuckDB does not run, or not in time, or not in this memory."""


def run(connection: Connection, sql: str) -> None:
    """Raises NotExecutedError."""
    timer = threading.Timer(SECONDS, connection.interrupt)
    timer.start()
    try:
        connection.execute(sql)
    except duckdb.Error as error:
        raise NotExecutedError(str(error)) from error
    finally:
        timer.cancel()


def scalar(connection: Connection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def sets(folder: Path, scale: str) -> dict[str, Connection]:
    """All sets of data by name, the generator's first."""
    found = {}
    for name, alike in ((DSDGEN, None), ("drawn", False), ("repeated", True)):
        for few in (False, True):
            connection = tables(folder, scale)
            if alike is not None:
                draw(connection, alike)
            if few:
                thin(connection)
            found[f"{name}, few rows" if few else name] = connection
    return found


def tables(folder: Path, scale: str) -> Connection:
    """A database with the generator's data. One thread, so that a query gives the same rows each time."""
    data = folder / f"tpcds_{scale}"
    if not data.exists():
        tpc.generate("tpcds", scale, data)
    connection = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY, "temp_directory": ""})
    for name in KEYS:
        connection.execute(f"create table {name} as select * from '{data}/{name}.parquet'")
    return connection


def draw(connection: Connection, alike: bool, tables: Iterable[str] = KEYS) -> None:
    """Give each cell that is no key another value; if they are to be alike, half of them the smallest of the column."""
    for table in tables:
        if table not in CALENDARS:
            connection.execute(f"create or replace table {table} as {_drawn(connection, table, alike)}")


def _drawn(connection: Connection, table: str, alike: bool) -> str:
    types = {str(row[0]): str(row[1]) for row in connection.execute(f"describe {table}").fetchall()}
    rows = scalar(connection, f"select count(*) from {table}")
    keys = {column for columns, _ in FOREIGN for column in columns}
    cells, joins = [], []
    for column, type_ in types.items():
        chance = f"(hash(own.rowid, '{column}') % 40)"
        if column in KEYS[table] or column in BUSINESS:
            cells.append(f"own.{column}")
        elif column in keys:
            cells.append(f"case when {chance} > 1 then own.{column} end as {column}")
        else:
            joins.append(f"join {table} as {column}_of on {column}_of.rowid = hash('{column}', own.rowid) % {rows}")
            value = f"{column}_of.{column}"
            smallest = f"when {chance} < 22 then (select min({column}) from {table})" if alike else ""
            new = f"cast({_new(value, type_)} as {type_})"
            cells.append(
                f"case when {chance} < 1 then null when {chance} < 2 then {new} {smallest} else {value} end as {column}"
            )
    return f"select {', '.join(cells)} from {table} as own {' '.join(joins)} order by own.rowid"


def _new(value: str, type_: str) -> str:
    """A value that the column does not have, or hardly."""
    if type_ == "VARCHAR":
        return f"{value} || {value}"
    return f"{value} - 1" if type_ == "DATE" else f"-{value}"


def thin(connection: Connection, few: int = FEW) -> None:
    """Keep about this many rows of each table with a key of several columns. Returns stay if what was sold stays."""
    sold: Mapping[tuple[str, ...], str] = dict(FOREIGN)
    facts = {table: sold.get(key, table) for table, key in KEYS.items() if len(key) > 1}
    rows = {table: scalar(connection, f"select count(*) from {table}") for table in facts}
    for table, counted in facts.items():
        key, one_of = ", ".join(f"{column}::bigint" for column in KEYS[table]), max(1, rows[counted] // few)
        connection.execute(
            f"create or replace table {table} as select * from {table} where hash({key}) % {one_of} = 0 order by rowid"
        )
