"""The settings of a node that decide how it is built, apart from the rows that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_BUILT = frozenset(["access", "contract", "description", "docs", "group", "meta", "packages", "tags"])
"""Settings that a build does not apply to a table. Of `meta` and the contract, the next two say what it does apply."""
OF_META = ("freshness", "starts_from")
OF_COLUMNS = ("data_type", "constraints")


def changed_settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Why a node has to be built again although its rows stay the same."""
    old, new = _settings(before), _settings(after)
    return [
        f"its {name} is {_shown(new.get(name))}, was {_shown(old.get(name))}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def of_config(node: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those that only describe, and without those that are at nothing."""
    config = node.get("config") or {}
    return {name: value for name, value in config.items() if name not in NOT_BUILT and value not in (None, {}, [], "")}


def _settings(node: Mapping[str, Any]) -> dict[str, Any]:
    config = node.get("config") or {}
    meta, contract = config.get("meta") or {}, config.get("contract") or {}
    found = {**of_config(node), **{name: meta[name] for name in OF_META if meta.get(name)}}
    found["alias"] = node.get("alias")
    if contract.get("enforced"):
        for column, declared in (node.get("columns") or {}).items():
            for name in OF_COLUMNS:
                if declared.get(name):
                    found[f"column {column}'s {name}"] = declared[name]
        found["constraints"] = node.get("constraints") or None
    return found


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)
