"""What reading a file gives: rows as the contract has them, and rows that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from portmesh.lake.contract import LandedTable
from portmesh.lake.conversion import Converted, convert

LONGEST_TEXT = 10_000
"""Characters of a rejected row's text that are kept."""


@dataclass(frozen=True)
class Rejected:
    """A row that cannot be read: its file and line (from 1; in Parquet its row), why, and its text."""

    file: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Part:
    """Some rows of a file, in its order, with exactly the contract's columns; and those of them that cannot be read."""

    rows: pa.Table
    rejected: Sequence[Rejected] = ()


@dataclass(frozen=True)
class Texts:
    """Rows before their conversion: a column of texts for each of the contract's, none if the file lacks it."""

    columns: Sequence[pa.Array | None]
    count: int


@dataclass(frozen=True)
class Checked:
    """Converted rows without the bad ones, and what is wrong with each bad one by its number."""

    rows: pa.Table
    wrong: dict[int, str]


def check(texts: Texts, table: LandedTable, nothing_is_bad: bool) -> Checked:
    """The rows in the contract's types. With `nothing_is_bad`, a row without any value is one that cannot be read."""
    wrong: dict[int, str] = {}
    columns = []
    for column, values in zip(table.columns, texts.columns, strict=True):
        if values is None:
            columns.append(pa.nulls(texts.count, column.type))
            continue
        converted = convert(values, column, table.contract)
        note(wrong, converted)
        columns.append(converted.values)
    if nothing_is_bad and len(columns) > 1:
        for row in _rows_without_values(columns):
            wrong.setdefault(row, "no value in any column")
    return drop_wrong(pa.table(columns, schema=table.schema), wrong, table)


def note(wrong: dict[int, str], converted: Converted) -> None:
    """Add what is wrong with the values of one more column."""
    for row, reason in converted.wrong.items():
        wrong[row] = f"{wrong[row]}; {reason}" if row in wrong else reason


def drop_wrong(rows: pa.Table, wrong: dict[int, str], table: LandedTable) -> Checked:
    """The rows without those that are wrong, or lack a value in the key."""
    for name in table.contract.key:
        for row in pc.indices_nonzero(pc.is_null(rows[name])).to_pylist():
            wrong.setdefault(row, f"{name}: no value, and it belongs to the key")
    if wrong:
        keep = np.ones(rows.num_rows, dtype=bool)
        keep[list(wrong)] = False
        rows = rows.filter(pa.array(keep))
    return Checked(rows, wrong)


def _rows_without_values(columns: Sequence[pa.Array]) -> list[int]:
    """Rows in which every column is null."""
    empty = None
    for values in columns:
        if not values.null_count:
            return []
        empty = pc.is_null(values) if empty is None else pc.and_(empty, pc.is_null(values))
    return list(pc.indices_nonzero(empty).to_pylist())
