"""Compiles the SQL of the mesh as if nothing was built yet: without a database, and without dbt where it adds nothing.

dbt needs about 5 ms for each node. A model whose Jinja only names tables is filled in here, with dbt's own names of
them; a generic test is taken from an earlier state if everything that decides its SQL is the same.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dbt.adapters.factory import get_adapter_by_type
from dbt.compilation import Compiler
from dbt.context.providers import RuntimeDatabaseWrapper, RuntimeRefResolver, RuntimeSourceResolver
from dbt.contracts.graph.manifest import Manifest
from dbt.flags import get_flags
from dbt_common.exceptions import DbtBaseException

from portmesh.dbt import as_dictionary, as_error, parse
from portmesh.lineage.sql_of_node import INCREMENT, incremental_macros, may_be_incremental
from portmesh.plain import fill, is_plain

COMPILES_INCREMENTS = "compiles_increments"
"""The variable that makes `is_incremental()` say yes without a database."""
COMPILED = ("model", "snapshot", "test", "analysis")
"""The kinds of nodes that get compiled SQL."""
DECIDED = "decided_by"
"""The key of a generic test that has a digest of all that may decide its SQL."""
REF = "f300d4db277a1a719be93efc59ca66c6"
"""The digest of the root's own `ref` (macros/mesh/ref.sql)."""
NOT_OF_READERS = ("created_at", "raw_code", "compiled_code", "compiled", "build_path", "checksum", "docs")
"""What of a node cannot decide the SQL of a test that reads it."""
Nodes = Mapping[str, Mapping[str, Any]]
"""The nodes of a manifest, by id."""
Wanted = Callable[[Any, Mapping[str, Any]], bool]
"""Whether a node, as dbt knows it, is to be compiled. The second argument is all nodes by id."""


@dataclass(frozen=True)
class Compiled:
    """A manifest (schema v12, as a dictionary) whose models, snapshots and tests have their compiled SQL.

    A model that asks `is_incremental()` also has its SQL for an increment, under the key `compiled_increment`.
    `failed` has dbt's message for each node that does not compile, by id.
    """

    manifest: dict[str, Any]
    failed: dict[str, str]


def compile_manifest(
    root: Path, target: str, artifacts: Path, wanted: Wanted | None = None, known: Nodes | None = None
) -> Compiled:
    """Compile the mesh in `root` for a target as if nothing was built yet. No database is opened and no hook runs.

    With `wanted`, only the nodes for which it is true get compiled SQL. `known` are the nodes of an earlier state.
    dbt's own files go to the folder `artifacts`. Raises FindingsError with dbt's own message if it cannot parse a file.
    """
    options = ["--target-path", str(artifacts), "--log-path", str(artifacts)]
    manifest = parse([*options, "--target", target], root)
    # dbt's own compile command takes 70 % longer. It stops at the first node that does not compile, and before the
    # first one if a rule of the mesh is broken, but an exemption may end between two states.
    nodes = _Nodes(manifest, known or {})
    with _without_database(), _rare_collection():
        failed = nodes.compile(wanted)
    # As a file has it, because it is compared with one: dates are texts.
    compiled = Compiled(json.loads(json.dumps(as_dictionary(manifest), default=str)), failed)
    for id_, digest in nodes.decided.items():
        compiled.manifest["nodes"][id_][DECIDED] = digest
    with _without_database():
        increments = _compile_increments(manifest, compiled.manifest, wanted)
    for id_, sql in increments.items():
        compiled.manifest["nodes"][id_][INCREMENT] = sql
    return compiled


def _compile_increments(manifest: Manifest, as_dictionary: Mapping[str, Any], wanted: Wanted | None) -> dict[str, str]:
    """The SQL for an increment of each model that asks for one, by id; without those that do not compile."""
    asking = incremental_macros(as_dictionary)
    found = {}
    adapter = get_adapter_by_type(str(manifest.metadata.adapter_type))  # type: ignore[no-untyped-call]
    adapter.config.cli_vars[COMPILES_INCREMENTS] = True
    try:
        for id_, node in as_dictionary["nodes"].items():
            if wanted and not wanted(manifest.nodes[id_], manifest.nodes):
                continue
            if (
                may_be_incremental(node)
                and asking & set(node["depends_on"]["macros"])
                and node.get("language") == "sql"
            ):
                copied = deepcopy(manifest.nodes[id_])
                with suppress(DbtBaseException):
                    compiler = Compiler(adapter.config)
                    found[id_] = str(compiler.compile_node(copied, manifest, {}, write=False).compiled_code)  # type: ignore[arg-type]
    finally:
        del adapter.config.cli_vars[COMPILES_INCREMENTS]
    return found


@contextmanager
def _without_database() -> Iterator[None]:
    """As `--no-introspect` does it, which `dbt parse` does not have: our macros then ask no database for anything."""
    flags = get_flags()  # type: ignore[no-untyped-call]
    before = flags.INTROSPECT
    object.__setattr__(flags, "INTROSPECT", False)
    try:
        yield
    finally:
        object.__setattr__(flags, "INTROSPECT", before)


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Let Python look for garbage less often: it takes as long as compiling itself, and finds little."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Nodes:
    """The nodes of dbt's manifest, which are compiled in place. `decided` is what decides the SQL of generic tests."""

    def __init__(self, manifest: Manifest, known: Nodes) -> None:
        self._manifest, self._known = manifest, known
        self._adapter = get_adapter_by_type(str(manifest.metadata.adapter_type))  # type: ignore[no-untyped-call]
        self._named = RuntimeDatabaseWrapper(self._adapter, {})  # type: ignore[arg-type]
        self._facts: dict[str, Any] = {}
        self.decided: dict[str, str] = {}

    def compile(self, wanted: Wanted | None) -> dict[str, str]:
        """Compile each node, or each that is wanted. Returns dbt's message for each one that fails, by id."""
        compiler = Compiler(self._adapter.config)
        failed = {}
        for id_, node in self._manifest.nodes.items():
            if wanted and not wanted(node, self._manifest.nodes):
                continue
            if node.resource_type in COMPILED and not getattr(node, "compiled_code", None):
                try:
                    if not (self._is_filled(node) or self._is_known(node)):
                        compiler.compile_node(node, self._manifest, {}, write=False)  # type: ignore[arg-type]
                except DbtBaseException as error:
                    failed[id_] = as_error(str(error)).message
        return failed

    def _is_filled(self, node: Any) -> bool:
        """Fill in the names of tables, if the code has no other Jinja."""
        code = node.raw_code
        if node.resource_type != "model" or node.language != "sql" or not self._names_are_dbts(node.package_name):
            return False
        if not is_plain(code) or "\r" in code or code.endswith("\n") or self._reads_ephemeral(node):
            return False
        if any(each.type == "foreign_key" for each in node.all_constraints):
            return False
        config, resolved = self._adapter.config, (self._named, node, self._adapter.config, self._manifest)
        named: dict[str, Callable[..., object]] = {
            "ref": RuntimeRefResolver(*resolved),  # type: ignore[no-untyped-call]
            "source": RuntimeSourceResolver(*resolved),  # type: ignore[no-untyped-call]
            "this": lambda: self._adapter.Relation.create_from(config, node),
        }
        _compiled(node, fill(code, named))
        return True

    def _names_are_dbts(self, package: str) -> bool:
        """Whether `ref` and the like are dbt's own, or the root's, which only differs in unit tests."""
        if package not in self._facts:
            root = self._adapter.config.project_name
            own = [f"macro.{each}.{name}" for each in (package, root) for name in ("ref", "source", "config", "this")]
            found = [self._manifest.macros[id_].macro_sql for id_ in own if id_ in self._manifest.macros]
            self._facts[package] = all(_digest(text.strip()) == REF for text in found)
        return bool(self._facts[package])

    def _reads_ephemeral(self, node: Any) -> bool:
        parents = (self._manifest.nodes.get(id_) for id_ in node.depends_on.nodes)
        return any(each is not None and each.is_ephemeral_model for each in parents)

    def _is_known(self, node: Any) -> bool:
        """Take the SQL of a generic test from the earlier state, if nothing differs that may decide it."""
        about = getattr(node, "test_metadata", None)
        if not about or self._reads_ephemeral(node):
            return False
        self.decided[node.unique_id] = decided = _digest(self._everything, self._of_test(node))
        was = self._known.get(node.unique_id) or {}
        if was.get(DECIDED) != decided or not was.get("compiled_code"):
            return False
        _compiled(node, was["compiled_code"])
        node.relation_name = was.get("relation_name")
        node.depends_on.macros = list(was["depends_on"]["macros"])
        return True

    def _of_test(self, node: Any) -> object:
        facts = node.to_dict(omit_none=True)
        facts.pop("created_at", None)
        return [facts, [self._of_parent(id_) for id_ in node.depends_on.nodes]]

    def _of_parent(self, id_: str) -> Any:
        if id_ not in self._facts:
            parent = self._manifest.nodes.get(id_) or self._manifest.sources.get(id_)
            facts = parent.to_dict(omit_none=True) if parent else {}
            self._facts[id_] = _digest({key: facts[key] for key in facts if key not in NOT_OF_READERS})
        return self._facts[id_]

    @cached_property
    def _everything(self) -> str:
        """What may decide the SQL of any test: all macros, variables, the target and the environment."""
        macros = {id_: macro.macro_sql for id_, macro in self._manifest.macros.items()}
        environment = {name: value for name, value in os.environ.items() if name.startswith(("PORTMESH_", "DBT_"))}
        check = self._manifest.state_check.to_dict()
        return _digest(self._manifest.metadata.dbt_version, sorted(macros.items()), sorted(environment.items()), check)


def _compiled(node: Any, sql: str) -> None:
    node.compiled_code, node.compiled, node.extra_ctes_injected = sql, True, True


def _digest(*facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]
