"""The mesh at one time: the working tree, a commit, what production last ran, or a manifest that somebody kept.

A state is compiled as if nothing was built yet, so no database is needed and two states differ only if their files do.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dbt.constants import PARTIAL_PARSE_FILE_NAME

from portmesh import production
from portmesh.compiling import Compiled, Nodes, Wanted, compile_manifest
from portmesh.dbt import install_packages, with_variable
from portmesh.errors import MissingArtifactError, UsageError
from portmesh.git_refs import Base, checked_out, describe_working_tree, find_base, has_file
from portmesh.lake.targets import LOCAL, target_or_default
from portmesh.mesh import Mesh, read_mesh
from portmesh.repository import find_root, target_folder

PRODUCTION = "production"
ENVIRONMENT = "PORTMESH_ENVIRONMENT"
SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"
KEPT_STATES = 20


@dataclass(frozen=True)
class MeshState:
    """The mesh at one time. `name` is how people call it: `main (c37d537)`.

    `manifest` is dbt's (schema v12) with compiled SQL, in the environment of production. Each of its nodes has the
    key `adapter_type`, because domains may have different engines. `failed` has, by id, why a node has no compiled SQL.
    """

    name: str
    manifest: Mapping[str, Any]
    failed: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def mesh(self) -> Mesh:
        return read_mesh(self.manifest)


def current_state(
    target: str | None = None, wanted: Wanted | None = None, before: MeshState | None = None
) -> MeshState:
    """The mesh of the current files, whether they are committed or not. With `wanted`, only these nodes are compiled.

    `before` is an earlier state: what is as it was there is not compiled again.

    Raises FindingsError with dbt's own message if dbt cannot parse a file.
    """
    root = find_root()
    target = target_or_default(target)
    _copy_parse(target_folder(root), _folder(root) / "dbt" / target)
    compiled = _compile(root, target, _folder(root) / "dbt", wanted, before.manifest["nodes"] if before else None)
    return MeshState(describe_working_tree(root), compiled.manifest, compiled.failed)


def read_state(against: str, target: str | None = None) -> MeshState:
    """An earlier state: `production`, a git ref (then where the branch left it), a manifest.json, or a folder with one.

    Raises MissingArtifactError or UsageError if there is no such state or it cannot be read.
    """
    root = find_root()
    if against == PRODUCTION:
        manifest, name = production.read(target_or_default(target))
        return MeshState(name, _checked(manifest, name), {})
    if against.endswith(".json") or (Path(against) / "manifest.json").is_file():
        return _read_file(Path(against))
    base = find_base(root, against)
    compiled = _cached(root, base, target_or_default(target))
    return MeshState(base.name, compiled.manifest, compiled.failed)


def _folder(root: Path) -> Path:
    """Where states and dbt's files of compiling them are kept on this machine."""
    return target_folder(root) / "portmesh"


def _compile(
    root: Path, target: str, artifacts: Path, wanted: Wanted | None = None, known: Nodes | None = None
) -> Compiled:
    """Compile each domain for the engine on which `portmesh build` builds it. On the target local, that is DuckDB."""
    # All states have the names of production's tables, so that environments do not differ.
    with with_variable(ENVIRONMENT, "prod"):
        compiled = _of_one_engine(root, target, artifacts, wanted, known)
        if target == LOCAL:
            return compiled
        engines = {product.name: product.meta.engine for product in read_mesh(compiled.manifest).products}
        for other in sorted({engine for engine in engines.values() if engine} - {target}):
            domains = {domain for domain, engine in engines.items() if engine == other}
            _take(compiled, _of_one_engine(root, other, artifacts, _within(domains, wanted), known), domains)
    return compiled


def _within(domains: set[str], wanted: Wanted | None) -> Wanted:
    """What is wanted of these domains only."""
    return lambda node, nodes: node.package_name in domains and (wanted is None or wanted(node, nodes))


def _of_one_engine(root: Path, target: str, artifacts: Path, wanted: Wanted | None, known: Nodes | None) -> Compiled:
    compiled = compile_manifest(root, target, artifacts / target, wanted, known)
    for node in compiled.manifest["nodes"].values():
        node["adapter_type"] = compiled.manifest["metadata"]["adapter_type"]
        if node["resource_type"] == "seed":
            is_own = node["package_name"] == compiled.manifest["metadata"]["project_name"]
            _read_seed(node, root if is_own else root / "dbt_packages" / node["package_name"])
    for id_ in compiled.failed:
        node = compiled.manifest["nodes"][id_]
        node["raw_code"] = f"{node['raw_code']}\n{{# macros {_digest(compiled.manifest, node)} #}}"
    return compiled


def _read_seed(node: dict[str, Any], folder: Path) -> None:
    """Put the digest of a large seed's file into its node: of a file above 1 MB, dbt only keeps the path.

    `folder` is that of its package. dbt may have parsed it in another checkout.
    """
    node["root_path"] = str(folder)
    if (node.get("checksum") or {}).get("name") == "path":
        with (folder / node["original_file_path"]).open("rb") as file:
            node["checksum"] = {"name": "sha256", "checksum": hashlib.file_digest(file, "sha256").hexdigest()}


def _digest(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    """The macros that a node calls, directly or not: what decides its SQL if that cannot be compiled."""
    macros, ahead = {}, list(node["depends_on"]["macros"])
    while ahead:
        if (id_ := ahead.pop()) not in macros and (macro := manifest["macros"].get(id_)):
            macros[id_] = macro["macro_sql"]
            ahead += macro["depends_on"]["macros"]
    return hashlib.sha256(json.dumps(macros, sort_keys=True).encode()).hexdigest()[:16]


def _take(compiled: Compiled, other: Compiled, domains: set[str]) -> None:
    """Replace the nodes of these domains by those that another engine compiled."""
    for id_, node in other.manifest["nodes"].items():
        if node["package_name"] in domains:
            compiled.manifest["nodes"][id_] = node
            compiled.failed.pop(id_, None)
            compiled.failed.update({id_: other.failed[id_]} if id_ in other.failed else {})


def _cached(root: Path, base: Base, target: str) -> Compiled:
    """The state of a commit, which is compiled once for each target and each setting of the environment."""
    settings = sorted(item for item in os.environ.items() if item[0].startswith("PORTMESH_") and item[0] != ENVIRONMENT)
    key = hashlib.sha256(repr((target, settings)).encode()).hexdigest()[:8]
    kept = _folder(root) / "states" / f"{base.commit}-{target}-{key}.json"
    if kept.is_file():
        found = json.loads(kept.read_text())
        return Compiled(found["manifest"], found["failed"])
    missing = [name for name in ("dbt_project.yml", "domains") if not has_file(root, base.commit, name)]
    if missing:
        raise UsageError(
            f"There is no mesh at {base.name}: it has no {' and no '.join(missing)}.",
            [("where", str(root))],
            "name a ref that has them: --against REF",
        )
    with checked_out(root, base.commit) as place:
        install_packages(place)
        last = _kept(kept.parent, f"*-{target}-{key}.json")[-1:]
        known = json.loads(last[0].read_text())["manifest"]["nodes"] if last else None
        ours, there = _folder(root) / "dbt", place / "target"
        _share_parses(ours, there)
        compiled = _compile(place, target, there, known=known)
        _share_parses(there, ours)
    kept.parent.mkdir(parents=True, exist_ok=True)
    _write(kept, {"manifest": compiled.manifest, "failed": compiled.failed})
    for old in _kept(kept.parent, "*.json")[:-KEPT_STATES]:
        old.unlink()
    return compiled


def _share_parses(of: Path, to: Path) -> None:
    """Let dbt parse only the files that another checkout of the mesh has otherwise: it compares them all."""
    for saved in of.glob(f"*/{PARTIAL_PARSE_FILE_NAME}"):
        _copy_parse(saved.parent, to / saved.parent.name)


def _copy_parse(of: Path, to: Path) -> None:
    saved, copied = of / PARTIAL_PARSE_FILE_NAME, to / PARTIAL_PARSE_FILE_NAME
    if saved.exists() and not copied.exists():
        to.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(saved, copied)


def _kept(folder: Path, pattern: str) -> list[Path]:
    """The states in a folder, the newest last."""
    return sorted(folder.glob(pattern), key=lambda file: file.stat().st_mtime)


def _write(file: Path, facts: Mapping[str, Any]) -> None:
    """Write JSON in one step: another process never reads half of it."""
    written = file.with_suffix(f".{os.getpid()}")
    written.write_text(json.dumps(facts, default=str))
    written.replace(file)


def _read_file(path: Path) -> MeshState:
    file = path / "manifest.json" if path.is_dir() else path
    if not file.is_file():
        raise MissingArtifactError(
            "There is no manifest to compare with.", [("where", str(file))], "dbt compile writes target/manifest.json"
        )
    try:
        manifest = dict(json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        facts = [("file", str(file)), ("said", str(error))]
        raise UsageError("This file is not a manifest: it has no JSON object.", facts, _COMPILE) from error
    return MeshState(str(path), _checked(manifest, str(file)))


_COMPILE = "make it with dbt 1.11 in that version of the mesh: dbt compile --no-introspect"


def _checked(manifest: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """The manifest, if it is one of this schema that has compiled SQL."""
    metadata = manifest.get("metadata", {})
    schema = str(metadata.get("dbt_schema_version") or "")
    if schema != SCHEMA:
        version = metadata.get("dbt_version")
        got = f"{schema or 'no schema version'}{f', of dbt {version}' if version else ''}"
        raise UsageError(
            "This is not a manifest that can be compared with the mesh.",
            [("file", where), ("got", got), ("allowed", f"{SCHEMA}, as dbt 1.8 to 1.11 write it")],
            _COMPILE,
        )
    models = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "snapshot")]
    if models and not any(node.get("compiled_code") for node in models):
        raise UsageError("This manifest has no compiled SQL: dbt parse wrote it.", [("file", where)], _COMPILE)
    return manifest
