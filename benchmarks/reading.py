"""Readers that loop while a table is replaced, each in its own process, and a summary of what they read.

Every row of the table has the number of its version, so each read shows which versions it saw. A reader's process
imports only this module, so keep its imports few.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from statistics import median
from typing import Any

import trino
from pyhive import hive

SELECTS = {
    "scan": "select count(*), min(version), max(version) from {table}",
    "self-join": (
        "select count(*), min(least(a.version, b.version)), max(greatest(a.version, b.version)) "
        "from {table} as a join {table} as b on a.n = b.n"
    ),
    "scalar subqueries": (
        "select (select count(*) from {table}), (select min(version) from {table}), (select max(version) from {table})"
    ),
    "in": "select count(*), min(version), max(version) from {table} where version in (select version from {table})",
    "exists": (
        "select count(*), min(version), max(version) from {table} as a "
        "where exists (select 1 from {table} as b where b.n = a.n and b.version = a.version)"
    ),
}


@dataclass(frozen=True)
class Read:
    """One read: its times, and the rows and versions that it saw, or the kind of its error."""

    began: float
    ended: float
    rows: int = 0
    lowest: int | None = None
    highest: int | None = None
    error: str = ""


@dataclass(frozen=True)
class Attempt:
    """One run of the writer: the version that it wrote, when it finished, and whether its checks passed."""

    version: int
    ended: float
    is_good: bool


@dataclass(frozen=True)
class Tally:
    """The number of reads, and how many of them saw something that no reader should see."""

    reads: int
    errors: Counter[str]
    mixed: int
    """Reads that saw rows of two versions, or the wrong number of rows."""
    stale: int
    """Reads that saw a complete version, but an older one than was published when the read began."""
    bad: int
    """Reads that saw a complete version whose checks failed."""
    seconds: float
    """The median duration of a read."""


def tally(reads: Sequence[Read], attempts: Sequence[Attempt], rows: int) -> Tally:
    """Summarize these reads. `attempts` lists the versions, which have `rows` rows each."""
    whole = [read for read in reads if not read.error and read.rows == rows and read.lowest == read.highest]
    errors = Counter(read.error for read in reads if read.error)
    bad = {attempt.version for attempt in attempts if not attempt.is_good}
    return Tally(
        reads=len(reads),
        errors=errors,
        mixed=len(reads) - errors.total() - len(whole),
        stale=sum(_version(read) < _newest_before(read, attempts) for read in whole),
        bad=sum(_version(read) in bad for read in whole),
        seconds=median(read.ended - read.began for read in reads) if reads else 0,
    )


def _version(read: Read) -> int:
    assert read.lowest is not None, "a read of rows has their version"
    return read.lowest


def _newest_before(read: Read, attempts: Iterable[Attempt]) -> int:
    """The newest good version that was published before the read began."""
    return max((a.version for a in attempts if a.is_good and a.ended <= read.began), default=0)


def error_kind(text: str) -> str:
    """The engine's name for an error, from its message."""
    found = re.search(
        r"\[([A-Z][A-Z_.]{3,})\]|error_?name[=:] ?'?(\w+)|(\w+(?:Exception|Error))\b", text, re.IGNORECASE
    )
    return next(name for name in found.groups() if name) if found else text[:60]


@dataclass(frozen=True)
class Reader:
    """A loop of one select on one engine. On Spark, its session has these settings."""

    engine: str
    select: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return f"{self.engine}, {self.select}"


READERS = [Reader(engine, select) for engine in ("Spark", "Trino") for select in ("scan", "self-join")]


class Readers:
    """Readers that read a table until they are stopped."""

    def __init__(self, table: str, readers: Sequence[Reader], pause: float) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._stop = spawn.Event()
        self._work: dict[Reader, tuple[Any, Connection, Synchronized[int]]] = {}
        for reader in readers:
            here, there = spawn.Pipe()
            count = spawn.Value("i", 0)
            process = spawn.Process(
                target=_loop, args=(reader, table, pause, self._stop, there, count), name=reader.name, daemon=True
            )
            process.start()
            there.close()
            self._work[reader] = (process, here, count)

    def reads_of(self, engine: str) -> int:
        """How many reads an engine's readers have finished."""
        return sum(count.value for reader, (_, _, count) in self._work.items() if reader.engine == engine)

    def stop(self) -> dict[Reader, list[Read]]:
        """Stop the readers and return all reads of each."""
        self._stop.set()
        found = {reader: here.recv() for reader, (_, here, _) in self._work.items()}
        for process, _, _ in self._work.values():
            process.join()
        return found


def _loop(reader: Reader, table: str, pause: float, stop: Event, result: Connection, count: Synchronized[int]) -> None:
    sql = SELECTS[reader.select].format(table=table)
    connect = partial(connect_spark, reader.settings) if reader.engine == "Spark" else connect_trino
    reads: list[Read] = []
    connection = connect()
    while not stop.is_set():
        read = _read(connection, sql)
        if read.error:
            with suppress(Exception):
                connection.close()
            connection = connect()
        reads.append(read)
        count.value = len(reads)
        time.sleep(pause)
    result.send(reads)


def _read(connection: Any, sql: str) -> Read:
    began = time.monotonic()
    try:
        cursor = connection.cursor()
        cursor.execute(sql)
        ((rows, lowest, highest),) = cursor.fetchall()
    except (hive.Error, trino.exceptions.Error, OSError) as error:
        return Read(began, time.monotonic(), error=error_kind(getattr(error, "error_name", None) or str(error)))
    return Read(began, time.monotonic(), rows, lowest, highest)


def connect_spark(settings: Sequence[tuple[str, str]] = ()) -> Any:
    """A session of Spark's Thrift server, which accepts settings only with this prefix."""
    host, port = os.environ["PORTMESH_SPARK_HOST"], int(os.environ["PORTMESH_SPARK_PORT"])
    configuration = {f"set:hiveconf:{name}": value for name, value in settings}
    return hive.connect(host=host, port=port, username="reader", auth="NONE", configuration=configuration)


def connect_trino() -> Any:
    """A session of Trino, without Athena's API."""
    port = int(os.environ["RIG_TRINO_PORT"])
    return trino.dbapi.connect(host="127.0.0.1", port=port, user="reader", catalog="awsdatacatalog", max_attempts=1)


def watch(
    table: str,
    publish: Callable[[int], bool],
    publications: int,
    reads: int,
    readers: Sequence[Reader],
    pause: float,
) -> tuple[dict[Reader, list[Read]], list[Attempt], list[float]]:
    """Publish versions from 2 while readers loop, until there are enough versions and enough reads on each engine.

    `publish` returns whether the version's checks passed. Version 1 must exist. Also returns the seconds of each run.
    """
    attempts = [Attempt(1, time.monotonic(), True)]
    seconds = []
    at_work = Readers(table, readers, pause)
    engines = {reader.engine for reader in readers}
    while len(attempts) <= publications or any(at_work.reads_of(engine) < reads for engine in engines):
        version, began = len(attempts) + 1, time.monotonic()
        is_good = publish(version)
        attempts.append(Attempt(version, time.monotonic(), is_good))
        seconds.append(time.monotonic() - began)
    return at_work.stop(), attempts, seconds
