"""The SQL of a node as one query in which every table is a node and every column has a table.

It is parsed here and nowhere else. sqlglot does the work; before it, relations get the ids of their nodes, and tables
whose columns nobody lists get the columns that the query reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.schema import MappingSchema

from portmesh.lineage.misspelt import Misspelt, misspelt
from portmesh.lineage.refused import refuse_unwritten_columns
from portmesh.lineage.sql_of_node import UnreadableError, sql_of_node
from portmesh.lineage.tables import EPHEMERAL, Tables, declared
from portmesh.lineage.unlisted import REST, list_columns


def qualified(node: Mapping[str, Any], tables: Tables, sql: str = "") -> exp.Query:
    """The query of a node: names resolved, `*` replaced by columns, tables named by ids, types inferred.

    `sql` replaces the node's compiled SQL. A column `*rest*` stands for all columns of a table that nobody lists and
    that the query does not name.

    Raises UnreadableError if it cannot be known what the query reads.
    """
    dialect = tables.dialect_of(node["unique_id"])
    try:
        query = _with_tables(node, tables, sql, dialect)
        schema = _schema(list_columns(query, tables, set(declared(node))), tables, dialect)
        query = qualify(query, dialect=dialect, schema=schema, validate_qualify_columns=False, quote_identifiers=False)
        query = annotate_types(query, schema=schema, dialect=dialect)
    except (SqlglotError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        # sqlglot's optimizer raises all of these for SQL that it does not know.
        for each in misspelt_in(node, tables, sql):
            raise UnreadableError(str(each)) from error
        raise UnreadableError(f"sqlglot cannot resolve its names: {_first_line(error)}") from error
    if any(not column.table for column in query.find_all(exp.Column)):
        for each in misspelt_in(node, tables, sql):
            raise UnreadableError(str(each))
    return query


def misspelt_in(node: Mapping[str, Any], tables: Tables, sql: str = "") -> list[Misspelt]:
    """The columns that the SQL of a node names and that do not exist; none if it cannot be read."""
    try:
        return misspelt(_with_tables(node, tables, sql, tables.dialect_of(node["unique_id"])), tables)
    except (UnreadableError, SqlglotError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return []


def _with_tables(node: Mapping[str, Any], tables: Tables, sql: str, dialect: str) -> exp.Query:
    """The query of a node with the ids of its tables, each with an alias."""
    query = _parsed(sql or sql_of_node(node), dialect)
    refuse_unwritten_columns(query)
    _name_tables_by_id(query, node, tables)
    return qualify_tables(normalize_identifiers(query, dialect=dialect), dialect=dialect)


def _parsed(sql: str, dialect: str) -> exp.Query:
    try:
        statements = [each for each in parse(sql, dialect=dialect) if each]
    except (SqlglotError, RecursionError) as error:
        raise UnreadableError(f"sqlglot cannot parse its SQL: {_first_line(error)}") from error
    if len(statements) != 1:
        raise UnreadableError(f"its SQL is {len(statements)} statements")
    if not isinstance(statements[0], exp.Query):
        raise UnreadableError(f"its SQL is no query but {statements[0].key}")
    return statements[0]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _name_tables_by_id(query: exp.Query, node: Mapping[str, Any], tables: Tables) -> None:
    ephemeral = _ephemeral_models(node, tables)
    for cte in list(query.find_all(exp.CTE)):
        if cte.alias.lower() in ephemeral:
            cte.pop()
    for with_ in list(query.find_all(exp.With)):
        if not with_.expressions:
            with_.pop()
    parents = (node.get("depends_on") or {}).get("nodes") or ()
    renamed: dict[tuple[str, ...], str] = {}
    for table in list(query.find_all(exp.Table)):
        if _is_cte(table):
            continue
        name = table.name.lower()
        id_ = ephemeral.get(name) if not table.db else None
        id_ = id_ or tables.find(table, parents)
        if not isinstance(table.this, exp.Identifier):
            if id_ not in tables.columns and any(table.this.find_all(exp.Column, exp.Query)):
                continue  # a function of the columns of other tables
            name = table.this.name.lower() if isinstance(table.this, exp.Anonymous) else table.this.key.lower()
        if not table.alias:
            if table.db:
                renamed[tuple(part.name.lower() for part in table.parts)] = name
            alias = table.args.get("alias") or exp.TableAlias()
            alias.set("this", exp.to_identifier(name, quoted=True))
            table.set("alias", alias)
        table.set("this", exp.to_identifier(id_, quoted=True))
        table.set("db", None)
        table.set("catalog", None)
    _shorten_columns(query, renamed)


def _ephemeral_models(node: Mapping[str, Any], tables: Tables) -> dict[str, str]:
    """The ids of the ephemeral models that dbt put into the SQL, by the names of their CTEs."""
    found = {}
    for each in node.get("extra_ctes") or ():
        name = (each.get("sql") or "").strip().partition(" as (")[0].strip('`" ').lower()
        found[name if name.startswith(EPHEMERAL) else EPHEMERAL + each["id"].split(".")[2].lower()] = each["id"]
    return {name: id_ for name, id_ in found.items() if id_ in tables.columns}


def _is_cte(table: exp.Table) -> bool:
    """Whether the table is a CTE of a query around it."""
    if table.db or not isinstance(table.this, exp.Identifier):
        return False
    around: exp.Expr | None = table
    while around is not None:
        with_ = around.args.get("with_")
        if with_ and any(cte.alias.lower() == table.name.lower() for cte in with_.expressions):
            return True
        around = around.parent
    return False


def _shorten_columns(query: exp.Query, renamed: Mapping[tuple[str, ...], str]) -> None:
    """`"mesh"."orders"."order_lines".week` becomes `order_lines.week`: the table has another name now."""
    if not renamed:
        return
    suffixes = {name[start:]: short for name, short in renamed.items() for start in range(len(name) - 1)}
    for column in query.find_all(exp.Column):
        if column.args.get("db") and (short := suffixes.get(tuple(p.name.lower() for p in column.parts[:-1]))):
            column.set("table", exp.to_identifier(short, quoted=True))
            column.set("db", None)
            column.set("catalog", None)


def _schema(columns: Mapping[str, Mapping[str, str]], tables: Tables, dialect: str) -> MappingSchema:
    """What sqlglot has to know of the tables of a query. Each has a column at least, else it counts as unknown."""
    schema = MappingSchema(dialect=dialect, normalize=False)
    for id_, listed in columns.items():
        own = tables.dialect_of(tables.id_of(id_))
        types = {name: data_type(type_, own) for name, type_ in listed.items()}
        table = exp.Table(this=exp.to_identifier(id_.lower(), quoted=True))
        schema.add_table(table, types or {REST: data_type("", dialect)})
    return schema


def data_type(text: str, dialect: str) -> exp.DataType:
    """A type in SQL; unknown if there is none, or sqlglot does not know it."""
    unknown = exp.DataType(this=exp.DType.UNKNOWN)
    if not text:
        return unknown
    try:
        return exp.DataType.build(text, dialect=dialect)
    except (SqlglotError, ValueError):
        return unknown
