"""A lake in a folder: batches, their manifests, and landings that are visible in full or not at all.

A batch is `<lake>/<feed>/<batch_id>/` with `data.parquet` and `manifest.json`. It is written in
`<lake>/.staging/` and becomes visible when its folder is renamed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from portmesh.errors import UsageError
from portmesh.lake.batches import BatchName
from portmesh.lake.lake import (
    DATA,
    Damage,
    FileFacts,
    Staged,
    column_differences,
    describe_columns,
    staged_in,
)

MANIFEST = "manifest.json"
STAGING = ".staging"
LOCK = ".landing.lock"


class Manifest(BaseModel):
    """Describes a landed data file. `bytes` and `sha256` are its own; `files` are those that it came from. UTC."""

    model_config = ConfigDict(extra="forbid")

    feed: str
    batch_id: str
    landed_at: datetime
    rows: NonNegativeInt
    bytes: NonNegativeInt
    sha256: str
    columns: dict[str, str]
    files: list[FileFacts] = []


@dataclass(frozen=True)
class FolderLake:
    """A lake in a folder, which need not exist yet."""

    folder: Path

    @property
    def location(self) -> str:
        return str(self.folder)

    def where(self, batch: BatchName) -> str:
        return str(self.path(batch))

    def path(self, batch: BatchName) -> Path:
        return self.folder / batch.feed / batch.batch_id

    def batches(self, feed: str) -> list[BatchName]:
        """Every visible batch of a feed, including damaged ones."""
        folder = self.folder / feed
        found = folder.iterdir() if folder.is_dir() else ()
        return sorted(BatchName(feed, path.name) for path in found if not path.name.startswith("."))

    @contextmanager
    def landing(self) -> Iterator[None]:
        """Lock the lake for one landing, and remove what a failed landing left behind.

        Raises UsageError if another landing is running, or if the folder cannot be used.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / LOCK).open("w")
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            facts = [("where", str(self.folder)), ("got", error.strerror or "")]
            raise UsageError("The lake's folder is not writable.", facts, "use another: --lake FOLDER") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(
                    "Another landing is running in this lake; nothing was changed.",
                    [("where", str(self.folder))],
                    "wait until it has ended, then run this again",
                ) from error
            self._clear_staging()
            try:
                yield
            finally:
                self._clear_staging()

    def land(self, batch: BatchName, rows: pa.Table, landed_at: datetime, keep_bytes: float = 1.0) -> Manifest:
        """Stage and publish a batch.

        `keep_bytes` below 1 keeps only that fraction of the data file, after its manifest is written.
        """
        with self.stage(batch, rows.schema, landed_at) as staged:
            staged.write(rows)
        return self.publish(staged, keep_bytes=keep_bytes)

    def stage(self, batch: BatchName, schema: pa.Schema, landed_at: datetime) -> AbstractContextManager[Staged]:
        """A batch to write rows to, in the folder that the next landing empties."""
        folder = self.folder / STAGING / f"{batch.feed}.{batch.batch_id}"
        folder.mkdir(parents=True)
        return staged_in(folder, batch, schema, landed_at)

    def publish(self, staged: Staged, files: Sequence[FileFacts] = (), keep_bytes: float = 1.0) -> Manifest:
        """Describe a staged batch and make it visible. It replaces a batch of the same name.

        A replacement takes two renames. Between them the batch is missing; a process killed there leaves it not landed.
        """
        staged.close()
        manifest = _describe(staged, files)
        if keep_bytes < 1:
            os.truncate(staged.path, int(manifest.bytes * keep_bytes))
        _sync(staged.path)
        _sync(staged.folder)
        target = self.path(staged.batch)
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            self.withdraw(staged.batch)
        staged.folder.rename(target)
        _sync(target.parent)
        return manifest

    def types(self, schema: pa.Schema) -> pa.Schema:
        """Parquet keeps every type."""
        return schema

    def columns(self, feed: str, but: BatchName) -> Mapping[str, str]:
        """The columns of all batches of a feed, apart from `but`."""
        manifests = [self.read_manifest(batch) for batch in self.batches(feed) if batch != but]
        return {name: type_ for manifest in manifests for name, type_ in manifest.columns.items()}

    def withdraw(self, batch: BatchName) -> None:
        """Hide a batch with one rename, then delete it."""
        away = self.folder / STAGING / f"{batch.feed}.{batch.batch_id}.withdrawn"
        self.path(batch).rename(away)
        _sync(self.folder / batch.feed)
        if away.is_dir():
            shutil.rmtree(away)
        else:
            away.unlink()

    def read_manifest(self, batch: BatchName) -> Manifest:
        """The manifest of a batch. Raises OSError or pydantic's ValidationError if it is missing or invalid."""
        return Manifest.model_validate_json((self.path(batch) / MANIFEST).read_bytes())

    def inspect(self, batch: BatchName) -> Manifest | Damage:
        """The manifest of a batch that matches it, else what is wrong. Reads the whole data file."""
        folder = self.path(batch)
        data, manifest_file = folder / DATA, folder / MANIFEST
        if not folder.is_dir():
            return Damage(batch, str(folder), "a file", f"a folder with {DATA} and {MANIFEST}")
        missing = [file.name for file in (data, manifest_file) if not file.is_file()]
        if missing:
            return Damage(batch, str(folder), f"no {' and no '.join(missing)}", f"{DATA} and its {MANIFEST}")
        try:
            manifest = self.read_manifest(batch)
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(str(part) for part in problem["loc"])
            got = f"{place}: {problem['msg']}" if place else problem["msg"]
            return Damage(batch, str(manifest_file), got, "a manifest as `portmesh land` writes it")
        named = BatchName(manifest.feed, manifest.batch_id)
        if named != batch:
            return Damage(batch, str(manifest_file), f"the manifest of {named}", f"the manifest of {batch}")
        bytes_found = data.stat().st_size
        if bytes_found != manifest.bytes:
            return Damage(batch, str(data), f"{bytes_found:,} bytes", f"{manifest.bytes:,} bytes ({MANIFEST})")
        digest = _sha256(data)
        if digest != manifest.sha256:
            return Damage(batch, str(data), f"sha256 {digest[:12]}…", f"sha256 {manifest.sha256[:12]}… ({MANIFEST})")
        contradiction = _contradiction(data, manifest)
        return Damage(batch, str(data), *contradiction) if contradiction else manifest

    def feeds(self) -> list[str]:
        """The visible folders in the lake."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(path.name for path in found if path.is_dir() and not path.name.startswith("."))

    def inspect_feed(self, feed: str) -> Iterator[tuple[BatchName, Manifest | Damage]]:
        """Every visible batch of a feed with the result of `inspect`."""
        for batch in self.batches(feed):
            yield batch, self.inspect(batch)

    def inspect_all(self) -> Iterator[tuple[BatchName, Manifest | Damage]]:
        """Every visible batch of every feed with the result of `inspect`."""
        for feed in self.feeds():
            yield from self.inspect_feed(feed)

    def _clear_staging(self) -> None:
        staging = self.folder / STAGING
        if staging.exists():
            shutil.rmtree(staging)
        staging.mkdir()


def _describe(staged: Staged, files: Sequence[FileFacts]) -> Manifest:
    manifest = Manifest(
        feed=staged.batch.feed,
        batch_id=staged.batch.batch_id,
        landed_at=staged.landed_at,
        rows=staged.rows,
        bytes=staged.path.stat().st_size,
        sha256=_sha256(staged.path),
        columns=describe_columns(staged.schema),
        files=list(files),
    )
    (staged.folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
    _sync(staged.folder / MANIFEST)
    return manifest


def _contradiction(file: Path, manifest: Manifest) -> tuple[str, str] | None:
    """How the footer of a complete file differs from its manifest, as (got, allowed). Reads no rows.

    landed() makes the same comparisons with the same messages (macros/mesh/create_lake_functions.sql).
    """
    try:
        with pq.ParquetFile(file) as parquet:
            footer, schema = parquet.metadata, parquet.schema_arrow
    except pa.ArrowInvalid:
        return "a file that is not Parquet", "a Parquet file"
    if footer.num_rows != manifest.rows:
        return f"{footer.num_rows:,} rows", f"{manifest.rows:,} rows ({MANIFEST})"
    columns = describe_columns(schema)
    if columns != manifest.columns:
        allowed = f"{column_differences(manifest.columns, columns)} ({MANIFEST})"
        return column_differences(columns, manifest.columns), allowed
    landed_at = manifest.landed_at.astimezone(UTC).replace(tzinfo=None)
    stamps: dict[str, str | datetime] = {"_batch_id": manifest.batch_id, "_landed_at": landed_at}
    found = (_stamp_found(footer, schema, column, value) for column, value in stamps.items())
    return next((stamp for stamp in found if stamp), None) if manifest.rows else None


def _stamp_found(
    footer: pq.FileMetaData, schema: pa.Schema, column: str, value: str | datetime
) -> tuple[str, str] | None:
    """(got, allowed) if the statistics do not show that every row has the value in the column."""
    allowed = f"{column} {value} in every row"
    if column not in schema.names:
        return f"no column {column}", allowed
    number = schema.names.index(column)
    groups = [footer.row_group(group).column(number).statistics for group in range(footer.num_row_groups)]
    if not all(group is not None and group.has_null_count for group in groups):
        return f"no statistics for {column} in {DATA}", "a file with statistics, read instead of rows"
    if any(group.null_count for group in groups):
        return f"rows without a {column}", allowed
    others = [bound for group in groups for bound in (group.min, group.max) if bound != value]
    return (f"rows with the {column} {others[0]}", allowed) if others else None


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
