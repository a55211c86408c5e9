"""Runs queries as Athena does: queued, run on Trino, billed, written to the results' location, or cancelled."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
import trino
from botocore.exceptions import ClientError

from rig.endpoint.athena.catalog import Catalog
from rig.endpoint.athena.nodes import rows_of
from rig.endpoint.athena.statements import AthenaError, Statement
from rig.endpoint.athena.translation import HIVE, Translator
from rig.endpoint.athena.values import speller
from rig.endpoint.athena.workgroups import Demands
from rig.endpoint.faults import Faults
from rig.home import Server
from rig.processes import LOOPBACK

log = logging.getLogger(__name__)

OUT_OF_MEMORY = re.compile("MEMORY_LIMIT|OUT_OF_MEMORY")
MORE_MEMORY = "(On the rig: RIG_TRINO_HEAP=6G .venv-rig/bin/python -m rig restart athena)"
TRINO_ENDED = f"If Trino has ended, it usually ran out of memory. {MORE_MEMORY}"
OVER_THE_LIMIT = "Bytes scanned limit was exceeded"
# The rows of this many recent queries can be read page by page; rows of older ones are only in S3.
KEPT_RESULTS = 200
FINISHED = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass
class Execution:
    """One query, from its submission."""

    sql: str
    database: str
    catalog_name: str | None
    group: str
    access_key: str
    demands: Demands
    output: str
    parameters: list[str]
    reuse_minutes: int | None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    reason: str | None = None
    submitted: float = field(default_factory=time.time)
    ended: float | None = None
    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: list[list[str | None]] | None = field(default_factory=list)
    changed: int = 0
    scanned: int = 0
    reused: bool = False
    cancel_asked: str | None = None

    def __post_init__(self) -> None:
        self.statement = Statement(self.sql, self.database)

    @property
    def has_rows(self) -> bool:
        """Whether its result is rows, in a .csv file."""
        return self.statement.is_query or self.statement.kind == "UTILITY"

    @property
    def location(self) -> str:
        """Where its result is."""
        if self.statement.is_query:
            return f"{self.output}{self.id}.csv"
        return f"{self.output}{self.id}" + ("" if self.statement.kind == "DML" else ".txt")

    @property
    def finished(self) -> bool:
        """Whether its state is final."""
        return self.state in FINISHED

    def finish(self, state: str, reason: str | None = None) -> None:
        """Set the final state. The time is set first, so that whoever sees the state also sees the time."""
        self.reason = reason
        self.ended = time.time()
        self.state = state


class Executions:
    """All queries of one endpoint."""

    def __init__(self, catalog: Catalog, trino_server: Callable[[], Server | None], faults: Faults) -> None:
        self._catalog = catalog
        self._trino_server = trino_server
        self._faults = faults
        self._pool = ThreadPoolExecutor(8)
        self._lock = threading.Lock()
        self._all: OrderedDict[str, Execution] = OrderedDict()
        self._running: dict[str, trino.dbapi.Cursor] = {}

    def submit(self, execution: Execution) -> None:
        """Accept a query, or reuse an earlier result if the client allows it."""
        earlier = self._reusable(execution)
        with self._lock:
            self._all[execution.id] = execution
            for old in list(self._all.values())[:-KEPT_RESULTS]:
                old.rows = None
        if earlier is None:
            self._pool.submit(self._run, execution)
            return
        execution.columns, execution.rows, execution.reused = earlier.columns, earlier.rows, True
        self._write_result(execution)
        execution.finish("SUCCEEDED")

    def get(self, execution_id: str) -> Execution | None:
        """A query by its id."""
        return self._all.get(execution_id)

    def ids(self, group: str) -> list[str]:
        """A work group's queries, newest first."""
        with self._lock:
            return [execution.id for execution in reversed(self._all.values()) if execution.group == group]

    def cancel(self, execution: Execution, reason: str) -> None:
        """Cancel a query that is not finished. It is cancelled a moment later."""
        execution.cancel_asked = reason

    def _reusable(self, wanted: Execution) -> Execution | None:
        """The newest result of the same query in the same work group that is recent enough."""
        if wanted.reuse_minutes is None or not wanted.statement.is_query:
            return None
        youngest = time.time() - wanted.reuse_minutes * 60
        with self._lock:
            for execution in reversed(self._all.values()):
                same = (execution.sql, execution.database, execution.group, execution.parameters) == (
                    *(wanted.sql, wanted.database, wanted.group, wanted.parameters),
                )
                if same and execution.state == "SUCCEEDED" and execution.submitted >= youngest and not execution.reused:
                    return execution if execution.rows is not None else None
        return None

    def _run(self, execution: Execution) -> None:
        execution.state = "RUNNING"
        try:
            self._meet_fault(execution)
            translator = Translator(self._catalog, lambda query: self._columns(execution, query))
            for sql in translator.translate(execution.statement, execution.demands, execution.output):
                self._run_on_trino(execution, sql)
            self._write_result(execution)
        except _CancelledError as cancelled:
            execution.finish("CANCELLED", str(cancelled))
        except AthenaError as error:
            execution.finish("FAILED", str(error))
        except trino.exceptions.TrinoQueryError as error:
            if execution.cancel_asked:
                execution.finish("CANCELLED", execution.cancel_asked)
            else:
                hint = f" {MORE_MEMORY}" if OUT_OF_MEMORY.search(error.error_name or "") else ""
                execution.finish("FAILED", f"{error.error_name}: {error.message}{hint}")
        except (trino.exceptions.TrinoConnectionError, ClientError) as error:
            # Trino ends immediately when its heap is full.
            hint = "" if isinstance(error, ClientError) else f" {TRINO_ENDED}"
            execution.finish("FAILED", f"GENERIC_INTERNAL_ERROR: {error}{hint}")
        except Exception as error:  # This runs in a thread of the pool, so the client is the only one to report it to.
            log.exception("The rig failed on a query: %s", execution.sql)
            execution.finish("FAILED", f"The rig failed: {type(error).__name__}: {error}")
        else:
            execution.finish("SUCCEEDED")

    def _meet_fault(self, execution: Execution) -> None:
        """A fault of the query itself: PUT /rig/faults with service athena, operation Query."""
        fault = self._faults.take("athena", "Query", execution.access_key, execution.sql)
        if fault is None:
            return
        time.sleep(fault.delay)
        if fault.code == "CANCELLED":
            raise _CancelledError(fault.message)
        if fault.code:
            raise AthenaError(f"{fault.code}: {fault.message}")

    @contextlib.contextmanager
    def _cursor(self, execution: Execution) -> Iterator[trino.dbapi.Cursor]:
        """A connection to Trino for one statement. Closes the session's sockets, which the client would leave open."""
        server = self._trino_server()
        if server is None:
            raise AthenaError("Trino is not running on this rig. To start it: python -m rig up athena")
        with requests.Session() as session:
            yield trino.dbapi.connect(
                host=LOOPBACK,
                port=server.ports["http"],
                user="athena",
                source=execution.id,
                catalog=HIVE,
                schema=execution.database,
                legacy_primitive_types=True,
                max_attempts=1,
                http_session=session,
            ).cursor()

    def _columns(self, execution: Execution, query: str) -> list[tuple[str, str]]:
        """The columns of a query. Reads no data."""
        with self._cursor(execution) as cursor:
            cursor.execute(f"select * from ({query}) limit 0")
            cursor.fetchall()
            return [(column[0], column[1]) for column in cursor.description or []]

    def _run_on_trino(self, execution: Execution, sql: str) -> None:
        with self._cursor(execution) as cursor:
            rows = self._fetch(execution, cursor, sql)
            if not execution.has_rows:
                execution.changed = max(cursor.rowcount, 0)
                return
            if _is_over(execution, cursor):
                raise _CancelledError(OVER_THE_LIMIT)
            execution.columns = [(column[0], column[1]) for column in cursor.description or []]
        spellers = [speller(kind) for _, kind in execution.columns]
        execution.rows = [
            [None if value is None else spell(value) for spell, value in zip(spellers, row, strict=True)]
            for row in rows
        ]

    def _fetch(self, execution: Execution, cursor: trino.dbapi.Cursor, sql: str) -> list[list[Any]]:
        """Run a statement to its end, watch its limits, and add up the bytes that it read."""
        self._running[execution.id] = cursor
        watcher = threading.Thread(target=self._watch, args=(execution, cursor), daemon=True)
        watcher.start()
        scanned_before = execution.scanned
        try:
            if execution.cancel_asked:
                raise _CancelledError(execution.cancel_asked)
            return rows_of(cursor, _with_parameters(sql, execution.parameters))
        finally:
            del self._running[execution.id]
            execution.scanned = scanned_before + _scanned(cursor)

    def _watch(self, execution: Execution, cursor: trino.dbapi.Cursor) -> None:
        """While a query runs, cancel it if asked to or if it reads more than its work group allows."""
        while self._running.get(execution.id) is cursor:
            if _is_over(execution, cursor):
                self.cancel(execution, OVER_THE_LIMIT)
            if execution.cancel_asked:
                # Repeated, because Trino may not have accepted the query yet.
                with contextlib.suppress(trino.exceptions.Error):
                    cursor.cancel()
            time.sleep(0.05)

    def _write_result(self, execution: Execution) -> None:
        """The result's object: rows as .csv with all values quoted and nulls left empty, else an empty object."""
        lines = []
        if execution.has_rows:
            lines = [_csv_line([name for name, _ in execution.columns]), *map(_csv_line, execution.rows or [])]
        self._catalog.write(execution.location, "".join(lines).encode())


class _CancelledError(Exception):
    """A query was cancelled. The text says why."""


def _with_parameters(sql: str, parameters: Sequence[str]) -> str:
    """The statement with Athena's parameters, which are SQL literals: 2, 'two', date '2026-01-01'."""
    if not parameters:
        return sql
    quoted = sql.replace("'", "''")
    return f"execute immediate '{quoted}' using {', '.join(parameters)}"


def _csv_line(values: Sequence[str | None]) -> str:
    """A row as Athena writes it: all values except null are quoted, so that null and empty text differ."""
    cells = ("" if value is None else '"' + value.replace('"', '""') + '"' for value in values)
    return ",".join(cells) + "\n"


def _scanned(cursor: trino.dbapi.Cursor) -> int:
    """Bytes that Trino has read from S3 for a query so far."""
    return int((cursor.stats or {}).get("physicalInputBytes", 0)) if cursor._query else 0


def _is_over(execution: Execution, cursor: trino.dbapi.Cursor) -> bool:
    return execution.demands.cutoff is not None and _scanned(cursor) > execution.demands.cutoff
