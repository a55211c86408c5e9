"""Kill a build before each of its statements, one after the other, and say what consumers read then.

Run as a program: `python -m tests.kill_builds <project> <dbt arguments>`. Each build is a child process that
ends itself by SIGKILL before its nth statement after the port's first; every third is followed by one left alone.
Prints one JSON line per kill: {"statement": the SQL not run, "before", "after_kill", "landed": what is read, and
of the builds left alone "rerun_ok", "after_rerun"}.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.sql.connections import SQLConnectionManager
from dbt.cli.main import dbtRunner

MOST = 60
RERUN_EVERY = 3


def _in_child(act: Callable[[], object], pipe: Path) -> int:
    """Run `act` in a child, its result as JSON in `pipe`; returns the child's wait status."""
    child = os.fork()
    if child == 0:
        pipe.write_text(json.dumps(act()))
        os._exit(0)
    return os.waitpid(child, 0)[1]


def _build(project: Path, arguments: list[str], kill_before: int, trace: Path) -> bool:
    run_statement = SQLConnectionManager.add_query
    seen = {"started": 0, "count": 0}

    def add_query(self: SQLConnectionManager, sql: str, *rest: Any, **named: Any) -> Any:
        seen["started"] += "describe select * from" in sql
        if seen["started"] and kill_before:
            seen["count"] += 1
            if seen["count"] == kill_before:
                trace.write_text(sql)
                os.kill(os.getpid(), signal.SIGKILL)
        return run_statement(self, sql, *rest, **named)

    SQLConnectionManager.add_query = add_query  # type: ignore[method-assign]
    place = ["--project-dir", str(project), "--profiles-dir", str(project), "--quiet"]
    return dbtRunner().invoke([*arguments, *place]).success


def _query(database: Path, sql: str) -> object:
    with duckdb.connect(str(database)) as connection:
        row = connection.execute(sql).fetchone()
    return row[0] if row else None


def main() -> None:
    project, arguments = Path(sys.argv[1]), sys.argv[2:]
    database, answer, trace = project / "mesh.duckdb", project / "answer.json", project / "trace.sql"
    land, read, landed = ((project / f"{name}.sql").read_text() for name in ("land", "read", "landed"))

    def ask(sql: str) -> object:
        assert _in_child(lambda: _query(database, sql), answer) == 0
        return json.loads(answer.read_text())

    for statement in range(1, MOST):
        before = ask(read)
        ask(land)
        status = _in_child(lambda n=statement: _build(project, arguments, n, trace), answer)  # type: ignore[misc]
        if not os.WIFSIGNALED(status):
            break
        seen = {"statement": trace.read_text(), "before": before, "after_kill": ask(read), "landed": ask(landed)}
        if statement % RERUN_EVERY == 0:
            assert _in_child(lambda: _build(project, arguments, 0, trace), answer) == 0
            seen |= {"rerun_ok": json.loads(answer.read_text()), "after_rerun": ask(read)}
        print(json.dumps(seen))


if __name__ == "__main__":
    main()
