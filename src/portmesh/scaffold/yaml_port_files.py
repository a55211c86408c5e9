"""The SQL files of ports in YAML alone: written, compared with their YAML, and handed over."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from portmesh.errors import FindingsError, UsageError, not_allowed
from portmesh.scaffold.writing import write_all
from portmesh.scaffold.yaml_port import PLACE
from portmesh.scaffold.yaml_port_inputs import KnownModel, KnownModels
from portmesh.scaffold.yaml_port_sql import render_sql

FIRST_WORDS = "-- Made by portmesh models from "
HEADER = re.compile(rf"{FIRST_WORDS}.*\n-- .*\n-- Fingerprint: (\w+)\n")


@dataclass(frozen=True)
class PortFile:
    """A port in YAML alone: what its SQL file should contain, and what it does. `text` is empty if there is no file."""

    port: KnownModel
    path: Path
    wanted: str
    text: str

    @property
    def is_up_to_date(self) -> bool:
        return self.wanted == self.text


def find_yaml_ports(known: KnownModels) -> list[KnownModel]:
    """The ports with a model in their YAML."""
    return [model for model in known.by_label.values() if model.is_port and model.meta.get("model") is not None]


def plan_files(root: Path) -> list[PortFile]:
    """The SQL files of all ports in YAML alone. Raises UsageError if a block is wrong, or a file is somebody's own."""
    known = KnownModels(root)
    return [_plan(port, known) for port in find_yaml_ports(known)]


def _plan(port: KnownModel, known: KnownModels) -> PortFile:
    path = port.sql_file or port.yaml_file.with_name(f"{port.name}.sql")
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text and not HEADER.match(text):
        raise UsageError(
            f"{port.label} has a model in YAML, and SQL that somebody wrote.",
            [("yaml", str(port.yaml_file.relative_to(known.root))), ("sql", str(path.relative_to(known.root)))],
            f"delete one of them: the SQL file, or {PLACE}",
        )
    body = render_sql(port, known)
    return PortFile(port, path, _header(port, body) + body, text)


def _header(port: KnownModel, body: str) -> str:
    return (
        f"{FIRST_WORDS}{port.yaml_file.name}. To change this model, edit {PLACE}\n"
        f"-- there and run: portmesh models. To go on in SQL: portmesh eject {port.label}\n"
        f"-- Fingerprint: {fingerprint(port, body)}\n"
    )


def fingerprint(port: KnownModel, body: str) -> str:
    """What ties the SQL to its YAML; the rule PM126 computes the same from what dbt has read."""
    columns = [[str(column["name"]), str(column.get("data_type", ""))] for column in port.columns]
    parts = [json.dumps(_as_dbt_reads(port.meta["model"]), sort_keys=True), json.dumps(columns), body.strip()]
    return md5("\n".join(parts).encode(), usedforsecurity=False).hexdigest()


def _as_dbt_reads(value: Any) -> Any:
    """A part of a YAML file as dbt keeps it: it renders each text as Jinja, which drops a line break at the end."""
    if isinstance(value, Mapping):
        return {key: _as_dbt_reads(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_dbt_reads(each) for each in value]
    return value.removesuffix("\n") if isinstance(value, str) else value


def write_files(files: list[PortFile]) -> list[PortFile]:
    """Write the files that are not up to date; returns them."""
    changed = [file for file in files if not file.is_up_to_date]
    write_all({file.path: file.wanted for file in changed}, replace=True)
    return changed


def assert_up_to_date(files: list[PortFile], root: Path) -> None:
    """Raises FindingsError if a file is missing or is not what its YAML says."""
    facts = [
        (str(file.path.relative_to(root)), "not what its YAML says" if file.text else "missing")
        for file in files if not file.is_up_to_date
    ]  # fmt: skip
    if facts:
        raise FindingsError("The SQL of ports in YAML alone is not up to date.", facts, "portmesh models, then commit")


@dataclass(frozen=True)
class Ejection:
    """What eject changes: the text of the YAML without the block, and the SQL without its header."""

    port: KnownModel
    sql_file: Path
    yaml_text: str
    sql_text: str
    is_last_good: bool


def plan_ejection(root: Path, label: str) -> Ejection:
    """Hand over a port in YAML alone as SQL. Raises UsageError if there is no such port, or its SQL is not up to date.

    If the block has an error, the SQL of the last `portmesh models` is handed over.
    """
    known = KnownModels(root)
    ports = {port.label: port for port in find_yaml_ports(known)}
    if label not in ports:
        if label in known.by_label:
            raise UsageError(f"{label} is written in SQL already.", [("sql", str(known.by_label[label].sql_file))])
        raise not_allowed("port in YAML alone", label, sorted(ports))
    port = ports[label]
    try:
        file, is_last_good = _plan(port, known), False
    except UsageError:
        text = port.sql_file.read_text(encoding="utf-8") if port.sql_file else ""
        if not HEADER.match(text) or port.sql_file is None:
            raise
        file, is_last_good = PortFile(port, port.sql_file, text, text), True
    if not file.is_up_to_date:
        facts = [("sql", str(file.path.relative_to(root)))]
        next_step = f"portmesh models, then portmesh eject {label}"
        raise FindingsError(f"The SQL of {label} is not what its YAML says.", facts, next_step)
    yaml_text = without_block(port.yaml_file.read_text(encoding="utf-8"), port.name)
    return Ejection(port, file.path, yaml_text, HEADER.sub("", file.text, count=1), is_last_good)


def eject(ejection: Ejection) -> None:
    """Write both files, or none."""
    write_all({ejection.port.yaml_file: ejection.yaml_text, ejection.sql_file: ejection.sql_text}, replace=True)


def without_block(text: str, name: str) -> str:
    """A YAML file without `config.meta.model` of a model. Everything else stays as it is, byte for byte."""
    lines = text.splitlines(keepends=True)
    meta = _mapping_at(yaml.compose(text), name)
    pairs = list(meta.value)
    number = next(n for n, (key, _) in enumerate(pairs) if key.value == "model")
    key, value = pairs[number]
    if meta.flow_style or len(pairs) == 1:
        raise _not_alone(key.start_mark.line, "write config.meta over several lines, with other keys beside model")
    first, last = key.start_mark.line, _last_line(value, key.start_mark.column, lines)
    found = "".join([*lines[:first], *lines[last + 1 :]])
    expected = yaml.safe_load(text)
    del next(m for m in expected["models"] if m["name"] == name)["config"]["meta"]["model"]
    if yaml.safe_load(found) != expected:
        raise _not_alone(first, f"delete {PLACE} and the header of the SQL yourself")
    return found


def _not_alone(line: int, next_step: str) -> UsageError:
    return UsageError("The block cannot be taken out of this file alone.", [("line", str(line + 1))], next_step)


def _last_line(value: yaml.Node, column: int, lines: list[str]) -> int:
    """The last line of a block: what is indented deeper than its key, without the empty lines below."""
    last: int = value.start_mark.line
    for number in range(last, len(lines)):
        line = lines[number]
        indent = len(line) - len(line.lstrip())
        if (
            line.strip()
            and number > last
            and indent <= column
            and not (line.lstrip().startswith("- ") and indent > column)
        ):
            break
        if line.strip():
            last = number
    return last


def _mapping_at(document: Any, name: str) -> yaml.MappingNode:
    """The node of `config.meta` of a model."""
    models = _child(document, "models")
    entry = next(each for each in models.value if _child(each, "name").value == name)
    found = _child(_child(entry, "config"), "meta")
    assert isinstance(found, yaml.MappingNode)
    return found


def _child(node: Any, name: str) -> Any:
    return next(value for key, value in node.value if key.value == name)


def as_facts(files: list[PortFile], changed: list[PortFile], root: Path) -> Mapping[str, object]:
    """What `--json` prints."""
    return {"ports": [f.port.label for f in files], "written": [str(f.path.relative_to(root)) for f in changed]}
