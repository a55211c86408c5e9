"""Describes in words how many failures a check allows."""

from __future__ import annotations

import re

from portmesh.checks import Check


def failures_allowed(check: Check) -> str:
    """`none`, or `17, up to 50 with a warning`; or the expression itself if it is not a simple limit."""
    warns, refuses = _limit(check.warn_if), _limit(check.error_if)
    if check.severity == "warn":
        if not check.unit:
            return "may fail, with a warning"
        by_expression = f"`{check.warn_if}` warns" if warns is None else ""
        by_number = f"{warns:,}, more with a warning" if warns else "any number, with a warning"
        return by_expression or by_number
    if refuses is None:
        return f"unless `{check.error_if}`"
    if warns is None or warns >= refuses:
        return f"{refuses:,}" if refuses else "none"
    return f"{warns:,}, up to {refuses:,} with a warning" if warns else f"{refuses:,}, with a warning"


def _limit(expression: str) -> int | None:
    """`!= 0` and `> 0` allow 0, `> 17` allows 17. None for an expression that is not a simple limit."""
    found = re.fullmatch(r"\s*(?:!=|<>|>)\s*(\d+)\s*", expression)
    return int(found.group(1)) if found else None
