"""A rig's folders: artefacts, which several rigs may share, and a home of its own with state, logs and files."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def artefacts_folder() -> Path:
    """The folder of jars, Trino and Java: PORTMESH_RIG_ARTEFACTS, else .rig/artefacts in the repository."""
    return Path(os.environ.get("PORTMESH_RIG_ARTEFACTS") or REPOSITORY / ".rig" / "artefacts").resolve()


def home_folder(given: Path | None = None) -> Path:
    """The folder of one rig: the given one, else PORTMESH_RIG_HOME, else .rig/home in the repository."""
    return Path(given or os.environ.get("PORTMESH_RIG_HOME") or REPOSITORY / ".rig" / "home").resolve()


@dataclass
class Server:
    """A process of a rig. `started` is the process's start time, so that a reused process id is not mistaken for it."""

    pid: int
    started: float
    ports: dict[str, int]
    # Spark settings given to `up`, which a restart keeps.
    conf: list[str] = field(default_factory=list)


@dataclass
class Home:
    """The folder of one rig and its known processes."""

    folder: Path
    servers: dict[str, Server] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path) -> Home:
        """The state that an earlier command saved, or an empty one."""
        home = cls(folder)
        if home.state_file.exists():
            state = json.loads(home.state_file.read_text())
            home.servers = {name: Server(**server) for name, server in state["servers"].items()}
        return home

    @property
    def state_file(self) -> Path:
        """The file with the processes and their ports."""
        return self.folder / "state.json"

    def log(self, server: str) -> Path:
        """A server's log, which is kept when the rig is stopped."""
        return self.folder / "logs" / f"{server}.log"

    def work(self, server: str) -> Path:
        """The folder of a server's settings and temporary files, which is removed when the rig is stopped."""
        return self.folder / "work" / server

    def save(self) -> None:
        """Write the state in one step, so that a reader never sees a part of it."""
        part = self.state_file.with_suffix(".part")
        part.write_text(json.dumps({"servers": {name: asdict(s) for name, s in self.servers.items()}}, indent=2) + "\n")
        part.replace(self.state_file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one command at a time change a rig; others wait."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self.folder / "lock"
        while True:
            with lock.open("w") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX)
                # The previous holder may have deleted the lock file; then a new one is created.
                if lock.exists() and lock.stat().st_ino == os.fstat(handle.fileno()).st_ino:
                    self.servers = Home.at(self.folder).servers
                    yield
                    return
