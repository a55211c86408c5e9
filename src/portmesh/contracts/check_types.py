"""Whether a check of a column can run on another type than the one that it was written for."""

from __future__ import annotations

from datetime import date
from typing import Any

from portmesh.checks import Check

NUMBERS = ("tinyint", "smallint", "int", "bigint", "double", "decimal")
TIMES = ("date", "timestamp")


def can_run(check: Check, data_type: str) -> bool:
    """False if the engines would refuse to compare a column of this type with the check's arguments."""
    kind = data_type.partition("(")[0]
    if check.kind == "matches_pattern":
        return kind == "string"
    if check.kind == "accepted_range":
        bounds = [check.arguments.get(name) for name in ("min_value", "max_value")]
        return all(_can_compare(bound, kind) for bound in bounds if bound is not None)
    if check.kind == "accepted_values":
        is_quoted = check.arguments.get("quote", True)
        values = check.arguments.get("values")
        if not isinstance(values, list):
            return True
        return all(_is_number(each) for each in values) if kind in NUMBERS else is_quoted or kind != "string"
    return True


def _can_compare(bound: Any, kind: str) -> bool:
    """Any text but a date may be SQL for a value, which only the engine understands."""
    if isinstance(bound, int | float):
        return kind in NUMBERS
    return not _is_date(bound) or kind in TIMES


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)


def _is_date(value: Any) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True
