"""Lands files as one batch of a source table: whole or not at all, with its rejected rows in a feed beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from portmesh.errors import FindingsError, PortmeshError, UsageError
from portmesh.lake.batches import BatchName
from portmesh.lake.contract import LandedTable
from portmesh.lake.lake import FileFacts, Lake, Staged, describe_columns, lost_columns, stamp
from portmesh.lake.landing import assert_landed, parse_time, verify
from portmesh.lake.reading import Files
from portmesh.lake.rows import Part, Rejected
from portmesh.text import count, printable

REJECTED = pa.schema([("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])
SHOWN = 5
"""Rejected rows, or keys that occur twice, that a message shows."""
MOST_SET_ASIDE = 0.5
"""The share of rejected rows up to which a message advises to set them aside."""
Progress = Callable[[int, int], None]
"""Called with the number of bytes that were read, and how many there are."""


@dataclass(frozen=True)
class Request:
    """A call of `portmesh land`, as typed. `hint` repeats the options that name the lake."""

    files: Sequence[Path] = ()
    batch: str | None = None
    replace: bool = False
    landed_at: str | None = None
    hint: str = ""


@dataclass(frozen=True)
class Landed:
    """A batch that landed: its name, rows and bytes, what was rejected, and the files that it came from."""

    lake: str
    batch: str
    landed_at: datetime
    rows: int
    bytes: int
    replaced: bool
    rejected: int
    rejected_batch: str
    files: list[FileFacts]


@dataclass(frozen=True)
class Withdrawn:
    """A batch that is no longer in the lake, and whether it was the last one of its table."""

    batch: BatchName
    was_last: bool


@dataclass
class _Reading:
    """What was read so far."""

    rejected: int = 0
    first: list[Rejected] = field(default_factory=list)

    def note(self, part: Part) -> None:
        self.rejected += len(part.rejected)
        self.first += part.rejected[: SHOWN - len(self.first)]


def land(lake: Lake, table: LandedTable, request: Request, progress: Progress = lambda _done, _all: None) -> Landed:
    """Land files as one batch. Everything is read and checked before anything is visible.

    Raises UsageError if the request is not possible, FindingsError if the files do not fit the contract.
    """
    landed_at = parse_time(request.landed_at)
    batch = BatchName(table.feed, _batch_id(request.batch or f"{landed_at:%Y-%m-%d}"))
    beside = BatchName(table.rejected_feed, batch.batch_id)
    files = Files(request.files, table)
    with lake.landing():
        there = lake.batches(table.feed)
        verify(lake, _feeds(table), lambda name: _fix(table, name, request), but=[batch, beside])
        if batch in there and not request.replace:
            raise UsageError(
                f"{batch} has already landed, and a landed batch is not changed by accident.",
                [("where", lake.where(batch))],
                f"portmesh land {table.label} FILE --batch {batch.batch_id} --replace{request.hint}\n"
                f"or choose another name: --batch {batch.batch_id}-2",
            )
        _assert_columns(lake, table, batch, landed_at)
        with ExitStack() as stack:
            staged = stack.enter_context(lake.stage(batch, table.schema, landed_at))
            is_beside = table.contract.bad_rows == "set_aside"
            aside = stack.enter_context(lake.stage(beside, REJECTED, landed_at)) if is_beside else None
            reading = _read(files, staged, aside, progress)
            if reading.rejected and not (aside and staged.rows):
                raise _refused(table, staged.rows + reading.rejected, reading)
            staged.close()
            _assert_unique(table, staged)
            if aside:
                lake.publish(aside, files.facts)
            elif beside in lake.batches(table.rejected_feed):
                lake.withdraw(beside)
            published = lake.publish(staged, files.facts)
    return Landed(
        lake=lake.location,
        batch=str(batch),
        landed_at=landed_at,
        rows=published.rows,
        bytes=published.bytes,
        replaced=batch in there,
        rejected=reading.rejected,
        rejected_batch=str(beside) if aside else "",
        files=files.facts,
    )


def withdraw(lake: Lake, table: LandedTable, batch_id: str) -> Withdrawn:
    """Remove a batch and its rejected rows. Raises UsageError if it has not landed."""
    batch, beside = BatchName(table.feed, batch_id), BatchName(table.rejected_feed, batch_id)
    with lake.landing():
        is_beside = beside in lake.batches(beside.feed)
        if not is_beside:
            assert_landed(lake, batch)
        # A process that is killed between the two leaves rejected rows, and the same command removes them.
        if batch in lake.batches(batch.feed):
            lake.withdraw(batch)
        if is_beside:
            lake.withdraw(beside)
        return Withdrawn(batch, was_last=not lake.batches(batch.feed))


def _batch_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", text):
        facts = [("got", text), ("allowed", "letters, digits, . _ and -, at most 100; not a . at the beginning")]
        raise UsageError("This cannot be the name of a batch.", facts, "--batch 2026-11-23")
    return text


def _feeds(table: LandedTable) -> tuple[str, str]:
    return table.feed, table.rejected_feed


def _fix(table: LandedTable, damaged: BatchName, request: Request) -> str:
    return (
        f"portmesh land {table.label} FILE --batch {damaged.batch_id} --replace{request.hint}, "
        f"or portmesh land {table.label} --withdraw {damaged.batch_id}{request.hint}"
    )


def _read(files: Files, staged: Staged, aside: Staged | None, progress: Progress) -> _Reading:
    reading, done = _Reading(), 0

    def report(read: int) -> None:
        nonlocal done
        done += read
        progress(done, files.bytes)

    try:
        for part in files.parts(report):
            reading.note(part)
            staged.write(part.rows)
            if aside and part.rejected:
                aside.write(pa.Table.from_pylist([asdict(one) for one in part.rejected], schema=REJECTED))
    except OSError as error:
        facts = [("where", f"this machine, {staged.folder}"), ("got", error.strerror or str(error))]
        message = "A file could not be read, or its batch not be written, so nothing was landed."
        next_step = "make room on the disk, or fetch the file again, then run this again"
        raise UsageError(message, facts, next_step) from error
    return reading


def _refused(table: LandedTable, rows: int, reading: _Reading) -> PortmeshError:
    facts = [(f"{one.file}, line {one.line:,}", f"{one.reason}\n{printable(one.text, 90)}") for one in reading.first]
    if more := reading.rejected - len(reading.first):
        facts.append(("and", f"{more:,} more"))
    number = f"{reading.rejected:,} of {count(rows, 'row')}"
    if reading.rejected == rows:
        number = "The only row" if rows == 1 else f"None of the {count(rows, 'row')}"
    verb = "can" if number.startswith("None") else "cannot"
    is_set_aside = table.contract.bad_rows == "set_aside"
    said = f"{number} {verb} be read, so nothing was landed in {table.label}."
    next_step = f"fix the file, or the columns and landing in {table.path}"
    if reading.rejected > MOST_SET_ASIDE * rows:
        next_step += "\nmost rows are refused, so the file is probably written in another way than the YAML says"
        said += " A batch needs at least one row that is not set aside." if is_set_aside else ""
    else:
        next_step += "\nto land the others and set such rows aside: landing: {bad_rows: set_aside}"
    return FindingsError(
        said,
        facts,
        next_step,
        as_json={
            "rejected": reading.rejected,
            "rows": rows,
            "first": [{"file": r.file, "line": r.line, "reason": r.reason, "text": r.text} for r in reading.first],
        },
    )


def _assert_columns(lake: Lake, table: LandedTable, batch: BatchName, landed_at: datetime) -> None:
    """Earlier batches show null in a column that is new; no other change can be read together with them."""
    before = lake.columns(table.feed, but=batch)
    if not before:
        return
    now = stamp(table.schema.empty_table(), batch, landed_at).schema
    lost, wanted = lost_columns(before, describe_columns(lake.types(now)))
    if wanted:
        raise FindingsError(
            f"The columns of {table.label} differ from those of the batches that have landed, so nothing was landed.",
            [("file", table.path), ("got", lost), ("landed", wanted), ("allowed", "those, and new columns")],
            "undo the change; or land under another identifier of the table, and union both in staging",
        )


def _assert_unique(table: LandedTable, staged: Staged) -> None:
    """Raises FindingsError if two rows have the same key: nothing says which of them is right."""
    key = table.contract.key
    if not key or not staged.rows:
        return
    listed = ", ".join(f'"{name}"' for name in key)
    with (
        TemporaryDirectory(prefix="portmesh-") as spill,
        duckdb.connect(config={"memory_limit": "1GB", "temp_directory": spill}) as engine,
    ):
        rows = "read_parquet($1, hive_partitioning = false)"
        keys = f"select {listed}, count(*) as times from {rows} group by all having times > 1"
        (number,) = engine.execute(f"select count(*) from ({keys})", [str(staged.path)]).fetchone() or (0,)
        found = engine.execute(f"{keys} order by all limit {SHOWN}", [str(staged.path)]).fetchall() if number else []
    if found:
        shown = "\n".join(f"{', '.join(printable(v, 60) for v in row[:-1])}: {row[-1]} rows" for row in found)
        verb = "occurs" if number == 1 else "occur"
        raise FindingsError(
            f"{count(number, 'key')} of {table.label} {verb} more than once in the batch, so nothing was landed.",
            [("key", ", ".join(key)), ("got", shown)],
            f"fix the file; or take landing.key out of {table.path}, and decide in staging which row counts",
        )
