"""Expressions in terms of the columns of direct parents: what CTEs and subqueries compute is put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from portmesh.lineage.lineage import EVERY
from portmesh.lineage.refused import output_names
from portmesh.lineage.tables import Tables
from portmesh.lineage.unlisted import REST

LONGEST = 2000
"""The most characters of an expression that is put into another one; a longer one stays under its name."""
CLOSED = (exp.Column, exp.Func, exp.Literal, exp.Paren, exp.Null, exp.Boolean, exp.Dot, exp.Window, exp.Star)
"""Expressions that mean the same without parentheses around them."""


@dataclass(frozen=True)
class Written:
    """An expression as SQL. `is_closed` is whether it can stand in another one without parentheses.

    `arms` are the different expressions of the arms of a union.
    """

    text: str
    is_closed: bool
    arms: tuple[Written, ...] = ()


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
        self.memo: dict[tuple[int, str], Written] = {}

    def output(self, scope: Scope, name: str) -> tuple[str, str]:
        """The expression of a column that a scope gives, and its type; both as SQL."""
        return self.of_output(scope, name).text, self._type(scope, name)

    def text(self, expression: exp.Expr, scope: Scope) -> str:
        """An expression of a scope as SQL."""
        return self.written(expression, scope).text

    def of_output(self, scope: Scope, name: str) -> Written:
        key = (id(scope.expression), name)
        if key not in self.memo:
            self.memo[key] = Written(name, True)  # a recursive query reads itself
            self.memo[key] = self._of_output(scope, name)
        return self.memo[key]

    def _of_output(self, scope: Scope, name: str) -> Written:
        expression = scope.expression
        if isinstance(expression, exp.Select):
            found = next((each for each in expression.selects if name in output_names(each)), None)
            if found is None:
                return Written(name, True)
            return self.written(found.this if isinstance(found, exp.Aliases) else found.unalias(), scope)
        if isinstance(expression, exp.SetOperation):
            return self._of_arms(scope, name)
        if isinstance(expression, exp.UDTF):
            return self.written(expression.this if isinstance(expression, exp.Lateral) else expression, scope)
        return self.of_output(scope.table_scopes[0], name) if scope.table_scopes else Written(name, True)

    def _of_arms(self, scope: Scope, name: str) -> Written:
        outputs = [list(self.reader.outputs(arm)) for arm in scope.set_operation_scopes]
        position = outputs[0].index(name) if name in outputs[0] else -1
        found: list[Written] = []
        for arm, names in zip(scope.set_operation_scopes, outputs, strict=True):
            own = name if scope.expression.args.get("by_name") else names[position] if position < len(names) else name
            if own in names:
                each = self.of_output(arm, own)
                found += each.arms or (each,)
        different = tuple({each.text: each for each in found}.values())
        if len(different) == 1:
            return different[0]
        return Written(f"ONE_OF({', '.join(each.text for each in different)})", True, different)

    def _type(self, scope: Scope, name: str) -> str:
        expression = scope.expression
        if not isinstance(expression, exp.Query):
            return ""
        found = next((each for each in expression.selects if each.alias_or_name == name), None)
        type_ = found.type if found is not None else None
        if type_ is None or type_.is_type(exp.DType.UNKNOWN, exp.DType.NULL):
            return ""
        return str(type_.sql(self.reader.dialect)).lower()

    def written(self, expression: exp.Expr, scope: Scope) -> Written:
        """An expression of a scope, with the columns of CTEs replaced by what they are."""

        def replace(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Column) or node.find_ancestor(exp.Query):
                return node
            found = self._meaning(node, scope)
            if found is None or len(found.text) > LONGEST:
                return node
            around = node.parent
            stands_alone = around is None or (isinstance(around, exp.Func) and not isinstance(around, exp.Connector))
            return exp.Var(this=found.text if found.is_closed or stands_alone else f"({found.text})")

        if isinstance(expression, exp.Column) and (found := self._meaning(expression, scope)):
            return found if len(found.text) <= LONGEST else Written(expression.sql(self.reader.dialect), True)
        copied = expression.copy().transform(replace, copy=False)
        return Written(
            copied.sql(self.reader.dialect, comments=False),
            isinstance(copied, CLOSED) and not isinstance(copied, exp.Connector),
        )

    def _meaning(self, column: exp.Column, scope: Scope) -> Written | None:
        level: Scope | None = scope
        while level is not None:
            if column.table in (sources := self.reader.sources(level)):
                place, source = sources[column.table]
                if place.args.get("pivots"):
                    return None
                if isinstance(source, Scope):
                    return self.of_output(source, column.name)
                return self._of_table(source, column.name) if isinstance(source, exp.Table) else None
            level = level.parent
        return None

    def _of_table(self, table: exp.Table, name: str) -> Written | None:
        if not isinstance(table.this, exp.Identifier):
            return None
        label = self.reader.tables.label(self.reader.id_of(table.name))
        if name in (REST, EVERY):
            return Written(f"{label}.*", True)
        return Written(f"{label}.{exp.to_identifier(name).sql(self.reader.dialect)}", True)
