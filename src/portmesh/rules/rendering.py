"""Renders Jinja without dbt and without a database, to see the SQL that dbt's own compiling does not show.

That is SQL which Jinja sends itself (`run_query`), hooks, and branches that dbt did not take: `is_incremental()`, and
what depends on the target. What only dbt or the database knows is an Unknown, which is rendered both as true and as
false.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jinja2
from dbt_common.clients.jinja import get_environment
from dbt_common.exceptions import DbtBaseException
from jinja2.runtime import Context
from jinja2.utils import missing

from portmesh.plain import fill
from portmesh.rules.checked_mesh import CheckedMesh, Node
from portmesh.rules.standins import Members, Relation, Unknown

FAULTS = (jinja2.TemplateError, DbtBaseException, TypeError, ValueError, LookupError, AttributeError, ArithmeticError,
          RecursionError)  # fmt: skip
PACKAGE = "_portmesh_package"


@dataclass(frozen=True)
class Rendered:
    """The text that Jinja leaves, and the statements that it sends to the database itself."""

    text: str
    statements: tuple[str, ...]


class _Returned(Exception):  # noqa: N818
    """What `return()` ends a macro with."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Context(Context):
    """Looks up what a template does not define itself."""

    def resolve_or_missing(self, key: str) -> Any:
        found = super().resolve_or_missing(key)
        if found is not missing or key == "caller":
            return found
        renderer: Renderer = self.parent["_portmesh_renderer"]
        return renderer.find(key, self.parent[PACKAGE])


@cache
def _environment() -> jinja2.Environment:
    environment: jinja2.Environment = get_environment()
    environment.context_class = _Context
    return environment


def third_party_packages(mesh: CheckedMesh) -> frozenset[str]:
    """Packages with models that are no domains: what the macro of that name returns."""
    try:
        return frozenset(Renderer(mesh, True, "duckdb").value("third_party_packages"))
    except FAULTS:
        return frozenset()


class Renderer:
    """Renders templates of a mesh with one truth of what is unknown, for one engine."""

    def __init__(self, mesh: CheckedMesh, truth: bool, engine: str) -> None:
        self._mesh, self._truth, self._engine = mesh, truth, engine
        self._unknown = Unknown(truth)
        self._macros: dict[str, dict[str, Mapping[str, Any]]] = {}
        for macro in (mesh.manifest.get("macros") or {}).values():
            self._macros.setdefault(macro["package_name"], {})[macro["name"]] = macro
        self._called: dict[tuple[str, str], Callable[..., Any]] = {}
        self._start(None, mesh.project)

    def render(self, code: str, package: str, node: Node | None = None) -> Rendered:
        """Render a template of a package, for a node if it belongs to one. What cannot be rendered has no text."""
        self._start(node, package)
        try:
            text = _environment().from_string(code).render(self._variables(package))
        except (*FAULTS, _Returned):
            text = ""
        return Rendered(text, tuple(self._sent))

    def call(self, package: str, name: str) -> Rendered:
        """Render a macro of a package whose arguments are all unknown."""
        self._start(None, package)
        try:
            text = str(self._macro(package, name)())
        except FAULTS:
            text = ""
        return Rendered(text, tuple(self._sent))

    def fill(self, node: Node) -> str:
        """The SQL of a node whose code is plain."""
        self._start(node, node["package_name"])
        named: dict[str, Callable[..., object]] = {"ref": self._ref, "source": self._source}
        named["this"] = lambda: self._relation(node)
        return fill(node.get("raw_code") or "", named)

    def value(self, name: str) -> Any:
        """What a macro of the root returns."""
        self._start(None, self._mesh.project)
        return self._macro(self._mesh.project, name)()

    def _start(self, node: Node | None, package: str) -> None:
        self._node: Node = node or {}
        self._package = package
        self._stack: list[str] = []
        self._sent: list[str] = []

    def _variables(self, package: str) -> dict[str, Any]:
        return {"_portmesh_renderer": self, PACKAGE: package}

    def find(self, name: str, package: str) -> Any:
        """What a name means in a template of a package: dbt's objects, a macro, a package, or an unknown value."""
        if name in self._objects:
            return self._objects[name]
        if name == "this":
            return self._relation(self._node) if self._node else self._unknown
        if name == "model":
            return self._node or self._unknown
        for where in (package, self._mesh.project, "dbt", f"dbt_{self._engine}"):
            if name in self._macros.get(where, {}):
                return self._macro(where, name)
        if name in self._macros:
            return Members({}, lambda member: self._member(name, member))
        return self._unknown

    def _member(self, package: str, name: str) -> Any:
        if name in ("run_query", "statement"):
            return self._objects[name]
        return self._macro(package, name) if name in self._macros[package] else self._unknown

    def _macro(self, package: str, name: str) -> Callable[..., Any]:
        if (package, name) not in self._called:
            code = self._macros[package][name]["macro_sql"]
            module = _environment().from_string(code).make_module(self._variables(package))
            made = getattr(module, f"dbt_macro__{name}")

            def call(*arguments: Any, **named: Any) -> Any:
                if not self._stack and not self._node:
                    arguments = (self._unknown,) * len(made.arguments)
                self._stack.append(package)
                try:
                    return made(*arguments, **named)
                except _Returned as returned:
                    return returned.value
                finally:
                    self._stack.pop()

            self._called[package, name] = call
        return self._called[package, name]

    def _dispatch(self, name: str, namespace: str | None = None, **_: object) -> Any:
        packages = [self._mesh.project, *filter(None, [namespace]), f"dbt_{self._engine}", "dbt"]
        for form in (f"{self._engine}__{name}", f"default__{name}"):
            for package in packages:
                if form in self._macros.get(package, {}):
                    return self._macro(package, form)
        return self._unknown

    def _send(self, sql: Any = "", *_: object, **__: object) -> Unknown:
        # What the mesh's own macros send is the platform's.
        if self._mesh.project not in self._stack:
            self._sent.append(str(sql))
        return self._unknown

    def _statement(self, *_: object, caller: Callable[[], str] | None = None, **__: object) -> str:
        if caller is not None:
            self._send(caller())
        return ""

    def _return(self, value: Any = None) -> Any:
        raise _Returned(value)

    def _ref(self, *names: Any, **version: Any) -> Any:
        package, name = (str(names[0]) if len(names) > 1 else "", str(names[-1]))
        wanted = version.get("version", version.get("v"))
        found = [
            node
            for node in self._mesh.by_name.get(name, ())
            if (not package or node["package_name"] == package)
            and str(node.get("version")) == str(node.get("latest_version") if wanted is None else wanted)
        ]
        return self._relation(min(found, key=self._nearness)) if found else self._unknown

    def _source(self, source: str, name: str) -> Any:
        found = self._mesh.sources_by_name.get((source, name), [])
        return self._relation(min(found, key=self._nearness)) if found else self._unknown

    def _nearness(self, node: Node) -> tuple[bool, bool]:
        """dbt has resolved the name already: what it found is among what the node depends on."""
        known = (self._node.get("depends_on") or {}).get("nodes") or ()
        return node["unique_id"] not in known, node["package_name"] != self._package

    def _relation(self, node: Node) -> Relation:
        name = node.get("identifier") or node.get("alias") or node.get("name") or ""
        return Relation(
            str(node.get("database") or ""), str(node.get("schema") or ""), name, node.get("relation_name") or ""
        )

    def _made(self, database: Any = None, schema: Any = None, identifier: Any = None, **_: object) -> Relation:
        return Relation(str(database or ""), str(schema or ""), str(identifier or ""))

    def _config(self, name: str, default: Any = None, **_: object) -> Any:
        found = (self._node.get("config") or {}).get(name)
        return default if found is None else found

    @cached_property
    def _objects(self) -> dict[str, Any]:
        unknown = self._unknown
        sending = {"execute": self._send, "add_query": self._send, "query": self._send}
        config = _Config({"get": self._config, "require": self._config}, lambda _: unknown)
        modules = {"datetime": datetime, "re": re, "itertools": itertools}
        return {
            "ref": self._ref,
            "source": self._source,
            "config": config,
            "builtins": {"ref": self._ref, "source": self._source, "config": config},
            "var": lambda _, default=unknown: default,
            "env_var": lambda _, default=unknown: default,
            "execute": True,
            "is_incremental": lambda: self._truth,
            "run_query": self._send,
            "statement": self._statement,
            "return": self._return,
            "adapter": Members(
                sending
                | {"dispatch": self._dispatch, "get_relation": self._made, "type": lambda: self._engine}
                | {"quote": lambda name: f'"{name}"'},
                lambda _: unknown,
            ),
            "api": Members({"Relation": Members({"create": self._made}, lambda _: unknown)}, lambda _: unknown),
            "modules": Members(modules, lambda _: unknown),
            "target": Members({"type": self._engine}, lambda _: unknown),
            "run_started_at": datetime.datetime.now(datetime.UTC),
            "log": lambda *_, **__: "",
            "print": lambda *_, **__: "",
            "exceptions": Members({}, lambda _: lambda *_, **__: ""),
            "tojson": str,
            "set": lambda values=(), *_: set(values),
            "zip": zip,
        }


class _Config(Members):
    """`config(…)` is empty text."""

    def __call__(self, *_: object, **__: object) -> str:
        return ""
