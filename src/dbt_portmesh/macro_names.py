"""Lets dbt give Jinja the names of all macros in a fraction of the time.

For each node that dbt compiles or runs, it makes an object for every macro of the mesh, of itself and of the adapter
(more than a thousand), and looks each up by name in five places: a third of what compiling a node takes. Here the
objects are made without the calls, and the places are laid over each other once (decision 0039).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbt.clients.jinja import MacroGenerator
from dbt.context.macros import MacroNamespaceBuilder
from dbt.contracts.graph.nodes import Macro
from dbt.exceptions import PackageNotFoundForMacroError
from dbt.include.global_project import PROJECT_NAME as DBT


class Names(dict[str, Any]):
    """What `MacroNamespace` is: macros by name, packages by theirs. A package's own macros win, then the root's."""

    def __init__(self, own: dict[str, Any], root: dict[str, Any], of_dbt: dict[str, Any], packages: dict[str, Any]):
        super().__init__({**of_dbt, DBT: of_dbt, **packages, **root, **own})
        self._of_dbt, self._packages = of_dbt, packages

    def get_from_package(self, package: str | None, name: str) -> MacroGenerator | None:
        """As dbt's: the macro of one package, or of the first place that has it."""
        if package is None:
            return self.get(name)
        if package == DBT:
            return self._of_dbt.get(name)
        if package in self._packages:
            return self._packages[package].get(name)  # type: ignore[no-any-return]
        raise PackageNotFoundForMacroError(package)


def add_macro_names() -> None:
    """Change how dbt collects the names of macros, once in a process."""
    if not hasattr(MacroNamespaceBuilder.build_namespace, "__wrapped__"):
        build_names.__wrapped__ = MacroNamespaceBuilder.build_namespace  # type: ignore[attr-defined]
        MacroNamespaceBuilder.build_namespace = build_names  # type: ignore[method-assign, assignment]


def build_names(
    builder: MacroNamespaceBuilder, macros: Mapping[str, Mapping[str, Macro]], context: dict[str, Any]
) -> Names:
    """What dbt's own method of this name gives, which is under `__wrapped__`."""
    internal = builder.internal_package_names
    made = {name: _bound(each, context, builder) for name, each in macros.items()}
    packages = {name: each for name, each in made.items() if name not in internal}
    of_dbt: dict[str, MacroGenerator] = {}
    for name in reversed(builder.internal_package_names_order):
        of_dbt.update(made.get(name, {}))
    own = packages.get(builder.search_package, {})
    root = {} if builder.search_package == builder.root_package else packages.get(builder.root_package, {})
    return Names(own, root, of_dbt, packages)


def _bound(
    macros: Mapping[str, Macro], context: dict[str, Any], builder: MacroNamespaceBuilder
) -> dict[str, MacroGenerator]:
    """What `MacroGenerator(macro, context, node, stack)` makes of each macro, without its three constructors."""
    found, node, stack = {}, builder.node, builder.thread_ctx
    for name, macro in macros.items():
        one = MacroGenerator.__new__(MacroGenerator)
        one.context, one.macro, one.node, one.stack = context, macro, node, stack
        found[name] = one
    return found
