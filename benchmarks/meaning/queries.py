"""The 99 queries of TPC-DS as models: each output column has its own name, and only a limit that takes rows stays."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlglot import exp, parse_one
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from benchmarks.meaning.data import Connection, NotExecutedError, run, scalar

FILE = Path(__file__).with_name("tpcds.sql")
DIALECT = "duckdb"
Schema = Mapping[str, Mapping[str, str]]
NO_ROWS = "it has no rows in any set of data"
OPEN = "its order leaves open which rows are the first"
STAYS = "it stays"


def parsed(sql: str) -> exp.Query:
    query = parse_one(sql, dialect=DIALECT)
    assert isinstance(query, exp.Query)
    return query


def text(query: exp.Expr) -> str:
    return str(query.sql(DIALECT, pretty=True))


def schema(connection: Connection) -> Schema:
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


@dataclass
class Models:
    """The queries that have rows in a set of data, by number; what was done, with the numbers of the queries.

    `open` are, of each set of data, the queries with a limit whose order leaves open which rows of it are the first.
    """

    queries: dict[str, exp.Query] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    open: dict[str, list[str]] = field(default_factory=dict)


def models(sets: Mapping[str, Connection], known: Schema, only: Container[str] | None = None) -> Models:
    """The queries as models. A limit stays if it takes rows away in one of the sets, and its order decides which."""
    found = Models()
    for number, query in read_queries().items():
        if only is not None and number not in only:
            continue
        _name_columns(query, known)
        limits = {name: _limit(query, connection) for name, connection in sets.items()}
        if set(limits.values()) <= {NO_ROWS}:
            found.notes.setdefault(f"left out, because {NO_ROWS}", []).append(number)
            continue
        if query.args.get("limit") and STAYS not in limits.values():
            why = next(why for why in limits.values() if why != NO_ROWS)
            query = _without_limit(query)
            found.notes.setdefault(f"without a limit, because {why}", []).append(number)
        else:
            for name in (name for name, why in limits.items() if why == OPEN):
                found.open.setdefault(name, []).append(number)
        found.queries[number] = query
    return found


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


def _without_limit(query: exp.Query) -> exp.Query:
    everything = query.copy()
    everything.set("order", None)
    everything.set("limit", None)
    return everything


def _limit(query: exp.Query, connection: Connection) -> str:
    """What becomes of the limit in this data, if there is one: STAYS, or why it does not."""
    try:
        run(connection, f"create or replace temp table everything as {text(_without_limit(query))}")
    except NotExecutedError:
        return NO_ROWS
    rows = scalar(connection, "select count(*) from everything")
    if not rows:
        return NO_ROWS
    if not query.args.get("limit"):
        return STAYS
    order, most = query.args.get("order"), int(query.args["limit"].expression.this)
    if rows <= most:
        return "it takes all rows"
    names = {name.lower() for name in query.named_selects}
    columns = list(order.find_all(exp.Column)) if order else []
    by_position = order and any(isinstance(each.this, exp.Literal) for each in order.expressions)
    if not columns or by_position or any(column.name.lower() not in names for column in columns):
        return "its order is not by its output"
    keys = order.copy()
    for column in keys.find_all(exp.Column):
        column.set("table", None)
    ranked = f"select rank() over ({keys.sql(DIALECT)}) as place from everything"
    return STAYS if scalar(connection, f"select count(*) from ({ranked}) where place <= {most}") == most else OPEN
