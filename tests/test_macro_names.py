"""Names of macros: what the plugin gives Jinja is what dbt itself would give it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.clients.jinja import MacroGenerator, MacroStack
from dbt.context.macros import MacroNamespaceBuilder
from dbt.exceptions import PackageNotFoundForMacroError

from dbt_portmesh.macro_names import add_macro_names, build_names

MACROS = {
    "portmesh": ("ref", "both", "root_only"),
    "orders": ("both", "own", "dbt_only"),
    "catalogue": ("both", "own"),
    "dbt": ("dbt_only", "ref", "default__x"),
    "dbt_duckdb": ("dbt_only", "duckdb__x"),
}


def macros() -> dict[str, dict[str, Any]]:
    return {
        package: {name: SimpleNamespace(package_name=package, name=name) for name in names}
        for package, names in MACROS.items()
    }


def told(names: Mapping[str, Any]) -> dict[str, Any]:
    """Each name with all that its macro has."""
    return {name: told(each) if isinstance(each, dict) else vars(each) for name, each in names.items()}


@pytest.mark.parametrize("package", ["portmesh", "orders", "catalogue"])
def test_the_names_are_those_of_dbt(package: str) -> None:
    add_macro_names()
    of_dbt = build_names.__wrapped__  # type: ignore[attr-defined]
    assert MacroNamespaceBuilder.build_namespace is build_names
    given, stack = macros(), MacroStack()
    context: dict[str, Any] = {}
    before, after = (
        build(MacroNamespaceBuilder("portmesh", package, stack, ["dbt_duckdb", "dbt"], "node"), given, context)
        for build in (of_dbt, build_names)
    )
    assert told(after) == told(before)
    assert {"both", "ref", "dbt", "orders"} <= told(after).keys()
    assert type(after["both"]) is MacroGenerator
    for where in (None, "dbt", "orders", "portmesh"):
        for name in ("both", "own", "ref", "dbt_only", "none"):
            one, other = (each.get_from_package(where, name) for each in (before, after))
            assert (one and vars(one)) == (other and vars(other))
    with pytest.raises(PackageNotFoundForMacroError):
        after.get_from_package("nobody", "both")
