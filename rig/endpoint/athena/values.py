"""Formats values and types as in Athena's results."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlglot import exp

Spell = Callable[[Any], str]


@lru_cache
def speller(trino_type: str) -> Spell:
    """A formatter for a column type: maps and rows become {a=1, b=null}, arrays [1, null], and bytes hex.

    Values are those of Trino's protocol: rows as lists, varbinary in base64, dates and decimals as text.
    """
    return _speller(exp.DataType.build(trino_type, dialect="trino"))


def _speller(kind: Any) -> Spell:
    if isinstance(kind, exp.ColumnDef):
        kind = kind.args["kind"]
    inner = [_speller(part) for part in kind.expressions] if kind.args.get("nested") else []
    if kind.is_type("struct"):
        names = [part.name for part in kind.expressions]
        return lambda row: _braces(zip(names, map(_or_null, inner, row), strict=True))
    if kind.is_type("map"):
        key, value = inner
        return lambda pairs: _braces((key(name), _or_null(value, item)) for name, item in pairs.items())
    if kind.is_type("array"):
        return lambda items: "[" + ", ".join(_or_null(inner[0], item) for item in items) + "]"
    if kind.is_type("varbinary"):
        return lambda text: base64.b64decode(text).hex(" ")
    if kind.is_type("boolean"):
        return lambda value: str(value).lower()
    if kind.is_type("double", "float"):
        return _double
    return str


def _or_null(spell: Spell, value: Any) -> str:
    return "null" if value is None else spell(value)


def _braces(pairs: Any) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in pairs) + "}"


def _double(value: float | str) -> str:
    """A number as Java formats it: 1.0, 1.0E7, 1.0E-4. NaN and Infinity already arrive as text."""
    if isinstance(value, str):
        return value
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(float(value))
    number = Decimal(repr(float(value)))
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{number.adjusted()}"


def type_name(trino_type: str) -> str:
    """A type without its parameters: decimal for decimal(10,2)."""
    found = re.match(r"[a-z ]+", re.sub(r"\(.*?\)", "", trino_type))
    return found[0].strip() if found else trino_type
