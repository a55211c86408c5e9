"""Values and types as Athena's results spell them."""

from __future__ import annotations

import re
from typing import Any


def cell(value: Any) -> str:
    """A value in a result: maps and rows as {a=1, b=null}, arrays as [1, null], bytes in hex."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={cell(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        names = getattr(value, "__annotations__", {}).get("names") or getattr(value, "_names", None)
        if names:
            return "{" + ", ".join(f"{name}={cell(item)}" for name, item in zip(names, value, strict=True)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(cell(item) for item in value) + "]"
    return str(value)


def type_name(trino_type: str) -> str:
    """A column's type without its parameters: decimal(10,2) is decimal."""
    found = re.match(r"[a-z ]+", re.sub(r"\(.*?\)", "", trino_type))
    return found[0].strip() if found else trino_type
