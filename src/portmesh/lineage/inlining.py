"""Expressions in terms of the columns of direct parents: what CTEs and subqueries compute is put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from portmesh.lineage.lineage import EVERY
from portmesh.lineage.refused import output_names
from portmesh.lineage.tables import Tables
from portmesh.lineage.unlisted import REST

LONGEST = 300
"""The most parts (of sqlglot's tree) of an expression that is put into another one."""
CLOSED = (exp.Column, exp.Func, exp.Literal, exp.Paren, exp.Null, exp.Boolean, exp.Dot, exp.Window, exp.Star)
"""Expressions that mean the same without parentheses around them."""


class Reader(Protocol):
    """What an inliner asks about a query."""

    tables: Tables
    dialect: str

    def id_of(self, name: str) -> str: ...
    def sources(self, scope: Scope) -> Mapping[str, tuple[exp.Expr, exp.Expr | Scope]]: ...
    def outputs(self, scope: Scope) -> Mapping[str, Any]: ...


class Inliner:
    """Writes the expressions of one query."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.memo: dict[tuple[int, str], exp.Expr] = {}

    def output(self, scope: Scope, name: str) -> tuple[str, str]:
        """The expression of a column that a scope gives, and its type; both as SQL."""
        dialect = self.reader.dialect
        type_ = self._type(scope, name)
        return self.of_output(scope, name).sql(dialect), type_

    def text(self, expression: exp.Expr, scope: Scope) -> str:
        """An expression of a scope as SQL."""
        return self.inlined(expression, scope).sql(self.reader.dialect)

    def of_output(self, scope: Scope, name: str) -> exp.Expr:
        key = (id(scope.expression), name)
        if key not in self.memo:
            self.memo[key] = exp.column(name)  # a recursive query reads itself
            self.memo[key] = self._of_output(scope, name)
        return self.memo[key]

    def _of_output(self, scope: Scope, name: str) -> exp.Expr:
        expression = scope.expression
        if isinstance(expression, exp.Select):
            found = next((each for each in expression.selects if name in output_names(each)), None)
            return (
                self.inlined(found.this if isinstance(found, exp.Aliases) else found.unalias(), scope)
                if found
                else exp.column(name)
            )
        if isinstance(expression, exp.SetOperation):
            return self._of_arms(scope, name)
        if isinstance(expression, exp.UDTF):
            return self.inlined(expression.this if isinstance(expression, exp.Lateral) else expression, scope)
        return self.of_output(scope.table_scopes[0], name) if scope.table_scopes else exp.column(name)

    def _of_arms(self, scope: Scope, name: str) -> exp.Expr:
        outputs = [list(self.reader.outputs(arm)) for arm in scope.set_operation_scopes]
        position = outputs[0].index(name) if name in outputs[0] else -1
        found: list[exp.Expr] = []
        for arm, names in zip(scope.set_operation_scopes, outputs, strict=True):
            own = name if scope.expression.args.get("by_name") else names[position] if position < len(names) else name
            if own in names:
                each = self.of_output(arm, own)
                is_union = isinstance(each, exp.Anonymous) and each.this == "one_of"
                found += each.expressions if is_union else [each]
        different = list(dict.fromkeys(found))
        return different[0] if len(different) == 1 else exp.Anonymous(this="one_of", expressions=different)

    def _type(self, scope: Scope, name: str) -> str:
        expression = scope.expression
        if not isinstance(expression, exp.Query):
            return ""
        found = next((each for each in expression.selects if each.alias_or_name == name), None)
        type_ = found.type if found is not None else None
        if type_ is None or type_.is_type(exp.DType.UNKNOWN, exp.DType.NULL):
            return ""
        return str(type_.sql(self.reader.dialect)).lower()

    def inlined(self, expression: exp.Expr, scope: Scope) -> exp.Expr:
        """A copy of an expression with the columns of CTEs replaced by what they are."""

        def replace(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Column) or node.find_ancestor(exp.Query):
                return node
            found = self._meaning(node, scope)
            if found is None:
                return node
            return found if isinstance(found, CLOSED) or node.parent is None else exp.paren(found, copy=False)

        # An alias around a copy keeps the parents outside of the copy out of sight.
        return expression.copy().transform(replace, copy=False)

    def _meaning(self, column: exp.Column, scope: Scope) -> exp.Expr | None:
        level: Scope | None = scope
        while level is not None:
            if column.table in (sources := self.reader.sources(level)):
                place, source = sources[column.table]
                if place.args.get("pivots"):
                    return None
                if isinstance(source, exp.Table):
                    return self._of_table(source, column.name)
                if isinstance(source, Scope):
                    found = self.of_output(source, column.name)
                    is_short = sum(1 for _ in found.walk()) <= LONGEST
                    return found.copy() if is_short else None
            level = level.parent
        return None

    def _of_table(self, table: exp.Table, name: str) -> exp.Expr | None:
        if not isinstance(table.this, exp.Identifier):
            return None
        parts = self.reader.tables.label(self.reader.id_of(table.name)).split(".")
        column = exp.Star() if name in (REST, EVERY) else exp.to_identifier(name)
        return exp.Column(
            this=column,
            **dict(zip(("table", "db", "catalog"), (exp.to_identifier(p) for p in reversed(parts)), strict=False)),
        )
