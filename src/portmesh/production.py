"""What production last ran, kept in the lake by the runs themselves.

Each domain has one file: the part of dbt's manifest that belongs to it, with compiled SQL. A node is in it as
production last ran it with success. So after a run of a part of the mesh, or one that failed half-way, the other nodes
are as their own last run left them. A file is replaced in one step, and two runs at the same time both end up in it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from portmesh.errors import MissingArtifactError, PortmeshError, UsageError
from portmesh.lake.targets import s3_lake
from portmesh.repository import lake_folder

PROD = "prod"
KEY = "portmesh"
"""The key of the manifest under which the runs are."""
BASIS = "basis"
"""The key beside them of what the whole domain was built from."""
RAN = ("success", "pass", "warn")
# A test that failed did run, unless it is a check of a port that was refused.
RAN_TESTS = (*RAN, "fail")


class Files(Protocol):
    """The files of a folder, by name. `where` says where it is, for messages."""

    @property
    def where(self) -> str: ...

    def names(self) -> list[str]: ...

    def read(self, name: str) -> bytes | None: ...

    def change(self, name: str, new: Callable[[bytes | None], bytes]) -> None:
        """Replace a file in one step by what `new` makes of its content. No other change comes in between."""

    def remove(self, name: str) -> None: ...


@dataclass(frozen=True)
class FolderFiles:
    """Files in a folder of this machine."""

    folder: Path

    @property
    def where(self) -> str:
        return str(self.folder)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.json"))

    def read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def change(self, name: str, new: Callable[[bytes | None], bytes]) -> None:
        with self._locked():
            written = self.folder / f".{name}.new"
            with written.open("wb") as stream:
                stream.write(new(self.read(name)))
                os.fsync(stream.fileno())
            written.replace(self.folder / name)

    def remove(self, name: str) -> None:
        with self._locked():
            (self.folder / name).unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def open_files(target: str) -> Files:
    """Where production's state is: in the lake of the target."""
    if target == "local":
        return FolderFiles(lake_folder() / ".portmesh" / "state")
    # Imported here because the AWS packages take time to load and a laptop does not need them.
    from portmesh.production_s3 import S3Files

    return S3Files(f"{s3_lake()}/portmesh/state")


@dataclass(frozen=True)
class Run:
    """What one run did: dbt's statuses by node. `commit` is empty outside git, and says if files were changed."""

    target: str
    statuses: Mapping[str, str]
    commit: str = ""
    ended_at: datetime | None = None


@dataclass
class Keeper:
    """Records the steps of a run of production, which go on if that fails: `fault` says why it did."""

    manifest: Mapping[str, Any]
    target: str
    commit: str
    fault: PortmeshError | None = None

    def keep(self, statuses: Mapping[str, str]) -> None:
        """Record what a step ran."""
        try:
            keep(open_files(self.target), self.manifest, Run(self.target, statuses, self.commit))
        except PortmeshError as error:
            self.fault = error
        except OSError as error:
            self.fault = UsageError("Production's state cannot be written.", [("got", str(error))])


def keep(files: Files, manifest: Mapping[str, Any], run: Run) -> list[str]:
    """Record a run of production, with the manifest that it ran. Returns the domains whose state it changed."""
    ran = ran_nodes(manifest, run.statuses)
    domains = sorted({str(_node(manifest, id_)["package_name"]) for id_ in ran})
    for domain in domains:
        files.change(f"{domain}.json", partial(_merged, _part(manifest, domain), ran, run))
    known = {f"{node['package_name']}.json" for node in manifest["nodes"].values()}
    for name in set(files.names()) - known if domains else ():
        # A domain's role may not remove what another domain left behind; the whole mesh's role does.
        with suppress(UsageError):
            files.remove(name)
    return domains


def ran_nodes(manifest: Mapping[str, Any], statuses: Mapping[str, str]) -> set[str]:
    """The nodes that a run ran: a model that was published, a test that gave a result on what is in production now."""
    ran = set()
    checks = defaultdict(set)
    for id_, node in manifest["nodes"].items():
        checks[node.get("attached_node")].add(id_)
    for id_, status in statuses.items():
        node = _node(manifest, id_)
        if not node:
            continue
        if node["resource_type"] not in ("test", "unit_test"):
            if status in RAN:
                ran.add(id_)
                # A port's audit ran its checks, whether dbt's own tests were selected or not.
                if node.get("config", {}).get("materialized") == "output_port":
                    ran |= checks[id_]
        elif status in RAN_TESTS and statuses.get(node.get("attached_node") or "", "success") in RAN:
            ran.add(id_)
    return ran


def read(target: str) -> tuple[dict[str, Any], str]:
    """Production's state as a manifest, and its name: `production (run of 2026-11-26 06:00 UTC)`.

    Raises MissingArtifactError if production has no state yet, UsageError if it cannot be read.
    """
    files = open_files(target)
    parts = [_read_part(files, name) for name in files.names() if name.endswith(".json")]
    if not parts:
        raise MissingArtifactError(
            "Production has no state yet: `portmesh build` has not run in production on this target.",
            [("target", target), ("where", files.where)],
            "run portmesh build in production once, or compare with a branch: --against main",
        )
    parts.sort(key=lambda part: str(part[KEY]["ended_at"]))
    keys = (*_OF_A_DOMAIN, *_LEFT_OUT)
    merged = {key: {id_: found for part in parts for id_, found in part[key].items()} for key in keys}
    merged["metadata"] = parts[-1]["metadata"]
    merged[KEY] = {"nodes": {id_: run for part in parts for id_, run in part[KEY]["nodes"].items()}}
    last = datetime.fromisoformat(parts[-1][KEY]["ended_at"])
    return merged, f"production (run of {last:%Y-%m-%d %H:%M} UTC)"


def _read_part(files: Files, name: str) -> dict[str, Any]:
    part = _parsed(files.read(name))
    if part is None:
        raise UsageError(
            "Production's state cannot be read: a file of it is damaged.",
            [("file", f"{files.where}/{name}")],
            "delete this file: the next portmesh build in production writes it again",
        )
    return part


def _parsed(content: bytes | None) -> dict[str, Any] | None:
    """A domain's state; None if it is damaged."""
    try:
        part = json.loads(content or b"")
        return part if isinstance(part[KEY]["nodes"], dict) and part["metadata"] else None
    except (ValueError, KeyError, TypeError):
        return None


def _node(manifest: Mapping[str, Any], id_: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = manifest["nodes"].get(id_) or manifest["unit_tests"].get(id_) or {}
    return found


_OF_A_DOMAIN = ("nodes", "unit_tests", "sources", "exposures", "groups", "docs", "macros")
_LEFT_OUT = (
    *("metrics", "selectors", "disabled", "parent_map", "child_map", "group_map", "saved_queries"),
    *("semantic_models", "functions"),
)
"""What dbt expects in a manifest, and nobody compares."""


def _part(manifest: Mapping[str, Any], domain: str) -> dict[str, Any]:
    """What belongs to one domain. dbt's own macros and those of the platform are left out."""
    parts = {
        key: {id_: found for id_, found in (manifest.get(key) or {}).items() if found.get("package_name") == domain}
        for key in _OF_A_DOMAIN
    }
    return {"metadata": dict(manifest["metadata"]), **parts, **{key: {} for key in _LEFT_OUT}}


def _merged(part: Mapping[str, Any], ran: Collection[str], run: Run, before: bytes | None) -> bytes:
    """A domain's state after a run: what ran is new; what did not is as before, or absent if it never ran."""
    old = _parsed(before) or {}
    new = dict(part)
    for key in ("nodes", "unit_tests"):
        was = {id_: node for id_, node in (old.get(key) or {}).items() if id_ in part[key]}
        new[key] = was | {id_: node for id_, node in part[key].items() if id_ in ran}
    known = {*new["nodes"], *new["unit_tests"]}
    ended_at = (run.ended_at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    facts = {"ended_at": ended_at, "target": run.target, "commit": run.commit}
    # A check that only ran in the audit of its port has no status of its own.
    runs = old[KEY]["nodes"] if old else {}
    runs = runs | {id_: {**facts, "status": run.statuses.get(id_, "pass")} for id_ in ran}
    new[KEY] = {"ended_at": ended_at, "nodes": {id_: found for id_, found in runs.items() if id_ in known}}
    return json.dumps(new, default=str).encode()


def read_basis(files: Files, domain: str) -> Mapping[str, Any]:
    """What the last run of production built all of a domain from; nothing if a later one ran only a part of it."""
    return (_parsed(files.read(f"{domain}.json")) or {KEY: {}})[KEY].get(BASIS) or {}


def keep_basis(files: Files, domain: str, basis: Mapping[str, Any]) -> None:
    """Record what a run built all of a domain from, with what it kept. The next `keep` of the domain forgets it."""

    def with_basis(before: bytes | None) -> bytes:
        part = _parsed(before) or {KEY: {}}
        part[KEY][BASIS] = basis
        return json.dumps(part).encode()

    name = f"{domain}.json"
    if _parsed(files.read(name)):
        files.change(name, with_basis)
