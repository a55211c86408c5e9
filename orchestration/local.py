"""An Airflow on this machine, on the loopback address, with SQLite unless told otherwise. Standard library only."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[1]
POOLS = Path(__file__).with_name("pools.json")
USER = "admin"
SCHEDULER = ("scheduler", "--skip-serve-logs")
"""The scheduler without its log server, which would listen on all addresses."""
START_SECONDS = 180
STOP_SECONDS = 10


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _processes_below(roots: set[int]) -> set[int]:
    """The processes that these started, and those that they started: a task of Airflow leaves its group."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(process): int(parent) for process, parent in map(str.split, listed.splitlines())}
    found = known = roots
    while found:
        found = {process for process, parent in parents.items() if parent in found} - known
        known = known | found
    return known - roots


class LocalAirflow:
    """Airflow 3 or 2 (`major`), with its state in `home` and the DAGs of a folder.

    `variables` are added to the environment of its tasks, such as PORTMESH_HOME. `database` is its URL.
    """

    def __init__(
        self, major: int, home: Path, dags: Path, variables: Mapping[str, str], port: int = 0, database: str = ""
    ) -> None:
        self.major = major
        self.home = home
        self.database = database or f"sqlite:///{home / 'airflow.db'}"
        self.port = port or free_port()
        self.password = secrets.token_urlsafe(9)
        self.python = ROOT / f".venv-airflow{major}" / "bin" / "python"
        path = f"{self.python.parent}{os.pathsep}{os.environ.get('PATH', '')}"  # Airflow 2 looks for `airflow` on it
        self.environment = {**os.environ, "PATH": path, **self._settings(dags), **variables}
        self._servers: dict[subprocess.Popen[bytes], tuple[str, ...]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _settings(self, dags: Path) -> dict[str, str]:
        settings = {
            "CORE__DAGS_FOLDER": dags,
            "CORE__LOAD_EXAMPLES": False,
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
            "CORE__DEFAULT_TASK_RETRY_DELAY": 2,
            "DATABASE__SQL_ALCHEMY_CONN": self.database,
            "LOGGING__LOGGING_LEVEL": "INFO",
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
            "USAGE_DATA_COLLECTION__ENABLED": False,
        }
        if self.major == 2:
            settings |= {
                "CORE__EXECUTOR": "SequentialExecutor" if self.database.startswith("sqlite") else "LocalExecutor",
                "SCHEDULER__MIN_FILE_PROCESS_INTERVAL": 10,
                "SCHEDULER__DAG_DIR_LIST_INTERVAL": 10,
            }
        else:
            settings |= {
                "CORE__EXECUTOR": "LocalExecutor",
                "CORE__PARALLELISM": 2,
                "CORE__EXECUTION_API_SERVER_URL": f"{self.address}/execution/",
                "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
                "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": self.home / "passwords.json",
                "API__HOST": "127.0.0.1",
                "API__PORT": self.port,
                "API__BASE_URL": self.address,
                "API__WORKERS": 1,
                "WORKERS__EXECUTION_API_TIMEOUT": 60,
                "API_AUTH__JWT_SECRET": secrets.token_urlsafe(32),
                "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 10,
                "DAG_PROCESSOR__REFRESH_INTERVAL": 10,
            }
        named = {f"AIRFLOW__{key}": str(value) for key, value in settings.items()}
        return {"AIRFLOW_HOME": str(self.home), **named}

    def run(self, *arguments: str) -> str:
        """The output of an `airflow` command, which must succeed."""
        done = subprocess.run(
            [self.python, "-m", "airflow", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"airflow {' '.join(arguments)} failed.\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, with_pages: bool = True) -> None:
        """Create the database and the pools, and start the servers: the scheduler once the web server answers.

        Airflow 3 needs its web server to run tasks, and some start at once; Airflow 2 has one only `with_pages`.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "passwords.json").write_text(json.dumps({USER: self.password}))
        self.run("db", "migrate")
        self.run("pools", "import", str(POOLS))
        if self.major == 2 and with_pages:
            person = ["--firstname", USER, "--lastname", USER, "--email", "admin@example.com"]
            self.run("users", "create", "-u", USER, "-p", self.password, "-r", "Admin", *person)
        if pages := self._pages(with_pages):
            self.launch(*pages)
            self._wait_for_pages()
        for command in self._commands():
            self.launch(*command)

    def launch(self, *command: str) -> None:
        """Start a server of Airflow, which `stop` ends."""
        with (self.home / f"{command[0]}.log").open("ab") as log:
            server = subprocess.Popen(
                [self.python, "-m", "airflow", *command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._servers[server] = command

    def revive(self) -> None:
        """Start the servers again that ended by themselves, as MWAA does."""
        ended = [server for server in self._servers if server.poll() is not None]
        for server in ended:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            self.launch(*self._servers.pop(server))

    def _pages(self, with_pages: bool) -> tuple[str, ...]:
        if self.major == 3:
            return ("api-server",)
        webserver = ("webserver", "--hostname", "127.0.0.1", "--port", str(self.port), "--workers", "1")
        return webserver if with_pages else ()

    def _commands(self) -> list[tuple[str, ...]]:
        return [SCHEDULER, *([("dag-processor",)] if self.major == 3 else [])]

    def _wait_for_pages(self) -> None:
        path = "/api/v2/monitor/health" if self.major == 3 else "/health"
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            broken = [server for server in self._servers if server.poll() is not None]
            if broken:
                raise RuntimeError(f"Airflow stopped at once; see the logs in {self.home}.")
            with suppress(URLError, OSError), urlopen(self.address + path, timeout=5):
                return
            time.sleep(0.5)
        raise RuntimeError(
            f"Airflow did not answer at {self.address} in {START_SECONDS} s; see the logs in {self.home}."
        )

    def stop(self) -> None:
        """End the servers and all their processes, those of running tasks included: the next try of a task goes on."""
        below = _processes_below({server.pid for server in self._servers})
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
        for server in self._servers:
            with suppress(subprocess.TimeoutExpired):
                server.wait(STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        for process in below:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._servers.clear()

    def trigger(self, dag_id: str, **parameters: Any) -> None:
        """Start a DAG by hand."""
        if self.major == 2:
            self.run("dags", "trigger", dag_id, "--conf", json.dumps(parameters))
            return
        self._ask(f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": parameters})

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear a task of a run, and what comes after it."""
        if self.major == 2:
            ((date,),) = self.rows(
                f"select execution_date from dag_run where dag_id = '{dag_id}' and run_id = '{run_id}'"
            )
            window = ("--start-date", date, "--end-date", date)
            self.run("tasks", "clear", dag_id, "--yes", "--downstream", "--task-regex", f"^{task_id}$", *window)
            return
        wanted = {"dag_run_id": run_id, "task_ids": [task_id], "include_downstream": True}
        self._ask(f"/api/v2/dags/{dag_id}/clearTaskInstances", {**wanted, "only_failed": False, "dry_run": False})

    def _ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """An answer of Airflow 3's API."""
        login = {"username": USER, "password": self.password}
        return self._post(path, body, self._post("/auth/token", login)["access_token"])

    def _post(self, path: str, body: Mapping[str, Any], token: str = "") -> Any:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = Request(self.address + path, json.dumps(body).encode(), headers, method="POST")
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def serve(self) -> None:
        """Start, print the address and the login, and stop at Ctrl+C or SIGTERM."""
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, signal.default_int_handler)
        print(f"Airflow {self.major} starts; this takes half a minute …", flush=True)
        try:
            self.start()
            print(f"\n  the pages   {self.address}\n  login       {USER}\n  password    {self.password}\n")
            print("Ctrl+C stops it. What it knows stays in .airflow/ until make clean.", flush=True)
            while all(server.poll() is None for server in self._servers):
                time.sleep(1)
            print(f"A server of Airflow ended; see the logs in {self.home}.")
        except KeyboardInterrupt:
            print("\nAirflow stops.")
        finally:
            self.stop()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query on Airflow's database."""
        with closing(sqlite3.connect(f"file:{self.home / 'airflow.db'}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(sql).fetchall()


if __name__ == "__main__":
    LocalAirflow(
        3,
        ROOT / ".airflow",
        ROOT / "orchestration/dags",
        {
            "PORTMESH_HOME": str(ROOT),
            "PORTMESH_PYTHON": sys.executable,
            "PORTMESH_TARGET": os.environ.get("PORTMESH_TARGET", "local"),
        },
        int(sys.argv[1]),
    ).serve()
