"""How a changed promise moves: what the port's rows may contain afterwards, compared with before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.simplify import simplify

from portmesh.keys import PERIODS
from portmesh.lineage.alike import told_apart

LOOSER, TIGHTER, UNKNOWN = "looser", "tighter", "unknown"
LEVEL = {LOOSER: "major", TIGHTER: "minor", UNKNOWN: "undetermined"}
"""A looser promise breaks readers: rows come that could not come before. A tighter one gives them more to rely on."""


def worst(moves: Iterable[str]) -> str:
    """The move of several that happen together; empty if there is none."""
    found = set(moves)
    return next((move for move in (LOOSER, UNKNOWN, TIGHTER) if move in found), "")


def of_most(before: Any, after: Any) -> str:
    """The move of an upper bound; None is no bound."""
    return _of_bound(before, after, greater=LOOSER, smaller=TIGHTER)


def of_least(before: Any, after: Any) -> str:
    """The move of a lower bound; None is no bound."""
    return _of_bound(before, after, greater=TIGHTER, smaller=LOOSER)


def _of_bound(before: Any, after: Any, greater: str, smaller: str) -> str:
    if before == after:
        return ""
    if before is None or after is None:
        return TIGHTER if before is None else LOOSER
    old, new = value_of(before), value_of(after)
    if old is None or new is None or isinstance(old, date) != isinstance(new, date):
        return UNKNOWN
    if old == new:
        return ""
    return greater if new > old else smaller  # type: ignore[operator]


def value_of(value: Any) -> Decimal | date | None:
    """A bound as a number or a date; None for any other SQL."""
    if isinstance(value, date):
        return value
    tree = parse(str(value))
    if isinstance(tree, exp.Cast) and tree.is_type("date"):
        tree = tree.this
    is_negative = isinstance(tree, exp.Neg)
    literal = tree.this if isinstance(tree, exp.Neg) else tree
    if isinstance(literal, exp.Literal) and not literal.is_string:
        return -Decimal(literal.name) if is_negative else Decimal(literal.name)
    text = literal.name if isinstance(literal, exp.Literal) else str(value)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def seconds(count: Any, period: Any) -> float | None:
    """The length of `{count, period}`; None if there is none, or if it is none of ours."""
    number = value_of(count) if period in PERIODS and count is not None else None
    return timedelta(**{f"{period}s": float(number)}).total_seconds() if isinstance(number, Decimal) else None


def of_condition(before: str, after: str) -> str:
    """The move of a condition that every row must meet; empty text is no condition.

    It is tighter with more parts joined by `and`, and looser with fewer. Another condition is not compared.
    """
    old, new = conjuncts(before), conjuncts(after)
    if old is None or new is None:
        return UNKNOWN if before.strip() != after.strip() else ""
    if told_apart(before, after, "duckdb"):
        return UNKNOWN
    if old == new:
        return ""
    return TIGHTER if old < new else LOOSER if new < old else UNKNOWN


def conjuncts(condition: str) -> set[str] | None:
    """The parts of a condition that are joined by `and`, as canonical SQL; None if it cannot be read."""
    if not condition.strip():
        return set()
    tree = parse(condition)
    if tree is None:
        return None
    tree = simplify(tree)
    parts = tree.flatten() if isinstance(tree, exp.And) else [tree]
    return {part.unnest().sql("duckdb", normalize=True, comments=False) for part in parts}


def parse(text: str) -> exp.Expr | None:
    """An expression of SQL; None if it is not one that can be read without knowing the engine."""
    try:
        return sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError:
        return None
