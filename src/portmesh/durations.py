"""Time spans as people write and read them."""

from __future__ import annotations

import re
from datetime import timedelta

from portmesh.errors import UsageError

_UNITS = {"min": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str, option: str) -> timedelta:
    """`30min`, `24h` or `7d` as a time span. Raises UsageError, which names the option, for anything else."""
    found = re.fullmatch(r"(\d{1,9})\s*(min|h|d)", text.strip())
    if not found:
        facts = [("got", text or "nothing"), ("allowed", "a whole number with min, h or d: 30min, 24h, 7d")]
        raise UsageError(f"{option} is not a time span.", facts, f"{option} 24h")
    return timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})


def age(seconds: float) -> str:
    """A number of seconds in words: `8 min`, `3 hours`, `2 days`."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("min", 60)):
        number = int(seconds // length)
        if number >= 1:
            return f"{number} {unit}{'s' if number > 1 and unit != 'min' else ''}"
    return "< 1 min"
