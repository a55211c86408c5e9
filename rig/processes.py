"""Start and stop processes by their own ids, and find free ports."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from rig.errors import RigError
from rig.home import Server

LOOPBACK = "127.0.0.1"
# Seconds that a server has to stop before it is killed.
PATIENCE = 10


def free_port(preferred: int = 0) -> int:
    """The preferred port if it is free, else any free port."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RigError("There is no free port on this machine.")


def spawn(
    command: Sequence[str], ports: Mapping[str, int], *, log: Path, folder: Path, environment: Mapping[str, str]
) -> Server:
    """Start a process that outlives this one. Its output goes to `log`, and its working directory is `folder`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
    return Server(process.pid, psutil.Process(process.pid).create_time(), dict(ports))


def find(server: Server) -> psutil.Process | None:
    """The running process of a server. Both its id and its start time must match."""
    try:
        process = psutil.Process(server.pid)
        runs = abs(process.create_time() - server.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if runs else None


def stop(server: Server) -> None:
    """Send TERM, then KILL if the process or its children do not end in time."""
    process = find(server)
    if process is None:
        return
    family = [process, *process.children(recursive=True)]
    for member in family:
        _signal(member.terminate)
    _, left = psutil.wait_procs(family, timeout=PATIENCE)
    for member in left:
        _signal(member.kill)
    psutil.wait_procs(left, timeout=PATIENCE)


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return


def wait_until(ready: Callable[[], bool], server: Server, *, name: str, log: Path, seconds: float = 300) -> None:
    """Wait until a server answers. Fails with the end of its log if it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if find(server) is None:
            raise RigError(f"{name} ended before it was ready. The end of {log}:\n{_end_of(log)}")
        if time.monotonic() > deadline:
            raise RigError(f"{name} was not ready after {seconds:.0f} s. The end of {log}:\n{_end_of(log)}")
        time.sleep(0.2)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
