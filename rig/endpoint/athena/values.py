"""Values and types as Athena's results spell them."""

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
    """How a column of a type is spelled: maps and rows as {a=1, b=null}, arrays as [1, null], bytes in hex.

    Values come as Trino's protocol has them: rows as lists, varbinary in base64, dates and decimals as text.
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
    """As Java spells it: 1.0, 1.0E7, 1.0E-4; NaN and Infinity come as text already."""
    if isinstance(value, str):
        return value
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(float(value))
    number = Decimal(repr(float(value)))
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{number.adjusted()}"


def type_name(trino_type: str) -> str:
    """A column's type without its parameters: decimal(10,2) is decimal."""
    found = re.match(r"[a-z ]+", re.sub(r"\(.*?\)", "", trino_type))
    return found[0].strip() if found else trino_type
