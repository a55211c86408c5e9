"""Whether an SQL condition is true for no row whatever, by sqlglot's simplification and comparison of constants."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.simplify import simplify

LOGICAL = (exp.Predicate, exp.Connector, exp.Not)
Constant = str | Decimal


@cache
def is_never_true(condition: str, dialect: str) -> bool:
    """True only if no row can meet the condition. A condition that cannot be parsed can be met."""
    try:
        found = sqlglot.parse_one(f"select 1 where {condition}", dialect=dialect).args.get("where")
        return found is not None and _is_false(found.this)
    except (SqlglotError, RecursionError):
        return False


def is_never_met(query: exp.Query) -> bool:
    """Whether a query returns no row: its where or having is never true, or its limit is 0."""
    if isinstance(query, exp.Subquery):
        return is_never_met(query.this)
    if isinstance(query, exp.Union):
        return is_never_met(query.left) and is_never_met(query.right)
    if not isinstance(query, exp.Select):
        return False
    limit = query.args.get("limit")
    if limit is not None and isinstance(limit.expression, exp.Literal) and limit.expression.name == "0":
        return True
    conditions = [query.args.get("having"), query.args.get("qualify")]
    group = query.args.get("group")
    # Without a group, and for the empty grouping set, an aggregate has a row even if no row is left.
    is_plain_group = group is not None and not group.find(exp.GroupingSets, exp.Rollup, exp.Cube)
    if is_plain_group or (group is None and not query.find(exp.AggFunc)):
        conditions.append(query.args.get("where"))
    return any(each is not None and _is_false(each.this) for each in conditions)


def _is_false(condition: exp.Expr) -> bool:
    # The first pass moves each `not` to the comparison it negates. After that, a comparison that is null helps no more
    # than one that is false, so the second pass may take them all as not null.
    found = simplify(condition.copy())
    for part in found.find_all(*LOGICAL):
        part.meta["nonnull"] = True
    found = simplify(found)
    return _is_constant_false(found) or _contradicts_itself(found)


def _is_constant_false(found: exp.Expr) -> bool:
    return isinstance(found, exp.Null) or (isinstance(found, exp.Boolean) and not found.this)


def _contradicts_itself(found: exp.Expr) -> bool:
    """Whether one value would have to be two constants, in every branch of the condition."""
    found = found.unnest()
    if isinstance(found, exp.Or):
        return all(_contradicts_itself(part) or _is_constant_false(part) for part in found.flatten())
    if not isinstance(found, exp.And):
        return False
    allowed: dict[exp.Expr, set[Constant]] = {}
    for part in found.flatten():
        if _contradicts_itself(part):
            return True
        if (one := _allowed_by(part)) is not None:
            value, constants = one
            allowed[value] = allowed[value] & constants if value in allowed else constants
    return any(not constants for constants in allowed.values())


def _allowed_by(part: exp.Expr) -> tuple[exp.Expr, set[Constant]] | None:
    """The constants that `x = 1` or `x in (1, 2)` allows for a value."""
    part = part.unnest()
    if isinstance(part, exp.EQ):
        sides = (
            (part.this, part.expression) if isinstance(part.expression, exp.Literal) else (part.expression, part.this)
        )
        value, listed = sides[0], [sides[1]]
    elif isinstance(part, exp.In) and part.expressions:
        value, listed = part.this, part.expressions
    else:
        return None
    constants = [_constant(each) for each in listed]
    if isinstance(value, exp.Literal) or any(each is None for each in constants):
        return None
    kinds = {type(each) for each in constants}
    return (value, {each for each in constants if each is not None}) if len(kinds) == 1 else None


def _constant(value: exp.Expr) -> Constant | None:
    if not isinstance(value, exp.Literal):
        return None
    return value.name if value.is_string else Decimal(value.name)


def number_of(value: object, dialect: str) -> Decimal | None:
    """The number that a bound is: 5, "5", "-1 * 128"; none if it is something else."""
    return None if isinstance(value, bool) or value is None else _number_in(str(value), dialect)


@cache
def _number_in(text: str, dialect: str) -> Decimal | None:
    try:
        found = simplify(sqlglot.parse_one(text, dialect=dialect))
        return Decimal(found.sql()) if isinstance(found.unnest(), exp.Literal | exp.Neg) else None
    except (SqlglotError, InvalidOperation):
        return None
