"""The lineage of a qualified query: what its columns are computed from, and what decides which rows there are.

It follows sqlglot's scopes. Where a name cannot be followed, all columns that it might mean are taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope, walk_in_scope

from portmesh.lineage.inlining import Inliner
from portmesh.lineage.lineage import EVERY, Column, ColumnLineage, Influence
from portmesh.lineage.refused import output_names, unnests
from portmesh.lineage.sql_of_node import UnreadableError
from portmesh.lineage.tables import Tables
from portmesh.lineage.unlisted import REST

Inputs = frozenset[Column]
NONE: Inputs = frozenset()
NOT_ROWS = {
    "kind",
    "hint",
    "expressions",
    "into",
    "with_",
    "from_",
    "laterals",
    "windows",
    "operation_modifiers",
    "locks",
    "settings",
    "format",
    "options",
    "exclude",
}
"""Parts of a select that do not decide which rows there are, or that are read elsewhere."""


@dataclass(frozen=True)
class QueryLineage:
    """What `columns_of` finds: the columns in order, the influences, and the ids of what is read."""

    columns: Mapping[str, ColumnLineage]
    influences: tuple[Influence, ...]
    reads: tuple[str, ...]


def columns_of(query: exp.Query, tables: Tables, dialect: str) -> QueryLineage:
    """The lineage of a query that `qualified` has made. Expressions are written in SQL of the dialect.

    Raises UnreadableError if it has something that cannot be followed.
    """
    return _Reader(query, tables, dialect).read()


class _Reader:
    def __init__(self, query: exp.Query, tables: Tables, dialect: str) -> None:
        self.tables = tables
        self.dialect = dialect
        self.scopes = traverse_scope(query)
        self.root = self.scopes[-1]
        self.by_expression = {id(scope.expression): scope for scope in self.scopes}
        self.recursive = {
            cte.alias
            for with_ in query.find_all(exp.With)
            if with_.recursive
            for cte in with_.expressions
            if any(table.name == cte.alias for table in cte.this.find_all(exp.Table))
        }
        self.outputs_of: dict[int, dict[str, Inputs]] = {}
        self.rows_of: dict[int, tuple[Influence, ...]] = {}
        self.inliner = Inliner(self)
        self.query = query

    def read(self) -> QueryLineage:
        outputs = self.outputs(self.root)
        if REST in outputs and not self.passes_on(self.root):
            raise UnreadableError("it changes the columns of `select *` from a table whose columns nobody lists")
        columns = {}
        for name, inputs in outputs.items():
            expression, type_ = self.inliner.output(self.root, name)
            columns[EVERY if name == REST else name] = ColumnLineage(tuple(sorted(inputs)), expression, type_)
        read = {self.id_of(t.name) for s in self.scopes for t in s.tables if self.is_relation(t, s)}
        return QueryLineage(columns, self.rows(self.root), tuple(sorted(read)))

    def passes_on(self, scope: Scope) -> bool:
        """Whether a column that is not listed keeps its name and its value on its way through a scope."""
        scope = self.by_expression.get(id(scope.expression), scope)
        expression = scope.expression
        if self._is_recursive(scope):
            return False
        if isinstance(expression, exp.SetOperation):
            return bool(expression.args.get("by_name")) and all(
                self.passes_on(arm) for arm in scope.set_operation_scopes if REST in self.outputs(arm)
            )
        if isinstance(expression, exp.Subquery):
            return all(self.passes_on(inner) for inner in scope.table_scopes)
        if not isinstance(expression, exp.Select):
            return False
        rest = [each.unalias() for each in expression.selects if each.alias_or_name == REST]
        return all(isinstance(each, exp.Column) and self._is_passed_on(each, scope) for each in rest)

    def _is_passed_on(self, column: exp.Column, scope: Scope) -> bool:
        place, source = self.sources(scope).get(column.table, (None, None))
        if place is None or place.args.get("pivots"):
            return False
        if isinstance(source, Scope):
            return self.passes_on(source)
        return isinstance(source, exp.Table) and not source.alias_column_names

    # Names.

    def id_of(self, name: str) -> str:
        return self.tables.id_of(name)

    def is_relation(self, table: exp.Table, scope: Scope) -> bool:
        return isinstance(table.this, exp.Identifier) and table.name not in scope.cte_sources

    def sources(self, scope: Scope) -> dict[str, tuple[exp.Expr, exp.Expr | Scope]]:
        """What a scope reads, by alias: the place in the query, and the table or scope that it means."""
        found: dict[str, tuple[exp.Expr, exp.Expr | Scope]] = {
            name: (source.expression if isinstance(source, Scope) else source, source)
            for name, source in scope.lateral_sources.items()
        }
        for name, place in scope.references:
            if name in scope.sources:
                found[name] = (place, scope.sources[name])
        return found

    def table_columns(self, table: exp.Table) -> Inputs:
        """All columns of a table."""
        if not isinstance(table.this, exp.Identifier):
            return NONE
        id_ = self.id_of(table.name)
        listed = {Column(id_, name) for name in self.tables.columns.get(id_, ())}
        return frozenset(listed if self.tables.lists_all(id_) else {*listed, Column(id_, EVERY)})

    def everything(self, source: exp.Expr | Scope) -> Inputs:
        """All that a source gives."""
        if isinstance(source, Scope):
            return frozenset().union(*self.outputs(source).values())
        if isinstance(source, exp.Table):
            return self.table_columns(source)
        return NONE

    def of_column(self, column: exp.Column, scope: Scope) -> Inputs:
        """What a column in a scope is computed from."""
        level: Scope | None = scope
        while level is not None:
            sources = self.sources(level)
            if column.table in sources:
                return self.of_source(*sources[column.table], column.name, level)
            if not column.table and column.name in sources:
                return self.everything(sources[column.name][1])
            level = level.parent
        outputs = self.outputs(scope) if not column.table and self._may_be_output(column, scope) else {}
        if column.name in outputs:
            # In an expression, DuckDB means a column of a table before an alias of the select.
            of_tables = NONE if isinstance(column.parent, exp.Ordered) else self._of_like_columns(column.name, scope)
            return outputs[column.name] | of_tables
        return self._may_mean(column, scope)

    def _of_like_columns(self, name: str, scope: Scope) -> Inputs:
        read = self.sources(scope).values()
        return NONE.union(*(self.of_source(*each, name, scope) for each in read if name in self._names(each[1])))

    def of_source(self, place: exp.Expr, source: exp.Expr | Scope, name: str, scope: Scope) -> Inputs:
        if place.args.get("pivots"):
            pivoted = scope.cte_sources.get(source.name, source) if isinstance(source, exp.Table) else source
            return self.everything(pivoted)
        if isinstance(source, Scope):
            outputs = self.outputs(source)
            return outputs[name] if name in outputs else self.everything(source)
        if isinstance(source, exp.Table):
            if not isinstance(source.this, exp.Identifier):
                return self.of_expression(source.this, scope)
            if source.alias_column_names:
                return self.table_columns(source)
            return frozenset({Column(self.id_of(source.name), EVERY if name == REST else name)})
        return self.of_expression(source, scope)

    def _may_be_output(self, column: exp.Column, scope: Scope) -> bool:
        around = column.find_ancestor(exp.Order, exp.Distinct, exp.Group, exp.Having, exp.Qualify)
        return around is not None and around.parent is scope.expression

    def _may_mean(self, column: exp.Column, scope: Scope) -> Inputs:
        """A name that sqlglot could not resolve: the sources that have such a column, else all there is."""
        name = column.parts[0].name
        found, every = NONE, NONE
        level: Scope | None = scope
        while level is not None:
            for place, source in self.sources(level).values():
                names = self._names(source)
                every |= self.everything(source)
                if name in names:
                    found |= self.of_source(place, source, name, level)
            level = level.parent if level.can_be_correlated else None
        if not every and not found:
            raise UnreadableError(f"`{column.sql()}` is no column of what it reads")
        return found or every

    def _names(self, source: exp.Expr | Scope) -> Iterable[str]:
        if isinstance(source, Scope):
            return self.outputs(source)
        return self.tables.columns.get(self.id_of(source.name), ()) if isinstance(source, exp.Table) else ()

    # Values.

    def of_expression(self, expression: exp.Expr, scope: Scope) -> Inputs:
        """All that an expression in a scope is computed from, with the subqueries in it."""
        found: set[Column] = set()
        for node in walk_in_scope(expression):
            if isinstance(node, exp.Column):
                if not node.is_star:
                    found |= self.of_column(node, scope)
                elif not isinstance(node.parent, exp.Count):
                    found |= self._of_all_sources(scope, node.table)
            elif isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count | exp.Column):
                found |= self._of_all_sources(scope, "")
            elif isinstance(node, exp.TableColumn):
                found |= self._of_all_sources(scope, node.name)
            elif isinstance(node, exp.Window) and scope.expression.args.get("windows"):
                for named in scope.expression.args["windows"]:
                    if named is not node and node not in scope.expression.args["windows"]:
                        found |= self.of_expression(named, scope)
            elif isinstance(node, exp.Query) and _is_subquery(node):
                found |= self._of_subquery(node)
        return frozenset(found)

    def _of_all_sources(self, scope: Scope, name: str) -> Inputs:
        sources = self.sources(scope)
        chosen = [sources[name]] if name in sources else list(sources.values())
        return frozenset().union(*(self.everything(source) for _, source in chosen))

    def _of_subquery(self, query: exp.Query) -> Inputs:
        scope = self.by_expression.get(id(query.unnest()))
        if scope is None:
            raise UnreadableError(f"it has a subquery that sqlglot does not follow: {query.sql()[:80]}")
        return self.everything(scope).union(*(each.inputs for each in self.rows(scope)))

    def outputs(self, scope: Scope) -> dict[str, Inputs]:
        """The columns that a scope gives, each with what it is computed from."""
        key = id(scope.expression)
        if key not in self.outputs_of:
            self.outputs_of[key] = {}
            self.outputs_of[key] = self._outputs(self.by_expression.get(key, scope))
        return self.outputs_of[key]

    def _outputs(self, scope: Scope) -> dict[str, Inputs]:
        expression = scope.expression
        if self._is_recursive(scope):
            every = self._everything_in(expression)
            return dict.fromkeys(self._output_names(scope), every)
        if isinstance(expression, exp.Select):
            found: dict[str, Inputs] = {}
            for each in expression.selects:
                if each.is_star:
                    raise UnreadableError(f"`{each.sql()}` cannot be expanded")
                for name in output_names(each):
                    found[name] = found.get(name, NONE) | self.of_expression(each, scope)
            return found
        if isinstance(expression, exp.SetOperation):
            return self._outputs_of_arms(scope)
        if isinstance(expression, exp.Subquery):
            inner = [self.outputs(each) for each in scope.table_scopes]
            if len(inner) != 1:
                raise UnreadableError("it has a join in parentheses that sqlglot does not follow")
            return inner[0]
        if isinstance(expression, exp.Lateral) and isinstance(expression.this, exp.Subquery):
            return self._renamed(self.outputs(self._lateral(expression)), expression.alias_column_names)
        if isinstance(expression, exp.UDTF):
            every = self.of_expression(expression, scope)
            names = [*getattr(expression, "named_selects", ()), *expression.alias_column_names, *scope.outer_columns]
            return dict.fromkeys(names or [""], every)
        raise UnreadableError(f"its SQL has {expression.key} where a query is expected")

    def _lateral(self, lateral: exp.Lateral) -> Scope:
        scope = self.by_expression.get(id(lateral.this.unnest()))
        if scope is None:
            raise UnreadableError("it has a lateral query that sqlglot does not follow")
        return scope

    def _renamed(self, outputs: dict[str, Inputs], names: list[str]) -> dict[str, Inputs]:
        """Outputs under the names of `as t(x, y)`."""
        if names and (REST in outputs or len(names) > len(outputs)):
            return dict.fromkeys([*names, *outputs], frozenset().union(*outputs.values()))
        new = [*names, *list(outputs)[len(names) :]]
        return dict(zip(new, outputs.values(), strict=True))

    def _outputs_of_arms(self, scope: Scope) -> dict[str, Inputs]:
        left, right = (self.outputs(each) for each in scope.set_operation_scopes)
        if scope.expression.args.get("by_name"):
            return {name: left.get(name, NONE) | right.get(name, NONE) for name in {**left, **right}}
        are_doubled = any(_has_doubles(arm) for arm in scope.set_operation_scopes)
        if are_doubled or len(left) != len(right) or REST in left or REST in right:
            every = frozenset().union(*left.values(), *right.values())
            return dict.fromkeys({**left, **right}, every)
        return {
            name: of_left | of_right for (name, of_left), of_right in zip(left.items(), right.values(), strict=True)
        }

    def _is_recursive(self, scope: Scope) -> bool:
        cte = scope.expression.parent
        while isinstance(cte, exp.Subquery):
            cte = cte.parent
        return isinstance(cte, exp.CTE) and cte.alias in self.recursive

    def _output_names(self, scope: Scope) -> list[str]:
        cte = scope.expression.find_ancestor(exp.CTE)
        named = scope.expression.named_selects if isinstance(scope.expression, exp.Query) else []
        return [*(cte.alias_column_names if cte else ()), *named]

    def _everything_in(self, expression: exp.Expr) -> Inputs:
        """All columns of all relations that a part of the query reads, directly or through CTEs."""
        found: set[Column] = set()
        seen: set[int] = set()
        waiting: list[exp.Expr] = [expression]
        while waiting:
            for table in waiting.pop().find_all(exp.Table):
                if not isinstance(table.this, exp.Identifier):
                    continue
                ctes = [cte for cte in self.query.find_all(exp.CTE) if cte.alias == table.name]
                if not ctes:
                    found |= self.table_columns(table)
                waiting += [cte.this for cte in ctes if id(cte) not in seen]
                seen |= {id(cte) for cte in ctes}
        return frozenset(found)

    # Rows.

    def rows(self, scope: Scope) -> tuple[Influence, ...]:
        """What decides which rows a scope has, from the innermost scope outwards."""
        key = id(scope.expression)
        if key not in self.rows_of:
            self.rows_of[key] = ()
            scope = self.by_expression.get(key, scope)
            found = [each for part in self._parts(scope) for each in self.rows(part)] + list(self._own_rows(scope))
            self.rows_of[key] = tuple(dict.fromkeys(found))
        return self.rows_of[key]

    def _parts(self, scope: Scope) -> list[Scope]:
        """The scopes whose rows become rows of this scope."""
        if self._is_recursive(scope):
            return []
        lateral = isinstance(scope.expression, exp.Lateral) and isinstance(scope.expression.this, exp.Subquery)
        inner = [source for _, source in self.sources(scope).values() if isinstance(source, Scope)]
        return [
            *([self._lateral(scope.expression)] if lateral else inner),
            *scope.set_operation_scopes,
            *scope.table_scopes,
        ]

    def _own_rows(self, scope: Scope) -> Iterator[Influence]:
        expression = scope.expression
        if self._is_recursive(scope):
            yield Influence("join", "recursion", tuple(sorted(self._everything_in(expression))))
            return
        yield from self._of_wrappers(scope)
        if isinstance(expression, exp.Select):
            yield from self._of_select(expression, scope)
        elif isinstance(expression, exp.SetOperation):
            if expression.args.get("distinct") or not isinstance(expression, exp.Union):
                yield self._influence("distinct", expression.key, self.everything(scope))
            yield from self._of_modifiers(expression, scope)
        elif isinstance(expression, exp.UDTF) and not isinstance(expression, exp.Values):
            yield self._influence("unnest", self.inliner.text(expression, scope), self.of_expression(expression, scope))
        for place, source in self.sources(scope).values():
            if place.args.get("pivots"):
                yield self._influence("group", "pivot", self.of_source(place, source, "", scope))
            if place.args.get("sample"):
                yield self._influence("sample", place.args["sample"].sql(self.dialect), NONE)
            if isinstance(source, exp.Table) and not isinstance(source.this, exp.Identifier):
                text = self.inliner.text(source.this, scope)
                yield self._influence("unnest", text, self.of_expression(source.this, scope))

    def _of_wrappers(self, scope: Scope) -> Iterator[Influence]:
        """`(select …) limit 1`: sqlglot's scope is the query inside."""
        around = scope.expression.parent
        while isinstance(around, exp.Subquery):
            yield from self._of_modifiers(around, scope)
            around = around.parent

    def _of_select(self, select: exp.Select, scope: Scope) -> Iterator[Influence]:
        for join in select.args.get("joins") or ():
            yield self._of_join(join, scope)
        if where := select.args.get("where"):
            for each in where.this.flatten() if isinstance(where.this, exp.And) else (where.this,):
                yield self._written("filter", each, scope)
        group = select.args.get("group")
        if group:
            inputs = self.everything(scope) if group.args.get("all") else self.of_expression(group, scope)
            text = ", ".join(self.inliner.text(each, scope) for each in group.expressions)
            yield self._influence("group", text or "all", inputs)
        elif self._aggregates(select):
            yield self._influence("group", "all rows", NONE)
        for key in ("having", "qualify"):
            if part := select.args.get(key):
                yield self._written("filter", part.this, scope)
        for each in select.selects:
            if any(unnests(node) for node in walk_in_scope(each)):
                yield self._written("unnest", each.unalias(), scope)
        for lateral in select.args.get("laterals") or ():
            yield self._written("unnest", lateral.this, scope)
        yield from self._of_modifiers(select, scope)

    def _aggregates(self, select: exp.Select) -> bool:
        for each in select.selects:
            for node in walk_in_scope(each):
                if isinstance(node, exp.AggFunc) and not isinstance(
                    node.find_ancestor(exp.Window, exp.Select), exp.Window
                ):
                    return True
        return False

    def _of_join(self, join: exp.Join, scope: Scope) -> Influence:
        words = " ".join(word for word in (join.method, join.side, join.kind) if word).lower()
        condition = join.args.get("on")
        inputs = self.of_expression(condition, scope) if condition else NONE
        if join.method.upper() == "NATURAL" or join.args.get("using"):
            inputs = self._of_all_sources(scope, "")
        joined = join.this
        label = self.tables.label(self.id_of(joined.name)) if isinstance(joined, exp.Table) else joined.alias_or_name
        text = f"{words} join {label}".strip()
        return self._influence(
            "join", f"{text} on {self.inliner.text(condition, scope)}" if condition else text, inputs
        )

    def _of_modifiers(self, expression: exp.Expr, scope: Scope) -> Iterator[Influence]:
        """Distinct, order, limits, and whatever else a query has."""
        read = (
            {"joins", "where", "group", "having", "qualify"}
            if isinstance(expression, exp.Select)
            else {"this", "expression", "alias", "side", "on", "by_name", "distinct", "joins", "pivots", "sample"}
        )
        for key, part in expression.args.items():
            if key in read or key in NOT_ROWS or not part:
                continue
            for each in part if isinstance(part, list) else [part]:
                if not isinstance(each, exp.Expr):
                    continue
                if key == "distinct":
                    yield self._of_distinct(each, scope)
                elif key == "order":
                    for ordered in each.expressions:
                        yield self._written("order", ordered, scope)
                    if each.args.get("all") or any(isinstance(o.this, exp.Var) for o in each.expressions):
                        yield self._influence("order", "all", self.everything(scope))
                else:
                    kind = {"offset": "limit", "fetch": "limit", "limit": "limit", "sample": "sample"}.get(key, key)
                    yield self._written(kind, each, scope)

    def _of_distinct(self, distinct: exp.Expr, scope: Scope) -> Influence:
        if on := distinct.args.get("on"):
            return self._written("distinct", on, scope)
        return self._influence("distinct", "distinct", self.everything(scope))

    def _written(self, kind: str, expression: exp.Expr, scope: Scope) -> Influence:
        return self._influence(kind, self.inliner.text(expression, scope), self.of_expression(expression, scope))

    def _influence(self, kind: str, text: str, inputs: Inputs) -> Influence:
        return Influence(kind, text, tuple(sorted(inputs)))


def _has_doubles(scope: Scope) -> bool:
    """Whether two columns have one name; then the columns of a union cannot be told apart by their place."""
    if not isinstance(scope.expression, exp.Select):
        return False
    names = [name for each in scope.expression.selects for name in output_names(each)]
    return len(set(names)) < len(names)


def _is_subquery(query: exp.Query) -> bool:
    """Whether a query is one of its own, and not only parentheses around one."""
    return not isinstance(query, exp.Subquery) or isinstance(query.parent, exp.UDTF)
