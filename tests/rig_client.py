"""The rig for the tests: real engines in place of EMR and Athena (rig/README.md), controlled by its command."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MANY_SESSIONS = ("--conf", "spark.driver.memory=3g")
"""Settings for `up`: a Thrift server keeps memory for every session, and tests and benchmarks open hundreds."""
SERVERS = {"emr": "spark", "athena": "trino"}


class Rig:
    """A rig with its state in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @classmethod
    def in_use(cls) -> Rig:
        """The rig that this process's environment variables name."""
        return cls(Path(os.environ["PORTMESH_RIG_HOME"]))

    def command(self, *arguments: str) -> str:
        """The output of `python -m rig`, which must succeed."""
        done = subprocess.run(
            [REPOSITORY / ".venv-rig/bin/python", "-m", "rig", *arguments, "--home", self.home],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def variables(self) -> dict[str, str]:
        """The environment variables with which dbt and the tests find this rig."""
        lines = [line.removeprefix("export ") for line in self.command("env").splitlines()]
        return dict(line.split("=", 1) for line in lines)

    def pid(self, target: str) -> int:
        """The process of a target's engine."""
        state = json.loads((self.home / "state.json").read_text())
        return int(state["servers"][SERVERS[target]]["pid"])
