"""What the tries of one run have finished, written node by node, so that a killed try loses nothing."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from portmesh.building import FAILED, Graph
from portmesh.errors import UsageError
from portmesh.production import RAN
from portmesh.repository import find_root, target_folder
from portmesh.runs.records import PortRecord

KEPT_FOR = timedelta(days=30)


def mesh_hash(manifest: Mapping[str, Any], *how: str) -> str:
    """A hash of everything in the mesh that a build depends on, and of `how`: target, environment and dbt's flags."""
    of_nodes = ("checksum", "config", "columns", "raw_code", "test_metadata", "depends_on")
    facts = {
        "how": how,
        **{id_: [node.get(key) for key in of_nodes] for id_, node in manifest["nodes"].items()},
        **{id_: source.get("config") for id_, source in manifest["sources"].items()},
        **{id_: macro["macro_sql"] for id_, macro in manifest["macros"].items()},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:12]


@dataclass
class Progress:
    """The nodes that this run's tries finished and those that failed, by id, with dbt's statuses.

    `name` stands in the records of what this run publishes. It has the hash of the mesh: after a change of the files
    everything is built.
    """

    name: str
    file: Path
    statuses: dict[str, str] = field(default_factory=dict)

    def write(self, node: str, status: str) -> None:
        """Add a node that ended. A kill may leave a part of the line, so each line begins anew.

        A full disk costs the next try time, and must not make dbt call the node failed.
        """
        self.statuses[node] = status
        with suppress(OSError):
            self._append({"node": node, "status": status})

    def _append(self, facts: Mapping[str, str]) -> None:
        with self.file.open("ab", buffering=0) as stream:
            stream.write(b"\n" + json.dumps(facts).encode() + b"\n")

    def done(self, graph: Graph, chosen: Collection[str], records: Mapping[str, PortRecord]) -> set[str]:
        """The chosen nodes that need not be built again.

        What a failed node was built from is built again, up to the ports before it: it may be the cause. A port that
        the records know as published by this run is done, and so are its checks, even if its line was lost.
        """
        failed = {id_ for id_, status in self.statuses.items() if status in FAILED}
        recorded = {
            id_ for id_, record in records.items() if record.verdict_in(self.name) in ("published", "unchanged")
        }
        done = {id_ for id_, status in self.statuses.items() if status in RAN} | (recorded - failed)
        for id_ in failed & graph.nodes.keys():
            done -= built_from(graph, id_)
        done |= {id_ for id_ in chosen if graph.nodes[id_].attached_to in done & recorded and id_ not in failed}
        return done & set(chosen)


def built_from(graph: Graph, id_: str) -> set[str]:
    """The nodes from which a node is built, and their tests' ids, without ports and what is before them."""
    found: set[str] = set()
    ahead = [id_]
    while ahead:
        for parent in graph.nodes[ahead.pop()].parents:
            if parent in graph.nodes and not graph.nodes[parent].is_port and parent not in found:
                found.add(parent)
                ahead.append(parent)
    return found | {test for test, node in graph.nodes.items() if node.attached_to in found}


@contextmanager
def open_progress(run: str, mesh: str) -> Iterator[Progress]:
    """The progress of a run, which no other process may have open.

    Raises UsageError if one has.
    """
    folder = target_folder(find_root()) / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    _forget_old(folder)
    name = re.sub(r"[^\w.-]+", "_", run)[:80]
    file = folder / f"{name}-{hashlib.sha256(run.encode()).hexdigest()[:8]}.jsonl"
    with file.open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                "Nothing was built: another process is building this run.",
                [("run", run)],
                "wait for it, or end it; then the same command goes on where it stopped",
            ) from error
        progress = Progress(f"{run} {mesh}", file, _read(file, mesh))
        progress._append({"mesh": mesh})
        yield progress


def _read(file: Path, mesh: str) -> dict[str, str]:
    """The last status of each node since the mesh is as it is now."""
    statuses: dict[str, str] = {}
    of = ""
    for line in file.read_bytes().splitlines():
        try:
            facts = json.loads(line)
        except ValueError:
            continue
        if "mesh" in facts:
            statuses = statuses if facts["mesh"] == of else {}
            of = facts["mesh"]
        else:
            statuses[facts["node"]] = facts["status"]
    return statuses if of == mesh else {}


def _forget_old(folder: Path) -> None:
    before = (datetime.now(UTC) - KEPT_FOR).timestamp()
    for file in folder.glob("*.jsonl"):
        if file.stat().st_mtime < before:
            file.unlink(missing_ok=True)
