"""A small mesh on an Airflow that the tests start, and what happened there."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from orchestration.local import LocalAirflow
from tests.postgres import AirflowOnPostgres, Postgres

PATIENCE = 600
"""Seconds for what takes seconds on an idle machine."""


@dataclass(frozen=True)
class Run:
    """A run of a DAG that ended: its state, and for each task its state and the number of its tries."""

    dag: str
    id: str
    state: str
    tasks: Mapping[str, tuple[str, int]]


class AirflowOfMesh:
    """An Airflow with the DAGs of the mesh in a folder. Waits at most `patience` seconds for what a test asks for.

    Its state is in SQLite, or in `postgres`.
    """

    def __init__(
        self,
        major: int,
        mesh: Path,
        home: Path,
        patience: float = PATIENCE,
        postgres: Postgres | None = None,
        **variables: str,
    ) -> None:
        self.dags = mesh / "orchestration/dags"
        self.patience = patience
        variables |= {"PORTMESH_HOME": str(mesh), "PORTMESH_PYTHON": sys.executable, "PORTMESH_TARGET": "local"}
        make = partial(AirflowOnPostgres, postgres) if postgres else LocalAirflow
        self.airflow = make(major, home, self.dags, variables)
        self.asset = {3: "asset", 2: "dataset"}[major]
        self.is_watched = False
        """Whether a server that ends by itself is started again, as MWAA does."""
        self._seen: set[tuple[str, str]] = set()

    def start(self) -> None:
        self.airflow.start(with_pages=False)
        self.wait(lambda: bool(self.airflow.rows("select 1 from serialized_dag")), "the DAGs")

    def knows(self, dag: str) -> bool:
        """Whether Airflow has read this DAG."""
        return bool(self.airflow.rows(f"select 1 from serialized_dag where dag_id = '{dag}'"))

    def wait(self, is_done: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + self.patience
        while not is_done():
            assert time.monotonic() < until, f"No {what} in {self.patience} s: {self._runs()}"
            if self.is_watched:
                self.airflow.revive()
            time.sleep(0.3)

    def trigger(self, dag: str, **parameters: Any) -> None:
        self.airflow.trigger(dag, **parameters)

    def clear(self, run: Run, task: str = "build") -> None:
        """Clear a task of a run that ended, and what comes after it: the run is one of the next ones again."""
        self.airflow.clear(run.dag, run.id, task)
        self._seen.remove((run.dag, run.id))

    def _runs(self) -> list[tuple[str, str, str]]:
        found = self.airflow.rows("select dag_id, run_id, state from dag_run order by id")
        return [(dag, run, state) for dag, run, state in found if (dag, run) not in self._seen]

    def runs(self, number: int) -> list[Run]:
        """The next runs, when this number of them and no other has ended."""
        self.wait(lambda: len(self._runs()) >= number, f"{number} runs")
        self.wait(self._all_ended, "end of the runs")
        found = self._take()
        assert len(found) == number, found
        return found

    def states(self, dag: str) -> list[str]:
        """The states of the next runs of a DAG."""
        return [state for name, _, state in self._runs() if name == dag]

    def _all_ended(self) -> bool:
        return all(state in ("success", "failed") for _, _, state in self._runs())

    def _take(self) -> list[Run]:
        found = [Run(dag, run, state, self._tasks(dag, run)) for dag, run, state in self._runs()]
        self._seen |= {(run.dag, run.id) for run in found}
        return found

    def settled(self) -> list[Run]:
        """The next runs, when nothing runs or waits to be started any more."""
        waiting = f"select 1 from {self.asset}_dag_run_queue"
        self.wait(lambda: bool(self._runs()), "runs")
        self.wait(lambda: self._all_ended() and not self.airflow.rows(waiting) and self._all_ended(), "end of the runs")
        return self._take()

    def _tasks(self, dag: str, run: str) -> dict[str, tuple[str, int]]:
        rows = self.airflow.rows(
            f"select task_id, state, try_number from task_instance where dag_id = '{dag}' and run_id = '{run}'"
        )
        return {task: (state, tries) for task, state, tries in rows}

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """The port and the details of each event so far, in order."""
        joined = f"{self.asset}_event e join {self.asset} a on a.id = e.{self.asset}_id"
        rows = self.airflow.rows(f"select uri, e.extra from {joined} order by e.id")
        return [(uri.removeprefix("portmesh://").replace("/", "."), json.loads(extra)) for uri, extra in rows]

    def log(self, dag: str, run: str, task: str = "build", attempt: int = 1) -> str:
        """The log of a task, as plain text."""
        path = self.airflow.home / f"logs/dag_id={dag}/run_id={run}/task_id={task}/attempt={attempt}.log"
        if not path.is_file():
            return ""
        return "\n".join(_plain(line) for line in path.read_text().splitlines())

    def is_told(self, dag: str, text: str) -> bool:
        """Whether the log of a run that goes on says this."""
        runs = [run for name, run, state in self._runs() if name == dag]
        return any(text in self.log(dag, run, attempt=attempt) for run in runs for attempt in (1, 2))


def _plain(line: str) -> str:
    """A line of a log; Airflow 3 writes JSON."""
    try:
        found = json.loads(line)
    except ValueError:
        return re.sub(r"^\[[^\]]*\] \{[^}]*\} \w+ - ", "", line)
    errors = [f"{error['exc_type']}: {error['exc_value']}" for error in found.get("error_detail") or ()]
    return "\n".join([str(found.get("event")), *([found["reason"]] if "reason" in found else []), *errors])


def guards_of(home: Path) -> list[int]:
    """The leaders of process groups that run portmesh for a mesh."""
    return [pid for pid, command in _processes() if "end_with_the_task" in command and _folder(pid) == home]


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _processes() -> list[tuple[int, str]]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found.append((int(path.name), (path / "cmdline").read_text().replace("\0", " ")))
        except OSError:
            continue
    return found


def _folder(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None
