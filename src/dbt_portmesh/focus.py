"""Lets dbt read one domain instead of the whole mesh: `PORTMESH_FOCUS=orders dbt build --select order_lines`.

Before it does anything, dbt parses every file of every domain. With a focus, it parses the files of one domain, and of
other domains only the models that this domain mentions, as stubs: contract, access, group and consumers as they are,
but no checks and nothing that they read. A stub has no SQL, so dbt never builds it (decision 0039).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from dbt.artifacts.resources.base import FileHash
from dbt.config.runtime import RuntimeConfig
from dbt.contracts.files import AnySourceFile, SchemaSourceFile
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode
from dbt.flags import get_flags
from dbt.parser import manifest as parsing
from dbt.parser.manifest import ManifestLoader
from dbt.parser.read_files import ReadFilesFromFileSystem
from dbt_common.exceptions import DbtRuntimeError

from portmesh.errors import not_allowed
from portmesh.repository import FOCUS_VARIABLE
from portmesh.scaffold.register import domain_folders

COMMANDS = ("build", "run", "test", "compile", "show", "seed", "snapshot", "list", "ls")
"""dbt's commands that can do with one domain. All others read the whole mesh."""

FOLDER = "focus"
"""Where dbt's own files of a focus are, in its target folder."""

KEPT = ("MacroParser", "GenericTestParser", "DocumentationParser")
"""dbt's parsers that read all files of a domain from which something is read."""


@dataclass(frozen=True)
class Focus:
    """A domain, all other domains of the mesh, and those among them of which it mentions a model or its file."""

    domain: str
    others: frozenset[str]
    text: str

    def mentions(self, name: str) -> bool:
        return name in self.text

    def reads(self, root: Path, other: str) -> bool:
        """Whether the domain mentions a file of another domain by the name of its model."""
        files = (file for file in (root / "domains" / other).rglob("*") if file.suffix in (".sql", ".py", ".yml"))
        return any(self.mentions(model_of(file.stem)) for file in files if file.stem != other)


def add_focus() -> None:
    """Change what dbt loads, once in a process. Nothing changes as long as the variable is not set."""
    if hasattr(RuntimeConfig.load_projects, "__wrapped__"):
        return
    RuntimeConfig.load_projects = _of_the_focus(RuntimeConfig.load_projects)  # type: ignore[method-assign]
    ReadFilesFromFileSystem.read_files = _without_unread(  # type: ignore[method-assign]
        ReadFilesFromFileSystem.read_files
    )
    ManifestLoader.inject_external_nodes = _after_cutting(  # type: ignore[method-assign]
        ManifestLoader.inject_external_nodes
    )
    parsing.write_manifest = _unless_focused(parsing.write_manifest)


def read_focus(root: Path) -> Focus | None:
    """The focus of this command; None if it reads the whole mesh.

    Raises DbtRuntimeError if the variable does not name a domain.
    """
    domain = os.environ.get(FOCUS_VARIABLE, "").strip()
    if not domain or get_flags().WHICH not in COMMANDS:  # type: ignore[no-untyped-call]
        return None
    domains = domain_folders(root)
    if domain not in domains:
        raise DbtRuntimeError(str(not_allowed(FOCUS_VARIABLE, domain, domains)))
    files = sorted(file for file in (root / "domains" / domain).rglob("*") if file.suffix in (".sql", ".py", ".yml"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return Focus(domain, frozenset(domains) - {domain}, text)


def stem_of(file: AnySourceFile) -> str:
    """The name of a file without its folder and suffix."""
    return Path(file.path.relative_path).stem


def model_of(stem: str) -> str:
    """The name of the model in a file: `order_lines` for the files order_lines_v2 and order_lines.v2."""
    for mark in ("_v", ".v"):
        name, _, version = stem.rpartition(mark)
        if name and version.isdigit():
            return name
    return stem


def _of_the_focus(load: Any) -> Any:
    """Leaves out the packages of domains that are not read. What dbt writes goes to a folder of the focus."""

    @wraps(load)
    def load_projects(config: RuntimeConfig, paths: Iterable[Path]) -> Iterator[tuple[str, RuntimeConfig]]:
        root = Path(config.project_root)
        focus = read_focus(root)
        config.portmesh_focus = focus  # type: ignore[attr-defined]
        if not focus:
            return load(config, paths)  # type: ignore[no-any-return]
        config.target_path = str(Path(config.target_path, FOLDER, focus.domain))
        unread = [other for other in focus.others if not focus.reads(root, other)]
        return load(config, [path for path in paths if path.name not in unread])  # type: ignore[no-any-return]

    return load_projects


def _focus_of(projects: Mapping[str, Any]) -> Focus | None:
    found = (getattr(project, "portmesh_focus", None) for project in projects.values())
    return next((focus for focus in found if focus), None)


def _without_unread(read: Any) -> Any:
    """Drops the files of other domains that define nothing that is read, and what stubs do not need from the rest."""

    @wraps(read)
    def read_files(reader: ReadFilesFromFileSystem) -> None:
        focus = _focus_of(reader.all_projects)
        if focus:
            # dbt would take over the YAML of an unchanged file, of which the last run may have needed less.
            reader.saved_files = {
                id_: file for id_, file in reader.saved_files.items() if file.project_name not in focus.others
            }
        read(reader)
        for name in focus.others & reader.project_parser_files.keys() if focus else ():
            parsers = reader.project_parser_files[name]
            kept = set(_files_to_keep(focus, parsers, reader.files))  # type: ignore[arg-type]
            for parser, ids in parsers.items():
                parsers[parser] = [id_ for id_ in ids if id_ in kept]
                for id_ in set(ids) - kept:
                    del reader.files[id_]

    return read_files


def _files_to_keep(focus: Focus, parsers: Mapping[str, list[str]], files: Mapping[str, AnySourceFile]) -> Iterator[str]:
    """The ids of the files of another domain that dbt has to parse. The contents of its YAML files are cut."""
    yaml = [files[id_] for id_ in parsers.get("SchemaParser", ())]
    stems: set[str] = set()
    for file in yaml:
        assert isinstance(file, SchemaSourceFile)
        models = [model for model in file.dict_from_yaml.get("models") or [] if focus.mentions(model["name"])]
        stems |= {str(each.get("defined_in")) for model in models for each in model.get("versions") or []}
        file.dfy = {"groups": file.dict_from_yaml.get("groups"), "models": [_without_checks(each) for each in models]}
        file.dfy = {key: entries for key, entries in file.dfy.items() if entries}
        file.checksum = FileHash.from_contents(repr(file.dfy))
        if file.dfy:
            yield file.file_id
    for id_ in parsers.get("ModelParser", ()):
        stem = stem_of(files[id_])
        if stem in stems or focus.mentions(model_of(stem)):
            yield id_
    for parser in KEPT:
        yield from parsers.get(parser, ())


def _without_checks(entry: Any) -> Any:
    """A model of a YAML file without the data tests of it, its versions and its columns."""
    if isinstance(entry, dict):
        return {key: _without_checks(value) for key, value in entry.items() if key not in ("data_tests", "tests")}
    return [_without_checks(each) for each in entry] if isinstance(entry, list) else entry


def _after_cutting(inject: Any) -> Any:
    """Makes stubs of the models of other domains, after they are parsed and before dbt looks up what models read."""

    @wraps(inject)
    def inject_external_nodes(loader: ManifestLoader) -> bool:
        focus = _focus_of(loader.all_projects)
        for node in loader.manifest.nodes.values() if focus else ():
            if node.package_name in focus.others and isinstance(node, ModelNode):  # type: ignore[union-attr]
                node.refs, node.sources, node.raw_code = [], [], ""
        return inject(loader)  # type: ignore[no-any-return]

    return inject_external_nodes


def _unless_focused(write: Any) -> Any:
    """Leaves out the manifest.json that dbt writes after parsing: a run writes it again, with its SQL, at its end."""

    @wraps(write)
    def write_manifest(manifest: Manifest, target_path: str, which: str | None = None) -> None:
        if Path(target_path).parent.name != FOLDER:
            write(manifest, target_path, which)

    return write_manifest
