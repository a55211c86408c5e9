"""A PostgreSQL of the tests' own, on the loopback address."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from orchestration.local import LocalAirflow, free_port

ORDINARY = "nobody"
"""PostgreSQL does not run as root."""
START_SECONDS = 60
TUPLES = "select row_to_json(found) from ({sql}) as found"


def skip_without_postgres() -> None:
    """Skip the test, with the reason, if this machine has no PostgreSQL."""
    missing = [name for name in ("initdb", "postgres", "psql") if program(name) is None]
    if missing:
        pytest.skip(f"PostgreSQL is not installed: there is no {', '.join(missing)}.")


def program(name: str) -> str | None:
    """The path of a program of PostgreSQL; Debian keeps most of them off the path."""
    debian = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *debian]))


class Postgres:
    """A server with a folder of its own, which `remove` deletes."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portmesh_postgres_"))
        self.port = free_port()
        self.url = f"postgresql+psycopg2://airflow@127.0.0.1:{self.port}/postgres"
        self._as = []
        if os.getuid() == 0:
            shutil.chown(self.folder, ORDINARY)
            self._as = ["setpriv", f"--reuid={ORDINARY}", "--regid=nogroup", "--clear-groups"]
        self._server: subprocess.Popen[bytes] | None = None
        self._run("initdb", "--no-sync", "--auth=trust", "--username=airflow", f"--pgdata={self.folder}/data")

    def _run(self, name: str, *arguments: str) -> str:
        command = [*self._as, str(program(name)), *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "fsync": "off", "max_connections": 200}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._server = subprocess.Popen(
            [*self._as, str(program("postgres")), "-D", f"{self.folder}/data", "-k", str(self.folder), *options],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < until, "PostgreSQL does not answer."
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            return self.rows("select 1") == [(1,)]
        except subprocess.CalledProcessError:
            return False

    def stop(self) -> None:
        """End the server at once, as a failing machine would: whoever is connected loses the connection."""
        if self._server:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()
            self._server = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query. A JSON value is a text, as SQLite gives it."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "airflow", "postgres")
        found = self._run("psql", "-XAtc", TUPLES.format(sql=sql), *where).splitlines()
        return [tuple(_text_of(value) for value in json.loads(row).values()) for row in found]


def _text_of(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value


class AirflowOnPostgres(LocalAirflow):
    """An Airflow whose state is in PostgreSQL."""

    def __init__(self, postgres: Postgres, major: int, home: Path, dags: Path, variables: dict[str, str]) -> None:
        super().__init__(major, home, dags, variables, database=postgres.url)
        self.postgres = postgres

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.postgres.rows(sql)
