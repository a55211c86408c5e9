"""Kills a build at each of its statements in turn, and reports what consumers then read.

Run as a program: `python -m tests.kill_builds <target> <client|server> <project> <dbt arguments>`. Each build is a
child process. At the nth statement after the port's first one, SIGKILL hits:
  client   the child, before it sends the statement;
  server   the rig's engine while it runs the statement, if the statement writes. The engine is then started again.
A call that changes Glue's catalog counts as a statement. After every third build, one build runs without a kill.
Before the nth build, each file with a `<file>.growing` next to it is written from that file, in which a line with {n}
is repeated for each number up to n. In that case a build without a kill follows every build, so that the next build
has as much to do.
Prints one JSON line per kill: {"statement": where it was killed; "before", "after_kill", "landed": what is read; and
for builds without a kill "rerun_ok", "after_rerun"}.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.client import BaseClient
from dbt.adapters.sql.connections import SQLConnectionManager
from dbt.cli.main import dbtRunner

from tests.engine import Engine, engine_at
from tests.rig_client import Rig

MOST = 60
RERUN_EVERY = 3
FIRST_OF_THE_PORT = ") as described"
WRITES = re.compile(r"(?:\s|--|/\*.*?\*/)*(create|insert|delete|alter|call|drop|glue)\b", re.DOTALL | re.IGNORECASE)
GLUE_WRITES = ("CreateTable", "UpdateTable", "DeleteTable")
SECONDS_INTO_THE_STATEMENT = 0.05


@dataclass
class Killer:
    """Kills one build at statement number `at`, and writes the statement to `trace` if there is one."""

    at: int
    trace: Path
    server: int | None
    """The process that runs the statements; None if the client is to be killed."""
    started: bool = False
    count: int = 0

    def meet(self, statement: str) -> None:
        """Called with each statement before it is sent."""
        self.started = self.started or FIRST_OF_THE_PORT in statement
        if not self.started or (self.server and not WRITES.match(statement)):
            return
        self.count += 1
        if self.count == self.at:
            self.trace.write_text(statement)
            if self.server:
                threading.Timer(SECONDS_INTO_THE_STATEMENT, os.kill, (self.server, signal.SIGKILL)).start()
            else:
                os.kill(os.getpid(), signal.SIGKILL)


def _in_child(act: Callable[[], object], pipe: Path) -> int:
    """Run `act` in a child process, which writes its result as JSON to `pipe`. Returns the child's wait status."""
    child = os.fork()
    if child == 0:
        pipe.write_text(json.dumps(act()))
        os._exit(0)
    return os.waitpid(child, 0)[1]


def _build(project: Path, arguments: list[str], killer: Killer | None) -> bool:
    run_statement, call_aws = SQLConnectionManager.add_query, BaseClient._make_api_call  # type: ignore[attr-defined]

    def add_query(self: SQLConnectionManager, sql: str, *rest: Any, **named: Any) -> Any:
        if killer:
            killer.meet(sql)
        return run_statement(self, sql, *rest, **named)

    def make_api_call(self: BaseClient, operation: str, parameters: Any) -> Any:
        if killer and operation in GLUE_WRITES:
            killer.meet(f"glue {operation} {parameters}")
        return call_aws(self, operation, parameters)

    SQLConnectionManager.add_query = add_query  # type: ignore[method-assign]
    BaseClient._make_api_call = make_api_call  # type: ignore[attr-defined]
    place = ["--project-dir", str(project), "--profiles-dir", str(project), "--quiet"]
    return dbtRunner().invoke([*arguments, *place]).success


def _kill_at(number: int, engine: Engine, is_client: bool, project: Path, arguments: list[str]) -> bool:
    """Kill one build at a statement. False if the build has fewer statements."""
    trace = project / "trace.sql"
    trace.unlink(missing_ok=True)
    killer = Killer(number, trace, None if is_client else Rig.in_use().pid(engine.target))
    status = _in_child(lambda: _build(project, arguments, killer), project / "answer.json")
    assert os.WIFSIGNALED(status) == (is_client and trace.exists())
    if trace.exists() and not is_client:
        Rig.in_use().command("restart", engine.target)
    return trace.exists()


def _grow(template: Path, number: int) -> None:
    lines = template.read_text().splitlines()
    grown = [line.replace("{n}", str(n)) for line in lines for n in range(1, number + 1 if "{n}" in line else 2)]
    template.with_suffix("").write_text("\n".join(grown))


def main() -> None:
    target, victim, project, arguments = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]
    engine, answer = engine_at(target, project), project / "answer.json"
    land, read, landed = ((project / f"{name}.sql").read_text() for name in ("land", "read", "landed"))

    def ask(act: Callable[[], object]) -> Any:
        assert _in_child(act, answer) == 0
        return json.loads(answer.read_text())

    templates = list(project.rglob("*.growing"))
    for number in range(1, MOST):
        for template in templates:
            _grow(template, number)
        before = ask(lambda: engine.rows(read))
        ask(lambda: engine.change_table("raw.sales", land))
        if not _kill_at(number, engine, victim == "client", project, arguments):
            break
        seen = {
            "statement": (project / "trace.sql").read_text(),
            "before": before,
            "after_kill": ask(lambda: engine.rows(read)),
            "landed": ask(lambda: engine.rows(landed)),
        }
        if templates or number % RERUN_EVERY == 0:
            seen["rerun_ok"] = ask(lambda: _build(project, arguments, None))
            seen["after_rerun"] = ask(lambda: engine.rows(read))
        print(json.dumps(seen))


if __name__ == "__main__":
    main()
