"""dbt parses the macros of this repository once per process, not once per mesh."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from pathlib import Path

from dbt.artifacts.resources.v1.macro import MacroDependsOn
from dbt.contracts.graph.nodes import Macro
from dbt.parser.manifest import ManifestLoader

REPOSITORY = Path(__file__).resolve().parents[1]
PARSERS = ("MacroParser", "GenericTestParser")
Files = Mapping[str, Mapping[str, Sequence[str]]]

_parsed: dict[Hashable, list[tuple[str, Macro]]] = {}
_parse = ManifestLoader.load_and_parse_macros


@cache
def folder_of_macros() -> Path:
    """The macros without their docs, which take as long to read as the macros and which no small mesh needs."""
    folder = Path(tempfile.mkdtemp(prefix="portmesh-macros-"))
    return Path(shutil.copytree(REPOSITORY / "macros", folder / "macros", ignore=shutil.ignore_patterns("*.yml")))


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
