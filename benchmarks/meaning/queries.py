"""The 99 queries of TPC-DS as models: each output column has a name of its own, and a limit decides which rows there are."""

from __future__ import annotations

from collections.abc import Mapping
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


def models(connection: duckdb.DuckDBPyConnection, known: Schema) -> tuple[dict[str, exp.Query], list[str]]:
    """The queries that have rows in this database, by number; and what was done to which."""
    found: dict[str, exp.Query] = {}
    notes: list[str] = []
    for number, query in _read().items():
        _name_columns(query, known)
        if query.args.get("limit") and not limit_decides(query, connection):
            query.set("limit", None)
            query.set("order", None)
            notes.append(f"{number}: its limit is left out, because its order does not decide which rows are the first")
        row = connection.execute(text(query)).fetchone()
        if row is None:
            notes.append(f"{number}: left out, because it has no rows in this data")
        else:
            found[number] = query
    return found, notes


def _read() -> dict[str, exp.Query]:
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


def limit_decides(query: exp.Query, connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the order of a query decides which rows its limit takes."""
    order, limit = query.args.get("order"), query.args.get("limit")
    names = {name.lower() for name in query.named_selects}
    columns = list(order.find_all(exp.Column)) if order else []
    if not columns or any(column.name.lower() not in names for column in columns) or not limit:
        return False
    if any(isinstance(each.this, exp.Literal) for each in order.expressions):
        return False
    inner = query.copy()
    inner.set("order", None)
    inner.set("limit", None)
    keys = order.copy()
    for column in keys.find_all(exp.Column):
        column.set("table", None)
    ranked = f"select rank() over ({keys.sql(DIALECT)}) as place from ({inner.sql(DIALECT)})"
    found = connection.execute(
        f"select count(*) filter (where place <= {limit.expression.sql(DIALECT)}), count(*) from ({ranked})"
    ).fetchone()
    assert found is not None
    return bool(found[0] == min(int(limit.expression.this), found[1]))
