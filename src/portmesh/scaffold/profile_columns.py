"""What is known of a column after its rows were counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Slice:
    """A part of the rows. `smallest` and `largest` are None where it has no value."""

    rows: int
    filled: int
    smallest: Any
    largest: Any


@dataclass(frozen=True)
class Value:
    """A value of a column that has few: how many rows have it, in how many slices."""

    value: Any
    rows: int
    slices: int


@dataclass(frozen=True)
class Column:
    """A column's figures. `distinct` is exact if `values` are known or the column is unique, else approximate.

    `kind` is whole, decimal, float, text, date, timestamp, boolean or other. `values` are the values of a column that
    has few, the most frequent first.
    """

    name: str
    type: str
    kind: str
    rows: int
    nulls: int
    distinct: int
    is_exact: bool
    smallest: Any = None
    largest: Any = None
    shortest: int | None = None
    longest: int | None = None
    pattern: str = ""
    blanks: int = 0
    slices: tuple[Slice, ...] = ()
    values: tuple[Value, ...] = ()
    is_unique: bool = False


KINDS = {
    "whole": [
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
    ],
    "float": ["FLOAT", "DOUBLE"],
    "text": ["VARCHAR", "UUID"],
    "date": ["DATE"],
    "timestamp": ["TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"],
    "boolean": ["BOOLEAN"],
}


def kind_of(type_: str) -> str:
    """The kind of a DuckDB type."""
    if type_.startswith("DECIMAL"):
        return "whole" if type_.endswith(",0)") else "decimal"
    return next((kind for kind, types in KINDS.items() if type_ in types), "other")
