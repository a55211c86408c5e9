"""Reads the files of one batch, whatever their format, as a stream of rows. No file is ever in memory as a whole."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from portmesh.errors import FindingsError, MissingArtifactError, UsageError
from portmesh.lake.contract import LandedTable
from portmesh.lake.csv_files import read_csv
from portmesh.lake.json_files import read_json
from portmesh.lake.lake import FileFacts
from portmesh.lake.parquet_files import read_parquet
from portmesh.lake.rows import Part

GZIP = b"\x1f\x8b"
# What people have instead of the format that the contract states, by its first bytes.
OTHER_FORMATS = {
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
    b"PAR1": ("a Parquet file", "landing: {format: parquet}"),
}
Progress = Callable[[int], None]
"""Called with the number of bytes that were read since the last call."""


class Files:
    """The files of one batch. `facts` are complete when all parts were read."""

    def __init__(self, paths: Sequence[Path], table: LandedTable) -> None:
        """Raises UsageError or MissingArtifactError if one is not a file, or is there twice."""
        self._paths = paths
        self._table = table
        self._names = _names(paths)
        self.facts: list[FileFacts] = []
        seen: dict[tuple[int, int], Path] = {}
        for path in paths:
            status = _status(path)
            if twin := seen.get((status.st_dev, status.st_ino)):
                raise UsageError(
                    "The same file is named twice, so its rows would land twice.",
                    [("got", f"{twin}\n{path}")],
                    "name it once",
                )
            seen[status.st_dev, status.st_ino] = path
        self.bytes = sum(path.stat().st_size for path in paths)

    def parts(self, progress: Progress = lambda _: None) -> Iterator[Part]:
        """The rows of all files. Raises FindingsError if a file cannot be read, or changes while it is read."""
        for path, name in zip(self._paths, self._names, strict=True):
            before, rows, rejected = _status(path), 0, 0
            hashed = _Hashed(path, progress)
            with hashed.file:
                for part in self._read(path, name, hashed):
                    rows, rejected = rows + part.rows.num_rows, rejected + len(part.rejected)
                    yield part
                hashed.finish()
            after = _status(path)
            if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
                raise FindingsError(
                    f"{name} changed while it was read, so nothing was landed.",
                    [("before", f"{before.st_size:,} bytes"), ("after", f"{after.st_size:,} bytes")],
                    "land it when whatever writes it has ended",
                )
            self._add(FileFacts(name=name, bytes=hashed.bytes, sha256=hashed.digest, rows=rows, rejected=rejected))

    def _add(self, facts: FileFacts) -> None:
        for other in self.facts:
            if facts.rows and other.sha256 == facts.sha256:
                raise UsageError(
                    "Two files have the same content, so their rows would land twice.",
                    [("got", f"{other.name}\n{facts.name}")],
                    "land one of them",
                )
        self.facts.append(facts)

    def _read(self, path: Path, name: str, hashed: _Hashed) -> Iterator[Part]:
        first = path.open("rb").read(4) if path.stat().st_size else b""
        wanted = self._table.contract.format
        if not first:
            raise FindingsError(f"{name} is empty: it has no bytes.", [("file", str(path))], "ask the source for it")
        if wanted == "parquet":
            yield from read_parquet(path, name, self._table)
            return
        for sign, (what, way_out) in OTHER_FORMATS.items():
            if first.startswith(sign):
                facts = [("file", self._table.path), ("got", what), ("allowed", wanted)]
                raise FindingsError(f"{name} is not a {wanted.upper()} file.", facts, way_out)
        is_gzip = first.startswith(GZIP)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=hashed, mode="rb") if is_gzip else hashed)  # type: ignore[call-overload]
        read = read_csv if wanted == "csv" else read_json
        try:
            yield from read(stream, name, self._table)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            facts = [("file", str(path)), ("got", str(error)), ("allowed", "a whole gzip file")]
            raise FindingsError(
                f"{name} is a gzip file that is cut off or damaged.", facts, "fetch it again"
            ) from error


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self.file = path.open("rb")
        self.bytes = 0
        self._sha256 = hashlib.sha256()
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        content = self.file.read(size)
        self._sha256.update(content)
        self.bytes += len(content)
        self._progress(len(content))
        return content

    def finish(self) -> None:
        """Read what the reader of the format did not need."""
        while self.read(1 << 20):
            pass

    @property
    def digest(self) -> str:
        return self._sha256.hexdigest()


def _names(paths: Sequence[Path]) -> list[str]:
    """The names of files without their folders, unless two have the same one."""
    short = [path.name for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


def _status(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except OSError as error:
        facts = [("got", str(path)), ("why", error.strerror or "")]
        raise MissingArtifactError("There is no such file to land.", facts, "name files that exist") from error
    if path.is_dir():
        raise UsageError("A folder cannot land, only files.", [("got", str(path))], f"name its files: {path}/*")
    if not path.is_file():
        raise UsageError("This is not a file.", [("got", str(path))], "write what it gives into a file, and land that")
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError("A file may not be read.", [("got", str(path)), ("why", error.strerror or "")]) from error
    return status
