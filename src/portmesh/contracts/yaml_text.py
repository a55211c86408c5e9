"""Edits the list of columns in a port's YAML as text: what is not changed stays as it is, byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from portmesh.errors import FindingsError

BLOCK_SCALARS = ("|", ">")


@dataclass(frozen=True)
class Column:
    """A column to write."""

    name: str
    data_type: str


@dataclass(frozen=True)
class Edit:
    """Replace the characters from `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass
class PortText:
    """The YAML text of a port: of the model, or of one version if it lists columns itself.

    Raises FindingsError if the text is no YAML, or has no such model.
    """

    text: str
    path: str
    model: str
    version: str = ""
    _edits: list[Edit] = field(default_factory=list)
    _has_list: bool = False

    def __post_init__(self) -> None:
        self._bom, self.text = ("\ufeff", self.text[1:]) if self.text.startswith("\ufeff") else ("", self.text)
        self._newline = "\r\n" if "\r\n" in self.text else "\n"
        self._starts = [0, *(found.end() for found in re.finditer(r"\r\n|\n|\r", self.text))]
        self._node = self._find_model(_compose(self.text, self.path))
        self._list = self._find_list()
        self._entries = self._list.value if isinstance(self._list, SequenceNode) else []

    def _find_model(self, root: Node | None) -> MappingNode:
        for entry in _items(_value(root, "models")):
            if _text(_value(entry, "name")) == self.model:
                return entry
        raise self._refused(f"it has no model {self.model}")

    def _find_list(self) -> Node | None:
        """Columns of this version if it has a list of its own; else the columns of the model."""
        for version in _items(_value(self._node, "versions")):
            own = _value(version, "columns")
            if _text(_value(version, "v")) == self.version and own is not None:
                return own
        return _value(self._node, "columns")

    @property
    def types(self) -> dict[str, str]:
        """The columns of the list and their types. A column without a type has an empty one."""
        return {_text(_value(one, "name")): _text(_value(one, "data_type")) for one in self._named()}

    def _named(self) -> list[MappingNode]:
        return [one for one in self._entries if isinstance(one, MappingNode) and _value(one, "name") is not None]

    def _entry(self, name: str) -> MappingNode:
        for one in self._named():
            if _text(_value(one, "name")).lower() == name.lower():
                return one
        raise self._refused(f"{name} is in the model's own list, which its versions share")

    def set_type(self, column: Column) -> None:
        """Write another type for a column that is in the list, or a first one."""
        entry = self._entry(column.name)
        old, name = _value(entry, "data_type"), _value(entry, "name")
        assert name is not None
        if old is None or old.start_mark.index == old.end_mark.index:
            after = self._position_after_key(entry, "data_type")
            if after is not None:
                self._edits.append(Edit(after, after, f" {_plain(column.data_type, bool(entry.flow_style))}"))
            elif entry.flow_style:
                text = f", data_type: {_plain(column.data_type, True)}"
                self._edits.append(Edit(name.end_mark.index, name.end_mark.index, text))
            else:
                indent = " " * entry.value[0][0].start_mark.column
                self._insert_line(self._end_of_line(name.end_mark.index), f"{indent}data_type: {column.data_type}")
            return
        style = old.style if isinstance(old, ScalarNode) else None
        quote = style if style in ("'", '"') else ""
        new = f"{quote}{column.data_type}{quote}" if quote else _plain(column.data_type, bool(entry.flow_style))
        self._edits.append(Edit(old.start_mark.index, old.end_mark.index, new))

    def _position_after_key(self, entry: MappingNode, key: str) -> int | None:
        """Behind `key:` if the entry has this key without a value."""
        for name, _ in entry.value:
            if name.value == key:
                return self.text.index(":", name.end_mark.index) + 1
        return None

    def add(self, column: Column, after: str | None) -> None:
        """Add a column behind the column `after`, or as the first."""
        entry = self._entry(after) if after and any(after.lower() == one.lower() for one in self.types) else None
        if isinstance(self._list, SequenceNode) and self._list.flow_style:
            self._add_to_flow(column, entry)
        elif self._entries:
            self._add_to_block(column, entry)
        else:
            self._begin_list(column)

    def _add_to_flow(self, column: Column, after: MappingNode | None) -> None:
        assert self._list is not None
        text = _flow_entry(column)
        if after is not None:
            self._edits.append(Edit(after.end_mark.index, after.end_mark.index, f", {text}"))
        else:
            place = self._list.start_mark.index + 1
            between = f", {text}" if self._has_list else text
            self._edits.append(Edit(place, place, f"{text}, " if self._entries else between))
            self._has_list = True

    def _add_to_block(self, column: Column, after: MappingNode | None) -> None:
        assert self._list is not None
        like = after if after is not None else self._entries[0]
        dash = self._list.start_mark.column
        on_the_line = like.start_mark.column - dash - 1 if like.start_mark.line == self._dash_line(like) else 1
        lines = _entry_lines(column, " " * dash, " " * max(on_the_line, 1), bool(like.flow_style))
        if after is not None:
            self._insert_line(self._end_of_entry(after), *lines)
        else:
            start = self._starts[self._dash_line(like)]
            self._edits.append(Edit(start, start, "".join(line + self._newline for line in lines)))

    def _begin_list(self, column: Column) -> None:
        """The list is missing or empty."""
        if self._node.flow_style:
            raise self._refused(f"the model {self.model} is written in one line, in braces")
        indent = self._node.value[0][0].start_mark.column
        key = next((name for name, _ in self._node.value if name.value == "columns"), None)
        lines = _entry_lines(column, " " * (indent + 2), " ", False)
        if not self._has_list:
            self._has_list = True
            if key is None:
                self._insert_line(self._end_of_entry(self._node), " " * indent + "columns:", *lines)
                return
        place = self._end_of_line(key.end_mark.index) if key is not None else self._end_of_entry(self._node)
        self._insert_line(place, *lines)

    def remove(self, name: str) -> None:
        """Remove a column with its checks."""
        entry = self._entry(name)
        if isinstance(self._list, SequenceNode) and self._list.flow_style:
            position = self._entries.index(entry)
            if position + 1 < len(self._entries):
                end = self._entries[position + 1].start_mark.index
                self._edits.append(Edit(entry.start_mark.index, end, ""))
            else:
                start = self._entries[position - 1].end_mark.index if position else entry.start_mark.index
                self._edits.append(Edit(start, entry.end_mark.index, ""))
            return
        self._edits.append(Edit(self._starts[self._dash_line(entry)], self._end_of_entry(entry), ""))

    def result(self) -> str:
        """The text with the edits. Edits of one place keep their order."""
        parts, at = [], 0
        for edit in sorted(self._edits, key=lambda one: one.start):
            parts += [self.text[at : edit.start], edit.text]
            at = max(at, edit.end)
        return self._bom + "".join([*parts, self.text[at:]])

    def _insert_line(self, place: int, *lines: str) -> None:
        """Insert whole lines at the start of a line, or at the end of a text without a last line end."""
        if place and self.text[place - 1] not in "\r\n":
            text = "".join(self._newline + line for line in lines)
        else:
            text = "".join(line + self._newline for line in lines)
        self._edits.append(Edit(place, place, text))

    def _end_of_line(self, place: int) -> int:
        """Where the next line starts."""
        return next((start for start in self._starts if start > place), len(self.text))

    def _dash_line(self, entry: Node) -> int:
        """The line with the dash of an entry, which may stand above the entry."""
        line = entry.start_mark.line
        while not self._line(line)[: entry.start_mark.column + 1].strip().startswith("-"):
            if line == 0:
                raise self._refused(f"the columns of {self.model} are not a plain list")
            line -= 1
        return int(line)

    def _line(self, number: int) -> str:
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self.text)
        return self.text[self._starts[number] : end]

    def _end_of_entry(self, entry: Node) -> int:
        """Where the line after an entry starts: behind its last line, and behind comments that are indented like it."""
        dash = self._line(self._dash_line(entry)).index("-")
        last = _last_line(entry)
        for number in range(self._dash_line(entry) + 1, len(self._starts)):
            line = self._line(number)
            is_deeper = len(line) - len(line.lstrip(" ")) > dash
            if not line.strip():
                continue
            if number > last and not is_deeper:
                break
            last = max(last, number)
        return self._starts[last + 1] if last + 1 < len(self._starts) else len(self.text)

    def _refused(self, why: str) -> FindingsError:
        facts = [("file", self.path), ("why", why), ("written", "nothing")]
        return FindingsError(f"The columns of {self.model} cannot be written.", facts, "write them by hand")


def _compose(text: str, path: str) -> Node | None:
    try:
        root: Node | None = YAML().compose(text)
    except YAMLError as error:
        said = " ".join(str(error).split())[:300]
        raise FindingsError("The YAML cannot be read.", [("file", path), ("said", said)], "fix it first") from error
    return root


def load(text: str) -> Any:
    """What a YAML text means."""
    return YAML(typ="safe", pure=True).load(text)


def _value(node: Node | None, key: str) -> Node | None:
    """The value of a key; None if it is missing or null."""
    for name, value in node.value if isinstance(node, MappingNode) else []:
        if name.value == key:
            return None if isinstance(value, ScalarNode) and str(value.tag).endswith(":null") else value
    return None


def _items(node: Node | None) -> Iterable[MappingNode]:
    return [one for one in node.value if isinstance(one, MappingNode)] if isinstance(node, SequenceNode) else []


def _text(node: Node | None) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""


def _last_line(node: Node) -> int:
    """The last line of a node whose end the parser knows; of a block, the last of its parts."""
    if isinstance(node, ScalarNode):
        return int(node.start_mark.line if node.style in BLOCK_SCALARS else node.end_mark.line)
    assert isinstance(node, MappingNode | SequenceNode)
    if node.flow_style:
        return int(node.end_mark.line)
    below = [part for one in node.value for part in (one if isinstance(one, tuple) else (one,))]
    inside = [part for part in below if part.start_mark.index >= node.start_mark.index]
    return max([int(node.start_mark.line), *map(_last_line, inside)])


def _plain(value: str, in_flow: bool) -> str:
    """A text as YAML, in quotes only if it needs them."""
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_(), ]*", value) and not (in_flow and "," in value)
    return value if is_plain and load(value) == value else json.dumps(value, ensure_ascii=False)


def _flow_entry(column: Column) -> str:
    return f'{{name: {_plain(column.name, True)}, data_type: {_plain(column.data_type, True)}, description: ""}}'


def _entry_lines(column: Column, indent: str, gap: str, is_flow: bool) -> Sequence[str]:
    if is_flow:
        return [f"{indent}-{gap}{_flow_entry(column)}"]
    below = f"{indent} {gap}"
    return [
        f"{indent}-{gap}name: {_plain(column.name, False)}",
        f"{below}data_type: {_plain(column.data_type, False)}",
        f'{below}description: ""',
    ]
