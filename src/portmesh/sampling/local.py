"""Where a sample goes, as a whole or not at all: the local target's database, and its lake folder.

What a sample wrote is marked: tables by their comment, feeds by a file with the hashes of their manifests. Nothing
else is ever replaced.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from portmesh import database
from portmesh.errors import FindingsError, PortmeshError
from portmesh.lake.batches import BatchName
from portmesh.lake.folder import MANIFEST, STAGING, FolderLake
from portmesh.sampling.choosing import STAMPS
from portmesh.sampling.wanted import Wanted
from portmesh.text import quoted, text_literal

MARK = "portmesh sample: "
"""The comment of a table that a sample wrote begins with it."""
MARK_FILE = ".sample.json"
"""A file in a feed that a sample wrote, with the hash of each batch's manifest."""
ROWS_PER_BATCH = 20_000
"""Rows in memory at a time."""
EMPTY = "empty"
"""The batch of a feed of which no row was taken, so that landed() has its columns."""


@dataclass(frozen=True)
class Local:
    """The database file and the lake folder of the local target. Neither needs to exist yet."""

    file: Path
    lake: FolderLake

    def earlier(self) -> list[str]:
        """The names of what an earlier sample wrote here: tables and feeds."""
        with self._read_only() as connection:
            tables = [f"{schema}.{table}" for schema, table, _, comment in _relations(connection) if _is_mark(comment)]
        return [*tables, *(f"the feed {feed}" for feed in self._sampled_feeds())]

    def assert_free(self, tables: Sequence[Wanted]) -> None:
        """Raises FindingsError if a sample of these tables would replace something that no sample wrote."""
        with self._read_only() as connection:
            there = {(schema, name): (kind, comment) for schema, name, kind, comment in _relations(connection)}
        taken: list[tuple[str, str]] = []
        for table in tables:
            kind, comment = there.get((table.local_schema, table.table), ("", None))
            if not table.feed and kind and not _is_mark(comment):
                what = "a published port" if table.kind == "port" and kind == "view" else f"a {kind}"
                taken.append((table.label, f"{what}, {table.local_schema}.{table.table}, in {self.file}"))
        labels = {table.feed: table.label for table in tables if table.feed}
        for feed in sorted({*labels, *self._sampled_feeds()}):
            if others := self._landed(feed):
                taken.append((labels.get(feed, feed), f"{others}, in {self.lake.folder / feed}"))
        if taken:
            raise FindingsError(
                "Not every table of the sample can be written here: something that is no sample has its name. "
                "Nothing was changed.",
                taken,
                "give the sample a database and a lake of its own, then run this again:\n"
                "export PORTMESH_DATABASE=$PWD/sample.duckdb PORTMESH_LAKE=$PWD/.lake-sample",
                as_json={"taken": dict(taken)},
            )

    @contextmanager
    def replacing(self, tables: Sequence[Wanted]) -> Iterator[Writer]:
        """Everything that is written inside becomes visible at the end, and the earlier sample goes.

        The database changes in one transaction. A feed is replaced by two renames just before it ends, which are undone
        if anything fails; a process that is killed between them leaves a feed of the old sample, or none.
        """
        is_new = not self.file.exists()
        with ExitStack() as stack:
            stack.enter_context(self.lake.landing())
            # Again, now that the lake is locked.
            self.assert_free(tables)
            try:
                connection = stack.enter_context(self._opened(read_only=False))
                connection.execute("begin transaction")
                for schema, table, _, comment in _relations(connection):
                    if _is_mark(comment):
                        connection.execute(f"drop table {quoted(schema, table)}")
                staged = FolderLake(self.lake.folder / STAGING / "sample")
                staged.folder.mkdir()
                yield Writer(connection, staged)
                self._switch(staged, lambda: connection.execute("commit"))
            except BaseException as error:
                stack.close()
                if is_new:
                    self.file.unlink(missing_ok=True)
                if isinstance(error, duckdb.Error):
                    raise _explained(error) from error
                raise

    def _switch(self, staged: FolderLake, commit: Callable[[], object]) -> None:
        done: list[tuple[Path, Path]] = []
        away = self.lake.folder / STAGING / "replaced"
        away.mkdir()
        try:
            for feed in self._sampled_feeds():
                _move(self.lake.folder / feed, away / feed, done)
            for feed in staged.feeds():
                target = self.lake.folder / feed
                if target.exists():
                    target.rmdir()
                _move(staged.folder / feed, target, done)
            commit()
        except BaseException:
            for source, target in reversed(done):
                target.rename(source)
            raise

    def _sampled_feeds(self) -> list[str]:
        return [feed for feed in self.lake.feeds() if (self.lake.folder / feed / MARK_FILE).is_file()]

    def _landed(self, feed: str) -> str:
        """The batches of a feed that no sample wrote, as text. Empty if there are none."""
        mark = self.lake.folder / feed / MARK_FILE
        sampled = json.loads(mark.read_text()) if mark.is_file() else {}
        others = [
            batch.batch_id
            for batch in self.lake.batches(feed)
            if sampled.get(batch.batch_id) != _hash_of(self.lake.path(batch) / MANIFEST)
        ]
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        return f"landed batches {', '.join(others[:3])}{more}" if others else ""

    @contextmanager
    def _read_only(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self.file.exists():
            with self._opened(read_only=True) as connection:
                yield connection
        else:
            with duckdb.connect(":memory:") as connection:
                yield connection

    @contextmanager
    def _opened(self, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            connection = duckdb.connect(str(self.file), read_only=read_only)
        except (duckdb.Error, OSError) as error:
            raise _explained(error) from error
        with connection:
            connection.execute("set TimeZone = 'UTC'")
            yield connection


@dataclass
class Writer:
    """Writes tables and feeds of a sample. `rows` are those written so far, by the table's label."""

    connection: duckdb.DuckDBPyConnection
    staged: FolderLake
    rows: dict[str, int] = field(default_factory=dict)

    def write(self, table: Wanted, columns: Mapping[str, str], batches: pa.RecordBatchReader, about: str) -> None:
        """Write a table: its masked rows, as columns of DuckDB's types."""
        name = "sampled_feed" if table.feed else quoted(table.local_schema, table.table)
        if not table.feed:
            self.connection.execute(f"create schema if not exists {quoted(table.local_schema)}")
        definitions = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
        kind = "temporary table" if table.feed else "table"
        self.connection.execute(f"create {kind} {name} ({definitions})")
        self.connection.register("sampled_rows", batches)
        written = self.connection.execute(f"insert into {name} select * from sampled_rows").fetchone()
        self.connection.unregister("sampled_rows")
        self.rows[table.label] = int(written[0]) if written else 0
        if table.feed:
            self._land(table.feed, name)
        else:
            self.connection.execute(f"comment on table {name} is {text_literal(MARK + about)}")

    def _land(self, feed: str, name: str) -> None:
        """Land the rows as the batches that they are in production."""
        found = self.connection.execute(f"select _batch_id, min(_landed_at) from {name} group by all order by all")
        for batch_id, landed_at in found.fetchall() or [(EMPTY, datetime.now(UTC))]:
            _assert_name(feed, batch_id)
            data = f"select * exclude ({', '.join(STAMPS)}) from {name} where _batch_id = ?"
            rows = self.connection.sql(data, params=[batch_id]).to_arrow_reader(ROWS_PER_BATCH)
            with self.staged.stage(BatchName(feed, batch_id), rows.schema, landed_at.replace(tzinfo=UTC)) as batch:
                for part in rows:
                    batch.write(pa.Table.from_batches([part]))
            self.staged.publish(batch)
        marks = {b.batch_id: _hash_of(self.staged.path(b) / MANIFEST) for b in self.staged.batches(feed)}
        (self.staged.folder / feed / MARK_FILE).write_text(json.dumps(marks, indent=2) + "\n")
        self.connection.execute(f"drop table {name}")


def _explained(error: Exception) -> PortmeshError:
    text = str(error).strip()
    return database.meaning_of(text) or PortmeshError(
        "The sample was not taken; nothing was changed here.", [("got", text.splitlines()[0] if text else "")]
    )


def _relations(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, str | None]]:
    return connection.execute(
        "select schema_name, table_name, 'table', comment from duckdb_tables() where not internal and not temporary "
        "union all select schema_name, view_name, 'view', null from duckdb_views() where not internal order by all"
    ).fetchall()


def _is_mark(comment: str | None) -> bool:
    return bool(comment) and str(comment).startswith(MARK)


def _move(source: Path, target: Path, done: list[tuple[Path, Path]]) -> None:
    source.rename(target)
    done.append((source, target))


def _hash_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _assert_name(feed: str, batch_id: str) -> None:
    """Batch ids become folders, and these come from data."""
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", batch_id or ""):
        raise FindingsError(
            f"A batch of {feed} in production has a name that is no name of a batch, so nothing was sampled.",
            [("got", str(batch_id)), ("allowed", "letters, digits, and . _ - after the first character")],
        )
