"""Lets a build read from production what it does not build itself."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from portmesh import dbt
from portmesh.dbt_steps import Chosen, artifacts, place
from portmesh.errors import UsageError
from portmesh.production import PROD
from portmesh.repository import find_root
from portmesh.state import MeshState, read_state


@dataclass(frozen=True)
class Deferral:
    """Reads of what is not `built` go to the tables of this state.

    dbt still reads a table that the environment has from an earlier build, unless it should `favor` the state.
    """

    state: MeshState
    built: Collection[str]
    favor: bool = False

    def options(self, target: str) -> list[str]:
        """dbt's options for a step on this target. The step reads what earlier steps built in the environment."""
        # Engines name the database of one and the same table differently.
        nodes = dbt.parse_manifest(*place(target))["nodes"].values()
        database = next((node["database"] for node in nodes if node["resource_type"] == "model"), None)
        read = {
            id_: {**node, "database": database}
            for id_, node in self.state.manifest["nodes"].items()
            if id_ not in self.built and node["resource_type"] in ("model", "seed", "snapshot")
        }
        folder = Path(artifacts(target)) / "deferred"
        file = find_root() / folder / "manifest.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**self.state.manifest, "nodes": read}, default=str))
        return ["--defer", "--state", str(folder), *(["--favor-state"] if self.favor else [])]


def read_deferral(against: str, target: str, chosen: Chosen, favor: bool) -> Deferral:
    """Defer what is not chosen to a state of production: as it last ran, or as of a git ref.

    Raises UsageError in production, which has nowhere else to read from.
    """
    if chosen.environment == PROD:
        raise UsageError(
            "Nothing was built: production reads only its own tables.",
            [("got", f"--defer-to {against}, in the environment {PROD}")],
            "export PORTMESH_ENVIRONMENT=dev_YOURNAME, or leave out --defer-to",
        )
    return Deferral(read_state(against, target), frozenset(chosen.nodes), favor)
