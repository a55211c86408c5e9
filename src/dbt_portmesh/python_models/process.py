"""The process that runs Python models: one for all models of this process, started for the first one."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")
PREFIX = "portmesh-pyspark-"
SECRETS = ("DBT_ENV_SECRET", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
"""The beginnings of the names of variables that user code does not get: what it prints and raises is told to people."""


class EndedError(Exception):
    """The process ended in the middle of a model. Its text says how."""


class Worker:
    """A running process. It reads and writes in `folder`, which only this user can read."""

    def __init__(self, python: Path, engine: str, settings: Mapping[str, str]) -> None:
        _remove_leftovers()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = _hold(self.folder)
        self._process = subprocess.Popen(
            [python, "-I", WORKER, self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith(SECRETS)},
        )
        atexit.register(self.stop)
        try:
            answer = self.ask({"engine": engine, "settings": dict(settings)}, _nothing_to_read)
        except EndedError as error:
            answer = {"error": "not_started", "got": str(error)}
        self.start_fault = answer if "error" in answer else None

    def ask(self, request: dict[str, Any], read: Callable[[str], Path | None]) -> dict[str, Any]:
        """The answer to a request. `read` gives the file with the rows of a table.

        Raises EndedError if the process ends, and what `read` raises.
        """
        assert self._process.stdin
        assert self._process.stdout
        fault: BaseException | None = None
        message: dict[str, Any] = request
        while True:
            try:
                self._process.stdin.write(json.dumps(message) + "\n")
                self._process.stdin.flush()
                answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            except (BrokenPipeError, json.JSONDecodeError):
                code = self._process.wait()
                raise EndedError(f"signal {-code}" if code < 0 else f"exit code {code}") from fault
            if "read" not in answer:
                if fault:
                    raise fault
                return answer
            try:
                message = {"file": str(read(answer["read"]) or "")}
            except Exception as error:  # noqa: BLE001 - it goes on to the caller
                fault, message = error, {"failed": True}

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the process, and remove all that it wrote."""
        atexit.unregister(self.stop)
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def _nothing_to_read(_: str) -> None:
    return None


_workers: dict[tuple[Any, ...], Worker] = {}
_one_model_at_a_time = threading.Lock()


@contextlib.contextmanager
def worker(python: Path, engine: str, settings: Mapping[str, str]) -> Iterator[Worker]:
    """The process for these settings, for one model at a time. A process that did not start has a `start_fault`."""
    key = (python, engine, *sorted(settings.items()))
    with _one_model_at_a_time:
        _remove_ended(key)
        if key not in _workers:
            _workers[key] = Worker(python, engine, settings)
        try:
            yield _workers[key]
        finally:
            _remove_ended(key)


def _remove_ended(key: tuple[Any, ...]) -> None:
    if key in _workers and not _workers[key].runs:
        _workers.pop(key).stop()


def _hold(folder: Path) -> int:
    """A lock that the operating system releases when this process ends."""
    part = folder / "held.part"
    handle = os.open(part, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    part.rename(folder / "held")
    return handle


def _remove_leftovers() -> None:
    """Remove the folders of this user's processes that were killed together with their dbt."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid != os.getuid():
                continue
            handle = os.open(folder / "held", os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
