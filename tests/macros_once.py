"""dbt parses the macros of this repository once per process, not once per mesh."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dbt.artifacts.resources.v1.macro import MacroDependsOn
from dbt.contracts.graph.nodes import Macro
from dbt.parser.manifest import ManifestLoader

PARSERS = ("MacroParser", "GenericTestParser")
Files = Mapping[str, Mapping[str, Sequence[str]]]

_parsed: dict[Hashable, list[tuple[str, Macro]]] = {}
_parse = ManifestLoader.load_and_parse_macros


@cache
def without_docs(macros: Path) -> TemporaryDirectory[str]:
    """A copy of a folder of macros without their docs: they take as long to read, and no small mesh needs them.

    The folder is removed when the process ends.
    """
    copy: TemporaryDirectory[str] = TemporaryDirectory(prefix="portmesh-macros-")
    shutil.copytree(macros, copy.name, ignore=shutil.ignore_patterns("*.yml"), dirs_exist_ok=True)
    return copy


def enable() -> None:
    """Keep what dbt reads of macros. A copy is older than the run, so dbt leaves it alone, as in a partial parse."""
    ManifestLoader.load_and_parse_macros = _load


def _load(loader: ManifestLoader, files: Files) -> None:
    key = None if loader.partially_parsing else _key(loader, files)
    if key in _parsed:
        for file, macro in _parsed[key]:
            loader.manifest.add_macro(loader.manifest.files[file], _copy(macro))
        loader.build_macro_resolver()
        return
    _parse(loader, files)
    if key:
        macros = loader.manifest.macros
        _parsed[key] = [
            (file, _copy(macros[name])) for file in _read(files) for name in loader.manifest.files[file].macros
        ]


def _read(files: Files) -> list[str]:
    return [file for of_project in files.values() for parser in PARSERS for file in of_project.get(parser, [])]


def _key(loader: ManifestLoader, files: Files) -> Hashable:
    """All that the macros and what they call depend on: the files, and where dbt looks for a macro by its name."""
    project = loader.root_project
    texts = tuple((file, loader.manifest.files[file].checksum.checksum) for file in _read(files))
    return project.credentials.type, project.project_name, str(project.dispatch), texts


def _copy(macro: Macro) -> Macro:
    return dataclasses.replace(macro, depends_on=MacroDependsOn(macros=list(macro.depends_on.macros)))
