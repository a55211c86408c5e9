"""The interface of a lake for a landing, whether it is a folder or tables in Glue and S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, NonNegativeInt

from portmesh.lake.batches import BatchName

DATA = "data.parquet"
# DuckDB's own row group size, so that a scan of one batch can use several threads.
ROWS_PER_GROUP = 122_880

_ENGINE_TYPES = {
    "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT",
    "float": "FLOAT", "double": "DOUBLE", "bool": "BOOLEAN",
    "string": "VARCHAR", "large_string": "VARCHAR", "binary": "BLOB",
    "date32[day]": "DATE", "time64[us]": "TIME", "timestamp[us]": "TIMESTAMP", "timestamp[ms]": "TIMESTAMP",
}  # fmt: skip


class FileFacts(BaseModel):
    """A file that a batch came from: its bytes, their sha256, its rows in the batch and its rejected rows."""

    model_config = ConfigDict(extra="forbid")

    name: str
    bytes: NonNegativeInt
    sha256: str
    rows: NonNegativeInt
    rejected: NonNegativeInt


class Staged:
    """A batch that is being written to a file which nobody reads yet. Its rows get their batch and landing time."""

    def __init__(
        self,
        folder: Path,
        batch: BatchName,
        schema: pa.Schema,
        landed_at: datetime,
        ids: Mapping[str, int] | None = None,
    ) -> None:
        self.batch = batch
        self.landed_at = landed_at.astimezone(UTC)
        self.folder = folder
        self.path = folder / DATA
        self.schema = with_ids(stamp(schema.empty_table(), batch, landed_at).schema, ids or {})
        self.rows = 0
        self._waiting: list[pa.Table] = []
        self._writer = pq.ParquetWriter(self.path, self.schema, compression="zstd")

    def write(self, rows: pa.Table) -> None:
        """Add rows. They are written when there are enough for a group."""
        self.rows += rows.num_rows
        self._waiting.append(rows.cast(pa.schema(list(self.schema)[: rows.num_columns])))
        if sum(table.num_rows for table in self._waiting) >= ROWS_PER_GROUP:
            self._write_waiting()

    def close(self) -> None:
        """Write what waits. The file is whole then."""
        if self._writer.is_open:
            self._write_waiting()
            self._writer.close()

    def _write_waiting(self) -> None:
        if self._waiting:
            rows = pa.concat_tables(self._waiting)
            self._writer.write_table(stamp(rows, self.batch, self.landed_at), row_group_size=ROWS_PER_GROUP)
            self._waiting = []


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
        """Stage and publish a batch.

        `keep_bytes` below 1 keeps only that fraction of the batch's bytes.
        """

    def stage(self, batch: BatchName, schema: pa.Schema, landed_at: datetime) -> AbstractContextManager[Staged]:
        """A batch to write rows to, which are gone at the end unless they were published."""

    def publish(self, staged: Staged, files: Sequence[FileFacts] = ()) -> Batch:
        """Make a staged batch visible in one step. It replaces a batch of the same name.

        Raises FindingsError if the feed has other columns, apart from new ones.
        """

    def types(self, schema: pa.Schema) -> pa.Schema:
        """A schema with the types that the lake keeps."""

    def columns(self, feed: str, but: BatchName) -> Mapping[str, str]:
        """The columns of a feed with their types, apart from this batch if it can be left out. Empty without any."""

    def withdraw(self, batch: BatchName) -> None:
        """Remove a batch, in one step."""

    def feeds(self) -> list[str]:
        """The feeds in the lake, in order of name."""

    def inspect_feed(self, feed: str) -> Iterator[tuple[BatchName, Batch | Damage]]:
        """Every visible batch of a feed, or what is wrong with it."""

    def inspect_all(self) -> Iterator[tuple[BatchName, Batch | Damage]]:
        """Every visible batch of every feed in the lake, or what is wrong with it."""


@contextmanager
def staged_in(
    folder: Path, batch: BatchName, schema: pa.Schema, landed_at: datetime, ids: Mapping[str, int] | None = None
) -> Iterator[Staged]:
    """A staged batch in this folder, whose file is whole at the end."""
    staged = Staged(folder, batch, schema, landed_at, ids)
    try:
        yield staged
    finally:
        staged.close()


def stamp(rows: pa.Table, batch: BatchName, landed_at: datetime) -> pa.Table:
    """The rows with two more columns, which every landed row has: its batch, and when it landed (UTC)."""
    time = landed_at.astimezone(UTC).replace(tzinfo=None)
    rows = rows.append_column("_batch_id", pa.repeat(pa.scalar(batch.batch_id), rows.num_rows))
    return rows.append_column("_landed_at", pa.repeat(pa.scalar(time, pa.timestamp("us")), rows.num_rows))


def with_ids(schema: pa.Schema, ids: Mapping[str, int]) -> pa.Schema:
    """The schema with the Parquet field ids of these columns, by which an Iceberg table finds them in a file."""
    found = {name: {"PARQUET:field_id": str(number)} for name, number in ids.items()}
    return pa.schema([field.with_metadata(found.get(field.name)) for field in schema])


def describe_columns(schema: pa.Schema) -> dict[str, str]:
    """Column names with the types as which DuckDB reads them."""
    return {field.name: _engine_type(str(field.type)) for field in schema}


def column_differences(these: Mapping[str, str], others: Mapping[str, str]) -> str:
    """The columns that differ from those of `others`, as text: `sales_value VARCHAR, week missing`."""
    differing = sorted(name for name in {**these, **others} if these.get(name) != others.get(name))
    return ", ".join(f"{name} {these.get(name, 'missing')}" for name in differing)


def lost_columns(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, str]:
    """Columns of earlier batches that are missing now or of another type, as (got, allowed). New ones are fine."""
    kept = {name: type_ for name, type_ in now.items() if name in before}
    return column_differences(kept, before), column_differences(before, kept)


def _engine_type(arrow_type: str) -> str:
    if arrow_type.startswith("decimal"):
        return f"DECIMAL({arrow_type.partition('(')[2].replace(' ', '')}"
    return _ENGINE_TYPES.get(arrow_type, arrow_type.upper())
