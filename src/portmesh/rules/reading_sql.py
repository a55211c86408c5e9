"""What one piece of SQL reads, by parsing it: tables, functions and files in their place, and what a star takes along.

Names are resolved as SQL does: a common table expression hides a table of its name, but not inside itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

"""How dbt names the common table expression of an ephemeral model."""
READ_NOTHING = frozenset(
    [
        *("unnest", "explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer", "stack"),
        *("json_tuple", "json_each", "json_tree", "range", "generate_series", "sequence", "flatten", "values"),
    ]
)
"""Functions in the place of a table that only make rows of their arguments."""
FILE_FORMATS = frozenset(("parquet", "orc", "json", "csv", "text", "avro", "delta", "binaryfile"))
"""Where Spark takes the table's name for a path: parquet.`s3://lake/orders`."""

MOST_PARTS = 3
"""Of a table's name: catalog, schema, table."""

Name = tuple[str, ...]
"""The parts of a table's name in lower case, from the catalog to the table."""

logging.getLogger("sqlglot").setLevel(logging.ERROR)


@dataclass(frozen=True)
class SqlReads:
    """What SQL reads. `problem` is why it cannot be known; then `tables` has the names that stand before a dot.

    `calls` are functions and files in the place of a table, as SQL. `stars` are tables whose columns, whatever they
    are, become part of the result, each with the way in which they do.
    """

    tables: tuple[Name, ...] = ()
    calls: tuple[str, ...] = ()
    stars: tuple[tuple[Name, str], ...] = ()
    problem: str = ""


def read_sql(sql: str, dialect: str, without: frozenset[str] = frozenset(), only_queries: bool = True) -> SqlReads:
    """What the SQL reads, outside the common table expressions that are named in `without`.

    A statement that is not one query is a problem, unless `only_queries` is false.
    """
    try:
        statements = [each for each in sqlglot.parse(sql, dialect=dialect) if each is not None]
    except (SqlglotError, RecursionError) as error:
        return SqlReads(names_before_dots(sql, dialect), problem=_first_line(error))
    problem = ""
    for each in statements:
        if isinstance(each, exp.Command):
            problem = f"{_words(each)} is not a statement that can be read"
        elif only_queries and not isinstance(each, exp.Query):
            problem = f"it is {_words(each)}, not a query"
    if only_queries and len(statements) > 1:
        problem = f"it has {len(statements)} statements, not one query"
    tables: dict[Name, None] = {}
    calls: dict[str, None] = {}
    for each in statements:
        for table in each.find_all(exp.Table):
            if not _is_cte(table) and not _is_within(table, without):
                if call := _as_call(table, dialect):
                    calls[call] = None
                elif not isinstance(table.this, exp.Func):
                    tables[name_of(table)] = None
    if problem:
        tables |= dict.fromkeys(names_before_dots(sql, dialect))
    stars = {star: None for each in statements if isinstance(each, exp.Query) for star in _stars(each)}
    return SqlReads(tuple(tables), tuple(calls), tuple(stars), problem)


def name_of(table: exp.Table) -> Name:
    """The parts of a table's name. Athena's `lines$files` is a view of the table lines."""
    parts = [part.name.lower() for part in table.parts]
    return (*parts[:-1], parts[-1].split("$")[0]) if parts else ()


@cache
def read_relation(relation: str, dialect: str) -> Name | str:
    """dbt's name of a relation: the parts of a table's name, or the SQL of a function or file in its place."""
    parts = relation.replace("`", '"').split(".")
    if len(parts) <= MOST_PARTS and all(part.strip('"').isidentifier() for part in parts):
        return tuple(part.strip('"').lower() for part in parts)
    found = read_sql(f"select * from {relation}", dialect)
    return found.calls[0] if found.calls else found.tables[0] if found.tables else ()


def names_before_dots(sql: str, dialect: str) -> tuple[Name, ...]:
    """Each `a.b` in SQL that cannot be parsed. It may be a table or a column."""
    try:
        tokens = sqlglot.tokenize(sql, dialect=dialect)
    except SqlglotError:
        return ()
    found: dict[Name, None] = {}
    for first, dot, second in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if dot.token_type == sqlglot.TokenType.DOT:
            found[(first.text.lower(), second.text.lower())] = None
    return tuple(found)


def _as_call(table: exp.Table, dialect: str) -> str:
    """The SQL of a function or a file in the place of a table; empty for a table and for what reads nothing."""
    this = table.this
    if isinstance(this, exp.Func):
        name = (this.name if isinstance(this, exp.Anonymous) else this.sql_name()).lower()
        return "" if name in READ_NOTHING or isinstance(this, exp.GenerateSeries) else this.sql(dialect)
    name = this.name
    is_path = "/" in name or ("." in name and not table.args.get("db"))
    if is_path or (table.db.lower() in FILE_FORMATS and ("/" in name or ":" in name)):
        return exp.table_(this.copy(), db=table.args.get("db"), catalog=table.args.get("catalog")).sql(dialect)
    return ""


def _is_cte(table: exp.Table) -> bool:
    return _query_of(table) is not None


def _query_of(table: exp.Table) -> exp.Expr | None:
    """The common table expression that a table's name means, if it means one."""
    if table.args.get("db") or not isinstance(table.this, exp.Identifier):
        return None
    name = table.name.lower()
    child: exp.Expr = table
    while (parent := child.parent) is not None:
        if isinstance(parent, exp.With):
            own = parent.expressions.index(child)
            listed = parent.expressions if parent.recursive else parent.expressions[:own]
        else:
            with_ = parent.args.get("with_")
            listed = with_.expressions if with_ is not None and with_ is not child else []
        for cte in reversed(listed):
            if cte.alias.lower() == name:
                return cte  # type: ignore[no-any-return]
        child = parent
    return None


def _is_within(table: exp.Table, names: frozenset[str]) -> bool:
    if not names:
        return False
    cte = table.find_ancestor(exp.CTE)
    while cte is not None:
        if cte.alias in names:
            return True
        cte = cte.find_ancestor(exp.CTE)
    return False


def _stars(query: exp.Query) -> Iterator[tuple[Name, str]]:
    yield from ((name, "its own columns") for name in _from_star(query, set()))
    for node in query.find_all(exp.SetOperation, exp.Select):
        if isinstance(node, exp.SetOperation):
            how = f"the columns of {'a' if isinstance(node, exp.Union) else 'an'} {node.key}"
            yield from ((name, how) for side in (node.this, node.expression) for name in _from_star(side, set()))
        elif node.args.get("distinct"):
            yield from ((name, "the columns of a distinct") for name in _from_star(node, set()))
        if any(join.method.upper() == "NATURAL" for join in node.args.get("joins") or ()):
            yield from ((name, "the columns of a natural join") for name in _all_columns(_sources(node), set()))


def _from_star(query: exp.Expr, seen: set[int]) -> Iterator[Name]:
    """The tables whose columns a query takes along, whatever they are."""
    if id(query) in seen:
        return
    seen.add(id(query))
    if isinstance(query, (exp.Subquery, exp.Paren, exp.CTE)):
        yield from _from_star(query.this, seen)
    elif isinstance(query, exp.SetOperation):
        yield from _from_star(query.this, seen)
        yield from _from_star(query.expression, seen)
    elif isinstance(query, exp.Select):
        sources = _sources(query)
        for projection in query.expressions:
            if isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
                of_one = [each for each in sources if each.alias_or_name.lower() == projection.table.lower()]
                yield from _all_columns(of_one, seen)
            elif isinstance(projection, (exp.Star, exp.Columns)):
                yield from _all_columns(sources, seen)


def _sources(select: exp.Expr) -> list[exp.Expr]:
    from_ = select.args.get("from_")
    joined = [join.this for join in select.args.get("joins") or ()]
    return [*([from_.this] if from_ is not None else []), *joined]


def _all_columns(sources: Iterable[exp.Expr], seen: set[int]) -> Iterator[Name]:
    for source in sources:
        if isinstance(source, exp.Table) and (cte := _query_of(source)) is not None:
            yield from _from_star(cte, seen)
        elif isinstance(source, exp.Table):
            if not isinstance(source.this, exp.Func):
                yield name_of(source)
        else:
            yield from _from_star(source, seen)


def _first_line(error: Exception) -> str:
    """sqlglot's message in plain text, without the SQL that it quotes in the lines below."""
    lines = str(error).splitlines()
    return lines[0].strip().rstrip(".") if lines else type(error).__name__


def _words(statement: exp.Expr) -> str:
    name = str(statement.this) if isinstance(statement, exp.Command) else statement.key
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name.lower()}"
