"""Columns of tables that nobody lists: the ones that a query reads by name, and the rest.

A source's YAML may name some of its columns only. If a query reads `x` and no other of its tables can have it, the
source has `x`. All columns that are not named stand behind one more, `*rest*`, which only `select *` reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, find_all_in_scope, traverse_scope

from portmesh.lineage.refused import output_names
from portmesh.lineage.sql_of_node import UnreadableError
from portmesh.lineage.tables import Tables

REST = "*rest*"


def list_columns(query: exp.Query, tables: Tables, wanted: set[str]) -> dict[str, dict[str, str]]:
    """The columns of each table of a query, by id, with their types. The names of tables in the query are ids.

    `wanted` are the columns that YAML declares for the query's own result.

    Raises UnreadableError if columns are told apart by their position where positions cannot be known.
    """
    found = {
        name: dict(tables.columns.get(tables.id_of(name), {}))
        for name in {table.name for table in query.find_all(exp.Table) if isinstance(table.this, exp.Identifier)}
    }
    open_ = {name for name in found if not tables.lists_all(tables.id_of(name))}
    for table in query.find_all(exp.Table):
        if table.alias_column_names and table.name in open_:
            if tables.id_of(table.name) in tables.columns:
                raise UnreadableError("it names the columns of a table by position that nobody lists")
            found[table.name] = dict.fromkeys(table.alias_column_names, "")
            open_.discard(table.name)
    scopes = traverse_scope(query)
    of_ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    if open_ - of_ctes:
        reader = _Demands(scopes, found, open_ - of_ctes)
        reader.read(wanted)
        for name, names in reader.demands.items():
            found[name].update({each: "" for each in sorted(names) if each not in found[name]})
        for name in open_ - of_ctes:
            found[name][REST] = ""
    return {name: columns for name, columns in found.items() if name not in of_ctes}


class _Demands:
    """Reads the scopes of a query from the outside in: what each needs of the tables inside it."""

    def __init__(self, scopes: list[Scope], columns: Mapping[str, Mapping[str, str]], open_: set[str]) -> None:
        self.scopes = scopes
        self.columns = columns
        self.open = open_
        self.demands: dict[str, set[str]] = defaultdict(set)
        self.names: dict[int, set[str]] = {}
        self.open_scopes: set[int] = set()
        self.lacking: dict[int, set[str]] = {}
        self.of_scopes: dict[int, set[str]] = defaultdict(set)
        for scope in scopes:
            self._list(scope)

    def read(self, wanted: set[str]) -> None:
        if self._is_open(self.scopes[-1]):
            self.of_scopes[id(self.scopes[-1].expression)] |= wanted
        for scope in reversed(self.scopes):
            for column in list(find_all_in_scope(scope.expression, exp.Column)):
                if not column.is_star:
                    self._demand_column(column, scope)
            for join in scope.expression.args.get("joins") or ():
                self._demand_shared(join, scope)
            self._pass_on(scope)

    # What a scope gives.

    def _list(self, scope: Scope) -> None:
        names: set[str] = set()
        expression = scope.expression
        if isinstance(expression, exp.Select):
            for each in expression.selects:
                if each.is_star:
                    names |= self._star_names(each, scope)
                else:
                    names.update(output_names(each))
        elif isinstance(expression, exp.SetOperation):
            arms = scope.set_operation_scopes
            for arm in arms if expression.args.get("by_name") else arms[:1]:
                names |= self._known(arm)
            self._refuse_positions(scope)
        elif isinstance(expression, exp.Subquery):
            for inner in scope.table_scopes:
                names |= self._known(inner)
                if self._is_open(inner):
                    self.open_scopes.add(id(expression))
                    self.lacking[id(expression)] = self._lacks(inner)
        elif isinstance(expression, exp.Expr):
            names |= set(getattr(expression, "named_selects", ()) or ())
        if scope.outer_columns:
            if id(expression) in self.open_scopes:
                raise UnreadableError("it names the columns of `select *` by position, from a table that nobody lists")
            names = set(scope.outer_columns)
        self.names[id(expression)] = names

    def _star_names(self, star: exp.Expr, scope: Scope) -> set[str]:
        names: set[str] = set()
        for source in self._of_star(star, scope):
            names |= self._known(source)
            if self._is_open(source):
                key = id(scope.expression)
                left_out = (_excepted(star) | set(_renamed(star))) | self._lacks(source)
                self.lacking[key] = left_out & self.lacking[key] if key in self.open_scopes else left_out
                self.open_scopes.add(key)
                self._refuse_numbers(scope, scope.expression.expressions.index(star) + 1)
        renamed = _renamed(star)
        return {renamed.get(name, name) for name in names - _excepted(star)}

    def _of_star(self, star: exp.Expr, scope: Scope) -> Iterator[exp.Expr | Scope]:
        table = star.table if isinstance(star, exp.Column) else ""
        for name, (_, source) in scope.selected_sources.items():
            if table in ("", name):
                yield source

    def _known(self, source: exp.Expr | Scope) -> set[str]:
        if isinstance(source, Scope):
            return self.names.get(id(source.expression), set())
        return set(self.columns.get(source.name, ()))

    def _is_open(self, source: exp.Expr | Scope) -> bool:
        if isinstance(source, Scope):
            return id(source.expression) in self.open_scopes
        return source.name in self.open

    def _lacks(self, source: exp.Expr | Scope) -> set[str]:
        """Names that an open scope cannot have: `exclude` leaves them out."""
        return self.lacking.get(id(source.expression), set()) if isinstance(source, Scope) else set()

    def _may_have(self, source: exp.Expr | Scope, name: str) -> bool:
        return self._is_open(source) and name not in self._lacks(source)

    def _refuse_positions(self, scope: Scope) -> None:
        if any(self._is_open(arm) for arm in scope.set_operation_scopes):
            if not scope.expression.args.get("by_name"):
                raise UnreadableError("it has a union of `select *` from a table whose columns nobody lists")
            self.open_scopes.add(id(scope.expression))

    def _refuse_numbers(self, scope: Scope, before: int) -> None:
        """A number says nothing if it counts columns of `select *`, which stands at the place `before`."""
        order, group = scope.expression.args.get("order"), scope.expression.args.get("group")
        listed = [*(each.this for each in (order.expressions if order else ())), *(group.expressions if group else ())]
        if any(isinstance(each, exp.Literal) and each.is_int and int(each.this) >= before for each in listed):
            raise UnreadableError(
                "it groups or orders by the number of a column of `select *`, from a table whose columns nobody lists"
            )

    # What a scope takes.

    def _pass_on(self, scope: Scope) -> None:
        demanded = self.of_scopes[id(scope.expression)]
        if isinstance(scope.expression, exp.Select):
            for star in (each for each in scope.expression.selects if each.is_star):
                original = {new: old for old, new in _renamed(star).items()}
                for source in self._of_star(star, scope):
                    for name in (*_excepted(star), *_renamed(star), *_replaced(star)):
                        self._demand(source, name)
                for name in demanded - self.names[id(scope.expression)] - _excepted(star):
                    for source in self._of_star(star, scope):
                        self._demand(source, original.get(name, name))
        for inner in (*scope.set_operation_scopes, *scope.table_scopes):
            if isinstance(scope.expression, exp.SetOperation | exp.Subquery):
                for name in demanded:
                    self._demand(inner, name)

    def _demand(self, source: exp.Expr | Scope, name: str) -> None:
        if not self._may_have(source, name):
            return
        if isinstance(source, Scope):
            self.of_scopes[id(source.expression)].add(name)
        elif name not in self.columns[source.name]:
            self.demands[source.name].add(name)

    def _demand_column(self, column: exp.Column, scope: Scope) -> None:
        first = column.parts[0].name
        for level in _levels(scope):
            if len(column.parts) > 1 and first in (sources := _sources(level)):
                self._demand(sources[first], column.parts[1].name)
                return
        may_be: list[exp.Column] = []
        for level in _levels(scope):
            sources = _sources(level)
            if first in sources and len(column.parts) == 1:
                return  # a whole row
            hidden = _hidden(level)
            known = [alias for alias, source in sources.items() if first in self._known(source) and alias not in hidden]
            if known:
                may_be += [exp.column(column.parts[0].copy(), table=alias, quoted=True) for alias in known[:1]]
                break
            for alias, source in sources.items():
                self._demand(source, first)
                if self._may_have(source, first) or (alias in hidden and first in self._known(source)):
                    may_be.append(exp.column(column.parts[0].copy(), table=alias, quoted=True))
        self._mark_unsure(column, may_be, scope.expression)

    def _demand_shared(self, join: exp.Join, scope: Scope) -> None:
        """`using (x)`: both sides have `x`."""
        sources = _sources(scope)
        if join.method.upper() == "NATURAL" and any(self._is_open(source) for source in sources.values()):
            raise UnreadableError("it has a natural join with a table whose columns nobody lists")
        for name in (each.name for each in join.args.get("using") or ()):
            joined = sources.pop(join.alias_or_name, None)
            if joined is not None:
                self._demand(joined, name)
            if not any(name in self._known(source) for source in sources.values()):
                for source in sources.values():
                    self._demand(source, name)

    def _mark_unsure(self, column: exp.Column, may_be: list[exp.Column], select: exp.Expr) -> None:
        """Write `either(a.x, b.x)` for `x` if `x` may be a column of several tables, or of one and an alias."""
        projection = _alias(column, select)
        meanings: list[exp.Expr] = [*may_be]
        if projection is not None and may_be and not column.find_ancestor(exp.Order):
            meanings.append(projection.this.copy())
        if len(meanings) > 1:
            either: exp.Expr = exp.Anonymous(this="either", expressions=meanings)
            is_projection = isinstance(column.parent, exp.Select) and column.arg_key == "expressions"
            column.replace(exp.alias_(either, column.name) if is_projection else either)


def _alias(column: exp.Column, select: exp.Expr) -> exp.Expr | None:
    """The projection that an unqualified column may mean, unless the column is a part of it."""
    if not isinstance(select, exp.Select):
        return None
    for each in select.selects:
        if isinstance(each, exp.Alias) and each.alias == column.parts[0].name:
            return None if column.find_ancestor(exp.Alias) is each else each
    return None


def _levels(scope: Scope) -> Iterator[Scope]:
    level: Scope | None = scope
    while level is not None:
        yield level
        level = level.parent if level.can_be_correlated else None


def _sources(scope: Scope) -> dict[str, exp.Expr | Scope]:
    names = {name for name, _ in scope.references}
    return {
        **scope.lateral_sources,
        **{name: source for name, source in scope.sources.items() if name in names},
    }


def _hidden(scope: Scope) -> set[str]:
    """The tables of semi and anti joins, which only the join's own condition sees."""
    joins = scope.expression.args.get("joins") or ()
    return {join.alias_or_name for join in joins if join.kind in ("SEMI", "ANTI")}


def _star(projection: exp.Expr) -> exp.Expr:
    return projection.this if isinstance(projection, exp.Column) else projection


def _excepted(projection: exp.Expr) -> set[str]:
    return {each.name for each in _star(projection).args.get("except_") or ()}


def _renamed(projection: exp.Expr) -> dict[str, str]:
    return {each.this.name: each.alias for each in _star(projection).args.get("rename") or ()}


def _replaced(projection: exp.Expr) -> set[str]:
    return {each.alias for each in _star(projection).args.get("replace") or ()}
