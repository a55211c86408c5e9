"""Cron expressions of five fields, as Airflow reads them."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping

from portmesh.text import count

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIELDS: Mapping[str, tuple[int, int, Mapping[str, int]]] = {
    "minute": (0, 59, {}),
    "hour": (0, 23, {}),
    "day of the month": (1, 31, {}),
    "month": (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    "day of the week": (0, 7, {name: number for number, name in enumerate(_DAYS)}),
}
"""The fields in order: lowest and highest value, and the names that stand for values."""
LEAP_YEAR = 2024


def cron_problem(text: str) -> str:
    """What is wrong with a cron expression, or nothing: `the hour 25 is not between 0 and 23`."""
    given = text.split()
    if len(given) != len(FIELDS):
        return f"it has {count(len(given), 'field')} instead of 5: {', '.join(FIELDS)}"
    for (name, field), value in zip(FIELDS.items(), given, strict=True):
        for part in value.split(","):
            problem = _problem_of(part, name, *field)
            if problem:
                return problem
    return _never(*given[2:])


def _never(days: str, months: str, weekdays: str) -> str:
    """Says that no month has such a day, as in `0 0 31 2 *`. Cron takes a day of the week instead, if there is one."""
    wanted = _values(days, *FIELDS["day of the month"])
    longest = max(monthrange(LEAP_YEAR, month)[1] for month in _values(months, *FIELDS["month"]))
    return f"no month {months} has a day {days}" if weekdays == "*" and min(wanted) > longest else ""


def _values(field: str, low: int, high: int, names: Mapping[str, int]) -> set[int]:
    """The numbers that a field without problems stands for."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        ends = [_number(end, names) for end in span.split("-") if end != "*"]
        last = ends[-1] if len(ends) == 2 or (ends and not step) else high
        found.update(range(ends[0] if ends else low, last + 1, int(step or 1)))
    return found


def _problem_of(part: str, name: str, low: int, high: int, names: Mapping[str, int]) -> str:
    found = re.fullmatch(r"(?:\*|(?P<start>\w+)(?:-(?P<end>\w+))?)(?:/(?P<step>\d+))?", part)
    if not found:
        return f"the {name} {part!r} is not a number, a range such as {low}-{high}, or *"
    values = [found[key] for key in ("start", "end") if found[key] is not None]
    numbers = [_number(value, names) for value in values]
    for value, number in zip(values, numbers, strict=True):
        if not low <= number <= high:
            return f"the {name} {value} is not between {low} and {high}"
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        return f"the {name} {part} ends before it starts"
    return f"the {name} {part} has the step 0" if found["step"] and not int(found["step"]) else ""


def _number(value: str, names: Mapping[str, int]) -> int:
    """What a number or a name stands for; -1 for a name that is not known."""
    return int(value) if value.isdecimal() else names.get(value.lower(), -1)
