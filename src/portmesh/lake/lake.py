"""The interface of a lake for a landing, whether it is a folder or tables in Glue and S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import pyarrow as pa

from portmesh.lake.batches import BatchName

_ENGINE_TYPES = {
    "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT",
    "float": "FLOAT", "double": "DOUBLE", "bool": "BOOLEAN",
    "string": "VARCHAR", "large_string": "VARCHAR", "binary": "BLOB",
    "date32[day]": "DATE", "time64[us]": "TIME", "timestamp[us]": "TIMESTAMP", "timestamp[ms]": "TIMESTAMP",
}  # fmt: skip


class Batch(Protocol):
    """An undamaged batch in the lake. `bytes` are those of its data files."""

    @property
    def rows(self) -> int: ...

    @property
    def bytes(self) -> int: ...


@dataclass(frozen=True)
class Damage:
    """A batch that differs from what was recorded when it landed."""

    batch: BatchName
    where: str
    got: str
    allowed: str


class Lake(Protocol):
    """Batches that are each visible in full or not at all."""

    @property
    def location(self) -> str:
        """Where the lake is, for messages."""

    def landing(self) -> AbstractContextManager[None]:
        """Wraps all changes. Raises UsageError if the lake cannot be changed."""

    def where(self, batch: BatchName) -> str:
        """Where a batch is, for messages."""

    def batches(self, feed: str) -> list[BatchName]:
        """Every visible batch of a feed, in order of name, including damaged ones."""

    def land(self, batch: BatchName, rows: pa.Table, landed_at: datetime, keep_bytes: float = 1.0) -> Batch:
        """Make a batch visible in one step. It replaces a batch of the same name.

        `keep_bytes` below 1 keeps only that fraction of the batch's bytes.
        """

    def withdraw(self, batch: BatchName) -> None:
        """Remove a batch, in one step."""

    def feeds(self) -> list[str]:
        """The feeds in the lake, in order of name."""

    def inspect_feed(self, feed: str) -> Iterator[tuple[BatchName, Batch | Damage]]:
        """Every visible batch of a feed, or what is wrong with it."""

    def inspect_all(self) -> Iterator[tuple[BatchName, Batch | Damage]]:
        """Every visible batch of every feed in the lake, or what is wrong with it."""


def stamp(rows: pa.Table, batch: BatchName, landed_at: datetime) -> pa.Table:
    """The rows with two more columns, which every landed row has: its batch, and when it landed (UTC)."""
    time = landed_at.astimezone(UTC).replace(tzinfo=None)
    rows = rows.append_column("_batch_id", pa.repeat(pa.scalar(batch.batch_id), rows.num_rows))
    return rows.append_column("_landed_at", pa.repeat(pa.scalar(time, pa.timestamp("us")), rows.num_rows))


def describe_columns(schema: pa.Schema) -> dict[str, str]:
    """Column names with the types as which DuckDB reads them."""
    return {field.name: _engine_type(str(field.type)) for field in schema}


def column_differences(these: Mapping[str, str], others: Mapping[str, str]) -> str:
    """The columns that differ from those of `others`, as text: `sales_value VARCHAR, week missing`."""
    differing = sorted(name for name in {**these, **others} if these.get(name) != others.get(name))
    return ", ".join(f"{name} {these.get(name, 'missing')}" for name in differing)


def _engine_type(arrow_type: str) -> str:
    if arrow_type.startswith("decimal"):
        return f"DECIMAL({arrow_type.partition('(')[2].replace(' ', '')}"
    return _ENGINE_TYPES.get(arrow_type, arrow_type.upper())
