"""Which columns of a port have no duplicates in any version that its readers see: those of checks that refuse them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from portmesh.lineage.tables import has_contract
from portmesh.port_checks import checks_of, tests_by_node

Keys: TypeAlias = Mapping[str, frozenset[frozenset[str]]]
"""The keys of each port, by its id; none of their columns is ever null."""


def keys_of_both(before: Mapping[str, Any], after: Mapping[str, Any]) -> Keys:
    """The keys that a port has in both manifests."""
    one, other = _keys(before), _keys(after)
    return {id_: found for id_ in one.keys() & other.keys() if (found := one[id_] & other[id_])}


def _keys(manifest: Mapping[str, Any]) -> dict[str, frozenset[frozenset[str]]]:
    tests = tests_by_node(manifest)
    found = {}
    for id_, node in manifest.get("nodes", {}).items():
        if (node.get("config") or {}).get("materialized") == "output_port" and has_contract(node):
            checks = [check for check in checks_of(node, tests.get(id_, ()), {}) if check.is_strict]
            filled = {check.column for check in checks if check.kind == "not_null"}
            found[id_] = frozenset(check.key for check in checks if check.key and check.key <= filled)
    return found
