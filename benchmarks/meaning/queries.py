"""The 99 queries of TPC-DS as models: each output column has its own name, and only a limit that takes rows stays."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path

import duckdb
from sqlglot import exp, parse_one
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from tests import tpc

FILE = Path(__file__).with_name("tpcds.sql")
DIALECT = "duckdb"
Schema = Mapping[str, Mapping[str, str]]


def parsed(sql: str) -> exp.Query:
    query = parse_one(sql, dialect=DIALECT)
    assert isinstance(query, exp.Query)
    return query


def text(query: exp.Expr) -> str:
    return str(query.sql(DIALECT, pretty=True))


def tables(folder: Path, scale: str) -> duckdb.DuckDBPyConnection:
    """A database with the tables of TPC-DS. One thread, so that a query gives the same rows each time."""
    data = folder / f"tpcds_{scale}"
    if not data.exists():
        tpc.generate("tpcds", scale, data)
    connection = duckdb.connect(config={"threads": 1})
    for name in tpc.primary("tpcds"):
        connection.execute(f"create table {name} as select * from '{data}/{name}.parquet'")
    return connection


def schema(connection: duckdb.DuckDBPyConnection) -> Schema:
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "select table_name, column_name, data_type from information_schema.columns order by ordinal_position"
    ).fetchall()
    for table, column, type_ in rows:
        found.setdefault(table, {})[column] = type_
    return found


def qualified(query: exp.Query, known: Schema) -> exp.Query:
    """A copy of the query with a table and a type for each column, and no `*`."""
    found = qualify(query.copy(), schema=dict(known), dialect=DIALECT, quote_identifiers=False, identify=False)
    return annotate_types(found, schema=dict(known), dialect=DIALECT)


def models(
    connection: duckdb.DuckDBPyConnection, known: Schema, only: Container[str] | None = None
) -> tuple[dict[str, exp.Query], dict[str, list[str]]]:
    """The queries that have rows in this database, by number; and what was done, with the numbers of the queries."""
    found: dict[str, exp.Query] = {}
    notes: dict[str, list[str]] = {}
    for number, query in read_queries().items():
        if only is not None and number not in only:
            continue
        _name_columns(query, known)
        everything = query.copy()
        everything.set("order", None)
        everything.set("limit", None)
        connection.execute(f"create or replace temp table everything as {text(everything)}")
        rows = connection.execute("select count(*) from everything").fetchone()
        if not rows or not rows[0]:
            notes.setdefault("left out, because it has no rows in this data", []).append(number)
            continue
        if query.args.get("limit") and (why := _no_use_of_limit(query, rows[0], connection)):
            query = everything
            notes.setdefault(f"without its limit, {why}", []).append(number)
        found[number] = query
    return found, notes


def read_queries() -> dict[str, exp.Query]:
    """All queries of the file, by number."""
    parts = FILE.read_text().split("-- query ")[1:]
    pairs = (part.partition("\n") for part in parts)
    return {number: parsed(sql.strip().removesuffix(";")) for number, _, sql in pairs}


def _name_columns(query: exp.Query, known: Schema) -> None:
    """Give each output column a name of its own, as a table needs it."""
    names = [each.lower() for each in qualified(query, known).named_selects]
    select = query
    while isinstance(select, exp.SetOperation):
        select = select.left.unnest()
    if any(each.is_star for each in select.selects):
        assert len(set(names)) == len(names)
        return
    seen: set[str] = set()
    named = []
    for each, name in zip(select.selects, names, strict=True):
        unique = name if name not in seen else f"{name}_{len(seen)}"
        seen.add(unique)
        unique = unique.replace(" ", "_").replace("-", "_").replace(">", "over_")
        if not unique.isidentifier():
            unique = f"c_{unique}"
        named.append(exp.alias_(each.unalias(), unique) if each.alias_or_name.lower() != unique else each)
    select.set("expressions", named)
    renamed = {old: new.alias_or_name for old, new in zip(names, named, strict=True)}
    for column in query.args["order"].find_all(exp.Column) if query.args.get("order") else ():
        if not column.table and renamed.get(column.name.lower(), column.name.lower()) != column.name.lower():
            column.set("this", exp.to_identifier(renamed[column.name.lower()]))


def _no_use_of_limit(query: exp.Query, rows: int, connection: duckdb.DuckDBPyConnection) -> str:
    """Why a limit is no part of a model: it takes all rows, or the order leaves open which. Empty if it is.

    The rows without it are in the table `everything`.
    """
    order, number = query.args.get("order"), int(query.args["limit"].expression.this)
    if rows <= number:
        return "which takes all rows"
    names = {name.lower() for name in query.named_selects}
    columns = list(order.find_all(exp.Column)) if order else []
    by_position = order and any(isinstance(each.this, exp.Literal) for each in order.expressions)
    if not columns or by_position or any(column.name.lower() not in names for column in columns):
        return "whose order is not by its output"
    keys = order.copy()
    for column in keys.find_all(exp.Column):
        column.set("table", None)
    ranked = f"select rank() over ({keys.sql(DIALECT)}) as place from everything"
    first = connection.execute(f"select count(*) from ({ranked}) where place <= {number}").fetchone()
    return "" if first and first[0] == number else "whose order leaves open which rows are the first"
