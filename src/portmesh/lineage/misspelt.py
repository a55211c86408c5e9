"""Columns that SQL names and that no table of it has: it cannot run, so nobody has to ask what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, find_all_in_scope, traverse_scope

from portmesh.errors import nearest
from portmesh.lineage.tables import Tables

OF_ENGINES = frozenset(
    ["rowid", "filename", "file_row_number", "user", "current_user", "session_user", "localtime", "localtimestamp"]
)
"""Names that an engine knows although no table lists them; so it does names that begin with `_` or `$`."""


@dataclass(frozen=True)
class Misspelt:
    """A column that does not exist: how the SQL names it, the tables that could have it, and their columns."""

    name: str
    tables: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def near(self) -> str:
        """The column that is probably meant; empty if none is like it."""
        return nearest(self.name, self.known)

    def __str__(self) -> str:
        meant = f" Did you mean {self.near}?" if self.near else ""
        where = f"{' and '.join(self.tables)} {'has' if len(self.tables) == 1 else 'have'} no such column"
        return f"it reads the column {self.name}, and {where}.{meant}"


def misspelt(query: exp.Query, tables: Tables) -> list[Misspelt]:
    """The columns of a query that cannot be there. The names of its tables are ids, and each table has an alias.

    Where a table may have columns that nobody lists, or an engine may know the name, nothing is said.
    """
    found = [each for scope in traverse_scope(query) for each in _of_scope(scope, tables)]
    return list(dict.fromkeys(found))


def _of_scope(scope: Scope, tables: Tables) -> Iterator[Misspelt]:
    if not isinstance(scope.expression, exp.Select) or scope.pivots or scope.expression.args.get("laterals"):
        return
    # A scope also knows the CTEs that it does not read.
    sources = {name: _columns(scope.sources[name], tables) for name in scope.selected_sources}
    aliases = {each.alias.lower() for each in scope.expression.selects if isinstance(each, exp.Alias)}
    for column in find_all_in_scope(scope.expression, exp.Column):
        name = column.name.lower()
        if name.startswith(("_", "$")) or name in OF_ENGINES or not _is_plain(column):
            continue
        if column.table:
            able = [column.table] if column.table in sources else []
        else:
            is_open = scope.is_subquery or scope.is_udtf or name in aliases or name in sources
            able = [] if is_open else list(sources)
        known = [sources[each] for each in able]
        if known and all(each is not None and name not in each for each in known):
            labels = tuple(dict.fromkeys(_label(each, scope, tables) for each in able))
            yield Misspelt(column.name, labels, tuple(sorted({c for each in known for c in each or ()})))


def _is_plain(column: exp.Column) -> bool:
    """Whether it can only be a column: no variable of a lambda or a comprehension, no name of an argument, no `*`."""
    inner = (exp.Lambda, exp.Comprehension, exp.Kwarg, exp.PropertyEQ, exp.Columns, exp.Pivot)
    around = column.find_ancestor(*inner, exp.Select)
    return isinstance(around, exp.Select) and not column.is_star and isinstance(column.this, exp.Identifier)


def _columns(source: exp.Expr | Scope, tables: Tables) -> frozenset[str] | None:
    """The columns of a table or query; None if they are not all known."""
    if isinstance(source, exp.Table):
        id_ = tables.id_of(source.name)
        if not isinstance(source.this, exp.Identifier) or not tables.lists_all(id_) or source.alias_column_names:
            return None
        return frozenset(tables.columns[id_])
    if not isinstance(source, Scope) or source.is_udtf:
        return None
    query = source.expression
    while isinstance(query, exp.SetOperation):
        query = query.left.unnest()
    around = source.expression.parent
    alias = around.args.get("alias") if isinstance(around, (exp.CTE, exp.Subquery)) else None
    if alias is not None and alias.args.get("columns"):
        return None
    if not isinstance(query, exp.Select) or any(_is_star(each) for each in query.selects):
        return _columns_of_star(query, source, tables)
    return frozenset(each.alias_or_name.lower() for each in query.selects)


def _is_star(projection: exp.Expr) -> bool:
    return projection.is_star or isinstance(projection, (exp.Columns, exp.UDTF, exp.Inline, exp.Explode))


def _columns_of_star(query: exp.Expr, source: Scope, tables: Tables) -> frozenset[str] | None:
    """Those of `select * from one_table`, which is what an import CTE is."""
    is_import = isinstance(query, exp.Select) and query is source.expression and len(query.selects) == 1
    read = list(source.selected_sources.values())
    star = query.selects[0] if is_import and isinstance(query, exp.Select) else None
    if len(read) != 1 or not isinstance(star, exp.Star) or any(star.args.get(key) for key in star.args):
        return None
    return _columns(read[0][1], tables)


def _label(name: str, scope: Scope, tables: Tables) -> str:
    source = scope.sources[name]
    return tables.label(tables.id_of(source.name)) if isinstance(source, exp.Table) else name
