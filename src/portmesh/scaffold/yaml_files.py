"""Reads YAML of the mesh, and says in plain words what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from portmesh.errors import FindingsError


def read_mapping(root: Path, path: Path) -> dict[str, Any]:
    """The keys of a YAML file; none if it is empty.

    Raises FindingsError, with the line, if the file is no YAML, no text in UTF-8, or not a list of keys.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(root, path, "it is not in UTF-8", "save it in UTF-8") from error
    return mapping_of(root, path, text)


def mapping_of(root: Path, path: Path, text: str) -> dict[str, Any]:
    """The same for a text that is, or will be, in the file at `path`."""
    try:
        found = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise _unreadable(root, path, *_problem(error)) from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _unreadable(root, path, f"it is a {type(found).__name__}, not keys with values", "write it as key: value")
    return found


def mappings(listed: Any) -> list[dict[str, Any]]:
    """The mappings in a list; none if it is no list."""
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _problem(error: YAMLError) -> tuple[str, str]:
    """What is wrong, and where to look."""
    if not isinstance(error, MarkedYAMLError) or not error.problem:
        return " ".join(str(error).split()), "fix the file"
    mark = error.problem_mark or error.context_mark
    return error.problem, f"fix line {mark.line + 1}, column {mark.column + 1}" if mark else "fix the file"


def _unreadable(root: Path, path: Path, problem: str, next_step: str) -> FindingsError:
    shown = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    facts = [("file", shown), ("problem", problem)]
    return FindingsError(f"{shown} cannot be read.", facts, f"{next_step}, then the same command")
