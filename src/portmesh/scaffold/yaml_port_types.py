"""Types of columns and expressions: what can be compared, added and cast so that every engine gives the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

WHOLE = ("tinyint", "smallint", "int", "bigint")
CONTRACT_TYPES = ("string", "boolean", *WHOLE, "double", "decimal(p,s)", "date", "timestamp")
DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")

TEXT, NUMBER, BOOLEAN, DATE, TIMESTAMP = "text", "number", "true or false", "date", "timestamp"
WHOLE_NUMBER, DECIMAL_NUMBER = "whole number", "decimal number"
"""Types of results whose size is not known."""

IMPOSSIBLE = {
    (BOOLEAN, DATE), (BOOLEAN, TIMESTAMP), (NUMBER, DATE), (NUMBER, TIMESTAMP), (NUMBER, BOOLEAN), (DATE, NUMBER),
    (DATE, BOOLEAN), (TIMESTAMP, NUMBER), (TIMESTAMP, BOOLEAN), (TEXT, BOOLEAN),
}  # fmt: skip
"""Casts from one family to another that at least one engine refuses, or that engines do differently."""


def contract_type(text: object) -> str:
    """A type of a contract as we compare it: `Decimal(12, 2)` is `decimal(12,2)`. Empty if there is no such type."""
    found = re.sub(r"\s", "", str(text)).lower()
    found = {"integer": "int", "varchar": "string", "text": "string"}.get(found, found)
    return found if found in CONTRACT_TYPES[:-3] or found in ("date", "timestamp") or DECIMAL.fullmatch(found) else ""


def family(kind: str) -> str:
    """What sort of value a type holds; empty if the type is not known."""
    if kind in ("", TEXT, BOOLEAN):
        return kind
    if kind in ("string", "boolean"):
        return {"string": TEXT, "boolean": BOOLEAN}[kind]
    return kind if kind in (DATE, TIMESTAMP) else NUMBER


def is_whole(kind: str) -> bool:
    return kind in (*WHOLE, WHOLE_NUMBER)


def is_sized(kind: str) -> bool:
    """Whether a type is one of the contract's, so that a value of it needs no cast to it."""
    return bool(contract_type(kind))


def sql_type(kind: str) -> str:
    """A type of a contract in the SQL of a model."""
    if kind in ("string", "timestamp"):
        return f"{{{{ dbt.type_{kind}() }}}}"
    return kind.replace(",", ", ")


def of_arithmetic(kinds: Sequence[str]) -> str:
    """The type of a sum, difference or product."""
    if "" in kinds:
        return ""
    if "double" in kinds:
        return "double"
    return WHOLE_NUMBER if all(is_whole(kind) for kind in kinds) else DECIMAL_NUMBER


def common(kinds: Sequence[str]) -> str | None:
    """The type of a value that is one of several; None if they do not fit together, empty if it is not known."""
    known = [kind for kind in kinds if kind]
    families = {family(kind) for kind in known}
    if len(families) > 1:
        return TIMESTAMP if families == {DATE, TIMESTAMP} else None
    if len(known) < len(kinds) or not known:
        return ""
    if len(set(known)) == 1:
        return known[0]
    return of_arithmetic(known) if families == {NUMBER} else next(iter(families))


def why_not_cast(kind: str, wanted: str) -> str:
    """Why a value of a type cannot become one of a contract's type in the same way everywhere. Empty if it can."""
    have, want = family(kind), family(wanted)
    if (have, want) in IMPOSSIBLE:
        return (
            f"A {have} cannot be cast to {wanted}." if have != BOOLEAN else f"True or false cannot be cast to {wanted}."
        )
    if want == TEXT and (kind == "double" or have == TIMESTAMP):
        return f"Engines write a {kind} as text in different ways."
    if wanted in WHOLE and have == NUMBER and not is_whole(kind):
        return f"Engines round a {kind.replace(' number', '')} to {wanted} in different ways: write round() or floor()."
    return ""
