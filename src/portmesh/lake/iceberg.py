"""Reads an Iceberg table's metadata in S3: its snapshots, its files with their bytes, and its orphan files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from pyiceberg.catalog import Catalog
from pyiceberg.manifest import DataFileContent, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot as TableSnapshot

from portmesh.aws import aws_errors_explained, bucket_and_key, objects_below

TARGET_FILE_SIZE = "write.target-file-size-bytes"
DEFAULT_TARGET_FILE_SIZE = 512 * 1024 * 1024
# As in both engines: a file below 3/4 of the target size is small, and five small files in a partition are rewritten.
SMALL, WORTH_IT = 0.75, 5


@dataclass(frozen=True)
class Snapshot:
    """One version of the table's files. Times are in UTC, without a time zone."""

    id: int
    parent: int | None
    at: datetime
    operation: str


@dataclass(frozen=True)
class Size:
    """A number of files and their total bytes."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class TableFacts:
    """Facts about a table.

    `log` says when each snapshot became current. `files` has the data, delete and manifest files of each snapshot with
    their bytes. `orphans` are files in the table's folder that its metadata does not name.
    """

    current: int
    snapshots: Mapping[int, Snapshot]
    log: tuple[tuple[datetime, int], ...]
    tags: Mapping[str, int]
    branches: Mapping[str, int]
    small: Size
    manifests: int
    files: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    orphans: Mapping[str, int] = field(default_factory=dict)


def read_table(catalog: Catalog, database: str, name: str, older_than: datetime) -> TableFacts:
    """Facts about a table. Orphans are files from before `older_than`: newer ones may belong to a running build."""
    with aws_errors_explained([("table", f"{database}.{name}")]):
        table = catalog.load_table((database, name))
        metadata = table.metadata
        files = {snapshot.snapshot_id: dict(_files(table, snapshot)) for snapshot in metadata.snapshots}
        known = {bucket_and_key(path) for paths in files.values() for path in paths}
        known |= {bucket_and_key(path) for path in _metadata_files(table)}
        home = f"{metadata.location.rstrip('/')}/"
        assert metadata.current_snapshot_id is not None
        return TableFacts(
            current=metadata.current_snapshot_id,
            snapshots={s.snapshot_id: _snapshot(s) for s in metadata.snapshots},
            log=tuple((_utc(entry.timestamp_ms), entry.snapshot_id) for entry in metadata.snapshot_log),
            tags=_refs(table, "tag"),
            branches=_refs(table, "branch"),
            small=_small_files(table),
            manifests=len(_manifests(table, metadata.current_snapshot_id)),
            files=files,
            orphans=dict(_unknown(home, known, older_than)),
        )


def _refs(table: Table, kind: str) -> dict[str, int]:
    return {name: ref.snapshot_id for name, ref in table.metadata.refs.items() if ref.snapshot_ref_type == kind}


def _snapshot(snapshot: TableSnapshot) -> Snapshot:
    operation = snapshot.summary.operation.value if snapshot.summary else ""
    return Snapshot(snapshot.snapshot_id, snapshot.parent_snapshot_id, _utc(snapshot.timestamp_ms), operation)


def _utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)


def _manifests(table: Table, snapshot_id: int) -> list[ManifestFile]:
    snapshot = table.snapshot_by_id(snapshot_id)
    return snapshot.manifests(table.io) if snapshot else []


def _files(table: Table, snapshot: TableSnapshot) -> Iterator[tuple[str, int]]:
    for manifest in snapshot.manifests(table.io):
        yield manifest.manifest_path, manifest.manifest_length
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            yield entry.data_file.file_path, entry.data_file.file_size_in_bytes


def _metadata_files(table: Table) -> Iterator[str]:
    metadata = table.metadata
    yield table.metadata_location
    yield from (entry.metadata_file for entry in metadata.metadata_log)
    yield from (snapshot.manifest_list for snapshot in metadata.snapshots)
    yield from (file.statistics_path for file in [*metadata.statistics, *metadata.partition_statistics])


def _small_files(table: Table) -> Size:
    """Files that a compaction would rewrite: small data files of partitions with enough of them, and delete files."""
    limit = SMALL * int(table.properties.get(TARGET_FILE_SIZE, DEFAULT_TARGET_FILE_SIZE))
    sizes: Counter[Any] = Counter()
    numbers: Counter[Any] = Counter()
    deletes = Size()
    assert table.metadata.current_snapshot_id is not None
    for manifest in _manifests(table, table.metadata.current_snapshot_id):
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            file, partition = entry.data_file, (manifest.partition_spec_id, str(entry.data_file.partition))
            if file.content is not DataFileContent.DATA:
                deletes = Size(deletes.files + 1, deletes.bytes + file.file_size_in_bytes)
            elif file.file_size_in_bytes < limit:
                numbers[partition] += 1
                sizes[partition] += file.file_size_in_bytes
    worth_it = [partition for partition, number in numbers.items() if number >= WORTH_IT]
    return Size(
        deletes.files + sum(numbers[partition] for partition in worth_it),
        deletes.bytes + sum(sizes[partition] for partition in worth_it),
    )


def _unknown(prefix: str, known: set[tuple[str, str]], older_than: datetime) -> Iterator[tuple[str, int]]:
    """Objects below a prefix that are not `known`, and their bytes."""
    bucket, _ = bucket_and_key(prefix)
    for found in objects_below(boto3.client("s3"), prefix):
        if (bucket, found["Key"]) not in known and found["LastModified"].replace(tzinfo=None) < older_than:
            yield f"s3://{bucket}/{found['Key']}", found["Size"]
