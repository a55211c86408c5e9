"""`portmesh contract refresh`: writes a model's new columns and types into its port's YAML."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel
from ruamel.yaml.error import YAMLError

from portmesh.checks import Check
from portmesh.contracts.check_types import can_run
from portmesh.contracts.version import is_at_least, level_of, next_version
from portmesh.contracts.yaml_text import Column, PortText, load
from portmesh.dbt import compile_model, run_operation
from portmesh.errors import FindingsError
from portmesh.repository import find_root
from portmesh.scaffold.writing import write_all


class ModelColumn(BaseModel):
    """A column of the model's query. `fits` is whether it has the type in the contract."""

    name: str
    data_type: str
    fits: bool
    is_portable: bool


class Described(BaseModel):
    """What the macro `describe_model` says about a port's model, its contract and its published columns."""

    label: str
    model: str
    version: str
    path: str
    contract_version: str
    columns: list[ModelColumn]
    declared: dict[str, str]
    published_version: str = ""
    published: dict[str, str] = {}
    checks: list[Check] = []


@dataclass(frozen=True)
class Change:
    """One column: what the contract said and what it says now. An empty text means that the column is not there."""

    column: str
    before: str
    now: str
    what: str


@dataclass
class Refreshed:
    """The new text of the YAML, and what changed in it."""

    text: str
    changes: list[Change] = field(default_factory=list)
    left: list[Change] = field(default_factory=list)
    level: str = "patch"
    version: str = ""


def refresh(port: str, target: str | None, remove: bool, dry_run: bool) -> tuple[Described, Refreshed]:
    """Write the columns of the port's model into its YAML, unless it is a dry run.

    Raises FindingsError if the model has a type that no contract can have, or if the YAML cannot be edited.
    """
    described = describe(port, target)
    path = find_root() / described.path
    # newline="" keeps the line ends as they are.
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    found = refresh_text(text, described, remove)
    if found.text != text and not dry_run:
        write_all({path: found.text}, replace=True)
    return described, found


def describe(port: str, target: str | None) -> Described:
    """Describe the port's model on a target: dbt compiles it, the engine says which columns its query gives."""
    sql = compile_model(port, target)
    printed = run_operation("describe_model", json.dumps({"port": port, "sql": sql}), target)
    described = Described.model_validate_json(printed[-1])
    if Path(described.path).suffix not in (".yml", ".yaml"):
        raise FindingsError(f"{port} has no YAML yet.", [("model", described.path)], "portmesh new port makes one")
    return described


def refresh_text(text: str, described: Described, remove: bool) -> Refreshed:
    """The YAML with the model's new columns and types. Columns that the model lacks go only if `remove` is true."""
    _assert_portable(described)
    port = PortText(text, described.path, described.model, described.version)
    declared = {name.lower(): (name, type_) for name, type_ in described.declared.items()}
    found = Refreshed(text)
    after = None
    for one in described.columns:
        name, before = declared.get(one.name.lower(), ("", ""))
        if not name:
            port.add(Column(one.name, one.data_type), after)
            found.changes.append(Change(one.name, "", one.data_type, "added; describe it"))
            continue
        after = name
        if not one.fits or not before:
            port.set_type(Column(name, one.data_type))
            what = "type changed" if before else "type added"
            found.changes.append(Change(name, before, one.data_type, what))
    has = {one.name.lower() for one in described.columns}
    for lower, (name, before) in declared.items():
        if lower not in has and remove:
            port.remove(name)
            found.changes.append(Change(name, before, "", "removed, with its checks"))
        elif lower not in has:
            found.left.append(Change(name, before, before, "missing in the model; to remove it: --remove"))
    _assert_checks_can_run(described, found)
    found.text = port.result()
    _assert_only_columns_changed(text, found, described)
    found.level, found.version = _version(described, found)
    return found


def _assert_portable(described: Described) -> None:
    wrong = [one for one in described.columns if not one.is_portable]
    if wrong:
        allowed = "string, boolean, tinyint, smallint, int, bigint, double, decimal(p,s), date, timestamp"
        facts = [(one.name, f"{one.data_type}: no type of a contract") for one in wrong]
        raise FindingsError(
            f"The model of {described.label} has a type that does not exist on every engine.",
            [*facts, ("allowed", allowed), ("written", "nothing")],
            f"cast it in the model, such as cast({wrong[0].name} as bigint), then the same command",
            as_json={one.name: one.data_type for one in wrong} | {"allowed": allowed},
        )


def _assert_checks_can_run(described: Described, found: Refreshed) -> None:
    """Raises FindingsError if a check would stay that cannot run on a column's new type."""
    types = {change.column.lower(): change.now for change in found.changes if change.before and change.now}
    wrong = [
        (check.column, f"{check.kind} cannot run on {type_}")
        for check in described.checks
        if (type_ := types.get(check.column.strip('"`').lower())) and not can_run(check, type_)
    ]
    if wrong:
        number = (
            "a check does not fit its column's" if len(wrong) == 1 else f"{len(wrong)} checks do not fit their columns'"
        )
        raise FindingsError(
            f"The contract of {described.label} was not refreshed: {number} new type.",
            [*wrong, ("file", described.path), ("written", "nothing")],
            "take it out of the file, or cast the column in the model to the type it had, then the same command",
            as_json={"checks": [{"column": column, "why": why} for column, why in wrong], "file": described.path},
        )


def _assert_only_columns_changed(before: str, found: Refreshed, described: Described) -> None:
    """The new text has to mean the old text with these changes, and nothing else."""
    if found.text == before:
        return
    wanted = load(before)
    for change in found.changes:
        _apply(_columns(wanted, described), change)
    try:
        got = load(found.text)
    except YAMLError:
        got = None
    if got is None or got != _in_order(wanted, got, described):
        facts = [("file", described.path), ("written", "nothing"), *((one.column, one.now) for one in found.changes)]
        raise FindingsError(
            f"The YAML of {described.label} is written in a way that this command cannot edit.",
            facts,
            "write these columns by hand",
            as_json={"file": described.path, **{one.column: one.now for one in found.changes}},
        )


def _columns(content: object, described: Described) -> list[dict[str, object]]:
    """The list that the changes are in; made if it is missing."""
    assert isinstance(content, dict)
    model: dict[str, object] = next(one for one in content["models"] if one.get("name") == described.model)
    for version in model.get("versions") or []:  # type: ignore[attr-defined]
        if str(version.get("v")) == described.version and version.get("columns") is not None:
            columns: list[dict[str, object]] = version["columns"]
            return columns
    if model.get("columns") is None:
        model["columns"] = []
    return model["columns"]  # type: ignore[return-value]


def _apply(columns: list[dict[str, object]], change: Change) -> None:
    if change.what.startswith("added"):
        columns.append({"name": change.column, "data_type": change.now, "description": ""})
        return
    entry = next(one for one in columns if str(one.get("name")) == change.column)
    if change.now:
        entry["data_type"] = change.now
    else:
        columns.remove(entry)


def _in_order(wanted: object, got: object, described: Described) -> object:
    """`wanted` with its columns in the order of `got`: new columns stand where the model has them."""
    order = [str(one.get("name")) for one in _columns(deepcopy(got), described)]
    columns = _columns(wanted, described)
    if sorted(order) == sorted(str(one.get("name")) for one in columns):
        columns.sort(key=lambda one: order.index(str(one.get("name"))))
    return wanted


def _version(described: Described, found: Refreshed) -> tuple[str, str]:
    """The level of the change since the published contract, and the contract version that it asks for.

    If nothing is published on this target, the contract in the file counts as published.
    """
    changed = {one.column: one.now for one in found.changes}
    after = {name: type_ for name, type_ in {**described.declared, **changed}.items() if type_}
    before, version = described.published, described.published_version
    if not version:
        before, version = described.declared, described.contract_version
    level = level_of(before, after)
    wanted = "" if level == "patch" else next_version(version, level)
    if not wanted or (
        next_version(described.contract_version, "patch") and is_at_least(described.contract_version, wanted)
    ):
        return level, described.contract_version
    return level, wanted
