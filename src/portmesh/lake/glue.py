"""The lake in AWS: a feed is the Iceberg table `landed.<feed>` in Glue, and a batch is a partition by `_batch_id`.

A batch lands in one commit, with its promise (its rows and landing time) in the table's properties. If two
commits conflict, pyiceberg retries one of them, or refuses it if both change the same batch. So no batch
lands twice, although Glue has no lock that would prevent two landings at the same time.
"""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote
from uuid import uuid4

import boto3
import pyarrow as pa
from pydantic import AwareDatetime, BaseModel, NonNegativeInt
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import NoSuchIcebergTableError, NoSuchTableError
from pyiceberg.expressions import BooleanExpression, EqualTo
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction

from portmesh.aws import aws_errors_explained
from portmesh.errors import FindingsError, UsageError
from portmesh.lake.batches import BatchName
from portmesh.lake.contract import STAMPS
from portmesh.lake.lake import Damage, FileFacts, Staged, describe_columns, lost_columns, staged_in, with_ids

DATABASE = "landed"
PROMISE = "portmesh.batch."
TABLE_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # The size before compression: the files of a large batch then have about 16 to 128 MB.
    "write.target-file-size-bytes": str(512 * 1024 * 1024),
    # Otherwise a weekly feed would have one manifest per batch, and a reader would make one request for each.
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "10",
}


def open_catalog(region: str) -> GlueCatalog:
    """The Glue catalog of a region."""
    # Unlike boto3, Arrow's S3 client does not read the endpoint from the environment.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    settings = {"client.region": region, **({"s3.endpoint": endpoint} if endpoint else {})}
    return GlueCatalog("glue", None, **settings)


@contextmanager
def read_table(region: str, database: str, name: str) -> Iterator[pa.RecordBatchReader]:
    """The rows of an Iceberg table, read file by file from S3 without an engine.

    Raises FindingsError if there is no such table or it is not Iceberg, and UsageError if AWS cannot be reached.
    """
    place = [("table", f"{database}.{name}"), ("where", f"Glue, region {region}")]
    with aws_errors_explained(place):
        try:
            table = open_catalog(region).load_table((database, name))
        except NoSuchTableError as error:
            is_other = isinstance(error, NoSuchIcebergTableError)
            message = f"{database}.{name} is not an Iceberg table." if is_other else f"There is no {database}.{name}."
            raise FindingsError(message, place, "check the schema and identifier of the source") from error
        yield table.scan().to_arrow_batch_reader()


class Promise(BaseModel):
    """What is recorded about a batch when it lands, to verify it later."""

    rows: NonNegativeInt
    landed_at: AwareDatetime
    files: list[FileFacts] = []


@dataclass(frozen=True)
class LandedBatch:
    """A batch that matches its promise."""

    rows: int
    bytes: int


@dataclass(frozen=True)
class _File:
    """A data file as the table's metadata describes it."""

    path: str
    rows: int
    bytes: int
    landed_at: frozenset[datetime]
    """The lowest and highest _landed_at in the file, in UTC without a time zone. Empty if it has no rows."""


class GlueLake:
    """The tables `landed.<feed>`, with their files below `<address>/landed/`. They need not exist yet.

    `address` is s3://bucket or s3://bucket/prefix. Credentials and endpoints are found as in the AWS SDKs.
    """

    def __init__(self, address: str, region: str) -> None:
        self.location = f"{address.rstrip('/')}/{DATABASE}"
        self._region = region
        self._bucket = address.removeprefix("s3://").partition("/")[0]
        self._s3 = boto3.Session(region_name=region).client("s3")
        self._catalog = open_catalog(region)

    def where(self, batch: BatchName) -> str:
        return f"{DATABASE}.{batch.feed}, _batch_id {batch.batch_id!r}"

    @contextmanager
    def landing(self) -> Iterator[None]:
        """Wraps all changes. Raises UsageError if AWS refuses one or cannot be reached."""
        with aws_errors_explained([("lake", self.location), ("region", self._region)]):
            # Not HeadBucket: its response has no body that says why a request is refused.
            self._s3.list_objects_v2(Bucket=self._bucket, MaxKeys=1)
            if not self._catalog.namespace_exists(DATABASE):
                self._catalog.create_namespace(DATABASE, {"location": self.location})
            yield

    def batches(self, feed: str) -> list[BatchName]:
        table = self._find_table(feed)
        return sorted(BatchName(feed, batch_id) for batch_id in {**_promises(table), **_files(table)}) if table else []

    def land(self, batch: BatchName, rows: pa.Table, landed_at: datetime, keep_bytes: float = 1.0) -> LandedBatch:
        """Stage and publish a batch."""
        with self.stage(batch, rows.schema, landed_at) as staged:
            staged.write(rows)
            landed = self.publish(staged)
        if keep_bytes < 1:
            table = self._catalog.load_table((DATABASE, batch.feed))
            for file in _files(table)[batch.batch_id]:
                self._cut(file, keep_bytes)
        return landed

    @contextmanager
    def stage(self, batch: BatchName, schema: pa.Schema, landed_at: datetime) -> Iterator[Staged]:
        """A batch to write rows to, in a temporary folder of this machine."""
        with (
            TemporaryDirectory(prefix="portmesh-") as folder,
            staged_in(Path(folder), batch, self.types(schema), landed_at, self._ids(batch.feed, schema)) as staged,
        ):
            yield staged

    def publish(self, staged: Staged, files: Sequence[FileFacts] = ()) -> LandedBatch:
        """Upload a staged batch as one file, and add it to its table in one commit.

        A process killed between the two leaves the file in S3, where no reader sees it; `portmesh maintain` removes it.
        """
        staged.close()
        batch, size = staged.batch, staged.path.stat().st_size if staged.rows else 0
        table = self._find_table(batch.feed)
        if table:
            _assert_columns(batch, staged.schema, table.schema().as_arrow())
        else:
            table = self._create_table(batch.feed, with_ids(staged.schema, {}))
        promise = Promise(rows=staged.rows, landed_at=staged.landed_at, files=list(files))
        place = f"{table.location()}/data/_batch_id={quote(batch.batch_id, safe='')}/{uuid4()}.parquet"
        if staged.rows:
            self._s3.upload_file(str(staged.path), self._bucket, place.removeprefix(f"s3://{self._bucket}/"))
        with _one_commit(table) as commit:
            with commit.update_schema() as columns:
                columns.union_by_name(with_ids(staged.schema, {}))
            _assert_ids(batch, staged.schema, commit.table_metadata.schema())
            commit.delete(_is_of(batch))
            if staged.rows:
                with commit.update_snapshot().merge_append() as added:
                    added.append_data_file(parquet_file_to_data_file(table.io, commit.table_metadata, place))
            commit.set_properties({PROMISE + batch.batch_id: promise.model_dump_json()})
        return LandedBatch(promise.rows, size)

    def types(self, schema: pa.Schema) -> pa.Schema:
        """Iceberg's smallest whole numbers have 32 bits."""
        small = (pa.int8(), pa.int16())
        return pa.schema([(field.name, pa.int32() if field.type in small else field.type) for field in schema])

    def _ids(self, feed: str, schema: pa.Schema) -> dict[str, int]:
        """The field id that each column has in the feed's table, or will get when the batch adds it."""
        table = self._find_table(feed)
        ids = {field.name: field.field_id for field in table.schema().fields} if table else {}
        following = count((table.metadata.last_column_id if table else 0) + 1)
        for name in (*schema.names, *STAMPS):
            if name not in ids:
                ids[name] = next(following)
        return ids

    def columns(self, feed: str, but: BatchName) -> Mapping[str, str]:
        """The columns of a feed's table, whatever its batches are."""
        assert but.feed == feed
        table = self._find_table(feed)
        return describe_columns(table.schema().as_arrow()) if table else {}

    def withdraw(self, batch: BatchName) -> None:
        table = self._catalog.load_table((DATABASE, batch.feed))
        with _one_commit(table) as commit:
            commit.delete(_is_of(batch))
            if batch.batch_id in _promises(table):
                commit.remove_properties(PROMISE + batch.batch_id)

    def feeds(self) -> list[str]:
        """The Iceberg tables of the database."""
        return sorted(name for _, name in self._catalog.list_tables(DATABASE))

    def inspect_feed(self, feed: str) -> Iterator[tuple[BatchName, LandedBatch | Damage]]:
        """Every batch of a feed: its rows are compared with its promise, its files with S3's listing."""
        table = self._find_table(feed)
        if table is None:
            return
        promises, files, stored = _promises(table), _files(table), self._stored_bytes(feed)
        for batch_id in sorted({**promises, **files}):
            batch = BatchName(feed, batch_id)
            yield batch, self._inspect(batch, promises.get(batch_id), files[batch_id], stored)

    def inspect_all(self) -> Iterator[tuple[BatchName, LandedBatch | Damage]]:
        """Every batch of every feed."""
        for feed in self.feeds():
            yield from self.inspect_feed(feed)

    def _inspect(
        self, batch: BatchName, promise: Promise | None, files: list[_File], stored: dict[str, int]
    ) -> LandedBatch | Damage:
        if promise is None:
            got = "rows that `portmesh land` did not land"
            return Damage(batch, self.where(batch), got, "batches that `portmesh land` landed")
        for file in files:
            if file.path not in stored:
                return Damage(batch, file.path, "no such file", "a file of the table")
            if stored[file.path] != file.bytes:
                got, allowed = f"{stored[file.path]:,} bytes", f"{file.bytes:,} bytes (the table's manifest)"
                return Damage(batch, file.path, got, allowed)
        rows = sum(file.rows for file in files)
        if rows != promise.rows:
            return Damage(batch, self.where(batch), f"{rows:,} rows", f"{promise.rows:,} rows, as it landed")
        landed_at = promise.landed_at.astimezone(UTC).replace(tzinfo=None)
        for other in {time for file in files for time in file.landed_at} - {landed_at}:
            got, allowed = f"rows with the _landed_at {other}", f"_landed_at {landed_at} in every row"
            return Damage(batch, self.where(batch), got, allowed)
        return LandedBatch(rows, sum(file.bytes for file in files))

    def _find_table(self, feed: str) -> Table | None:
        try:
            return self._catalog.load_table((DATABASE, feed))
        except NoSuchIcebergTableError as error:
            raise UsageError(
                f"{DATABASE}.{feed} is not an Iceberg table, so nothing can land in it.",
                [
                    ("where", f"Glue, region {self._region}"),
                    ("got", str(error)),
                    ("allowed", "an Iceberg table, or no table"),
                ],
                "remove or rename that table in Glue",
            ) from error
        except NoSuchTableError:
            return None

    def _create_table(self, feed: str, columns: pa.Schema) -> Table:
        creation = self._catalog.create_table_transaction(
            (DATABASE, feed), columns, location=f"{self.location}/{feed}", properties=TABLE_PROPERTIES
        )
        with creation, creation.update_spec() as partitions:
            partitions.add_identity("_batch_id")
        return self._catalog.load_table((DATABASE, feed))

    def _stored_bytes(self, feed: str) -> dict[str, int]:
        """The size of every object of a feed, by its address."""
        prefix = f"{self.location}/{feed}/".removeprefix(f"s3://{self._bucket}/")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return {f"s3://{self._bucket}/{o['Key']}": o["Size"] for page in pages for o in page.get("Contents", ())}

    def _cut(self, file: _File, keep_bytes: float) -> None:
        key = file.path.removeprefix(f"s3://{self._bucket}/")
        content = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content[: int(file.bytes * keep_bytes)])


@contextmanager
def _one_commit(table: Table) -> Iterator[Transaction]:
    with warnings.catch_warnings():
        # The batch to overwrite does not exist yet or has no rows.
        warnings.filterwarnings("ignore", "Delete operation did not match any records")
        with table.transaction() as transaction:
            yield transaction


def _is_of(batch: BatchName) -> BooleanExpression:
    # mypy checks the arguments of the pydantic model that this class also is.
    return EqualTo("_batch_id", batch.batch_id)  # type: ignore[misc,call-arg,arg-type]


def _promises(table: Table) -> dict[str, Promise]:
    """The promises in the table's properties, by batch id."""
    return {
        key.removeprefix(PROMISE): Promise.model_validate_json(text)
        for key, text in table.properties.items()
        if key.startswith(PROMISE)
    }


def _files(table: Table) -> defaultdict[str, list[_File]]:
    """The data files of each batch, from the table's manifests. No data file is read."""
    files: defaultdict[str, list[_File]] = defaultdict(list)
    for file in table.inspect.data_files().to_pylist():
        batch_id = str(file["partition"]["_batch_id"])
        bounds = file["readable_metrics"].get("_landed_at") or {}
        landed_at = frozenset(time for time in (bounds.get("lower_bound"), bounds.get("upper_bound")) if time)
        files[batch_id].append(_File(file["file_path"], file["record_count"], file["file_size_in_bytes"], landed_at))
    return files


def _assert_ids(batch: BatchName, staged: pa.Schema, table: Schema) -> None:
    """The table may have got other columns since the batch was staged."""
    ids = {field.name: str(field.field_id) for field in table.fields}
    if any(field.metadata[b"PARQUET:field_id"].decode() != ids[field.name] for field in staged):
        raise UsageError(
            f"The columns of {DATABASE}.{batch.feed} changed while {batch} was read, so it was not landed.",
            next_step="run this again",
        )


def _assert_columns(batch: BatchName, got: pa.Schema, allowed: pa.Schema) -> None:
    lost, wanted = lost_columns(describe_columns(allowed), describe_columns(got))
    if wanted:
        raise FindingsError(
            f"{batch} was not landed: its columns differ from those of {DATABASE}.{batch.feed}.",
            [("got", lost), ("allowed", f"{wanted}, as in the batches that have already landed")],
            "if this is a mistake, fix the batch and land it again; "
            "if it is intended, land it as a feed with another name, and union both feeds in staging",
        )
