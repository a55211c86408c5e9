"""Adds an item to a list in a YAML file, and leaves every byte that stands there as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent
from typing import Any

from ruamel.yaml import YAML

from portmesh.errors import FindingsError
from portmesh.scaffold.yaml_files import mapping_of

Keys = Sequence[str | int]


def with_item(root: Path, path: Path, text: str, keys: Keys, item: str) -> str:
    """The text with `item` (as `- name: …`, not indented) at the end of the list that `keys` lead to.

    A list that the file does not have is made at its end, if it is a key of the file itself.

    Raises FindingsError if the text is no YAML, or its list is written in a way to which no lines can be added.
    """
    before = mapping_of(root, path, text)
    line_end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += line_end
    if len(keys) == 1 and keys[0] not in before:
        added = f"{keys[0]}:\n{indent(item, '  ')}"
        at = len(lines)
    else:
        at, dash = _end_of_list(root, path, text, lines, keys)
        added = indent(item, " " * dash)
    new = "".join([*lines[:at], added.replace("\n", line_end), *lines[at:]])
    _assert_added(root, path, before, new, keys, item)
    return new


def _end_of_list(root: Path, path: Path, text: str, lines: Sequence[str], keys: Keys) -> tuple[int, int]:
    """The number of the line after the list, and the column of its dashes."""
    found: Any = YAML().load(text)
    for key in keys:
        is_there = isinstance(found, list) or key in found
        found = found[key] if is_there else None
    if not isinstance(found, list) or not found or found.fa.flow_style():  # type: ignore[attr-defined]
        raise _not_here(root, path, keys)
    first, dash = found.lc.line, found.lc.col  # type: ignore[attr-defined]
    end = first
    for number in range(first, len(lines)):
        line = lines[number]
        depth = len(line) - len(line.lstrip())
        is_comment = line.lstrip().startswith("#")
        if not line.strip() or (is_comment and depth <= dash):
            continue
        if depth < dash or (depth == dash and not re.match(r"-\s", line.lstrip())):
            break
        end = number + 1
    return end, dash


def _assert_added(root: Path, path: Path, before: dict[str, Any], new: str, keys: Keys, item: str) -> None:
    """Raise FindingsError if the new text does not hold what stood there and the item, and nothing else."""
    after: Any = mapping_of(root, path, new)
    (added,) = YAML(typ="safe", pure=True).load(item)
    expected: Any = before
    for key in keys[:-1]:
        expected = expected[key]
    expected[keys[-1]] = [*expected.get(keys[-1], []), added]
    if after != before:
        raise _not_here(root, path, keys)


def _not_here(root: Path, path: Path, keys: Keys) -> FindingsError:
    shown = str(path.relative_to(root))
    return FindingsError(
        f"Nothing can be added to {'.'.join(map(str, keys))} of {shown} without changing what stands there.",
        [("file", shown), ("allowed", "a list with one item a line, each with a dash")],
        "write the list so, then the same command",
    )
