"""Every piece of SQL of the domains, with what it reads, wherever it stands: in a file, in YAML or in Jinja."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ruamel.yaml import YAML

from portmesh.lineage.sql_of_node import is_python
from portmesh.lineage.tables import EPHEMERAL
from portmesh.plain import is_plain
from portmesh.rules.checked_mesh import ROOT, CheckedMesh, Node, is_ephemeral, kind, label
from portmesh.rules.reading_sql import Name, SqlReads
from portmesh.rules.rendering import Renderer
from portmesh.rules.standins import UNKNOWN

HOOKS = ("pre-hook", "post-hook")
ENGINES = ("duckdb", "spark", "athena")


@dataclass(frozen=True)
class Text:
    """SQL of a node: what it reads, what it is in words, and where it stands.

    `is_sent` is true for a statement that dbt sends beside the node's query: a hook, or one that Jinja sends itself.
    """

    node: Node
    what: str
    reads: SqlReads
    file: str
    is_sent: bool = False


@cache
def texts_of(mesh: CheckedMesh) -> tuple[Text, ...]:
    """All SQL of the domains."""
    texts = [*_queries(mesh), *_checks(mesh), *_in_yaml(mesh), *_python(mesh), *_hooks(mesh), *_branches(mesh)]
    return (*texts, *_of_macros(mesh))


def reads_of(mesh: CheckedMesh, node: Node) -> SqlReads:
    """What the node's own SQL reads, without that of ephemeral models in it."""
    ephemeral = frozenset(EPHEMERAL + each["name"] for each in mesh.parents_of(node) if is_ephemeral(each))
    return mesh.reads.query(code_of(mesh, node), mesh.dialect_of(node), ephemeral)


def code_of(mesh: CheckedMesh, node: Node) -> str:
    """The SQL of a node: as dbt compiled it, or, if its code is plain, with the names of tables put in here."""
    if compiled := node.get("compiled_code"):
        return str(compiled)
    is_known = is_plain(node.get("raw_code") or "") and not node.get("test_metadata")
    return _renderers(mesh, mesh.dialect_of(node))[0].fill(node) if is_known else ""


def needs_dbt() -> Callable[[Any, Mapping[str, Any]], bool]:
    """Whether dbt has to compile a node of its own manifest, because only then it is known what its SQL reads."""
    domains: set[str] = set()

    def needs(node: Any, nodes: Mapping[str, Any]) -> bool:
        if not domains:
            domains.update({each.package_name for each in nodes.values()} - {ROOT})
        if node.resource_type not in ("model", "snapshot", "analysis", "test") or node.language != "sql":
            return False
        if about := getattr(node, "test_metadata", None):
            given = [*_strings(about.kwargs), node.config.where or ""]
            return _is_from(node.depends_on.macros, about.name, domains) or any(
                "{" in text and _may_read(text) for text in given
            )
        parents = [nodes[id_] for id_ in node.depends_on.nodes if id_ in nodes]
        return not is_plain(node.raw_code) or any(each.config.materialized == "ephemeral" for each in parents)

    return needs


def _is_from(macros: Iterable[str], kind: str, domains: Collection[str]) -> bool:
    """Whether a kind of generic test is a macro of a domain. The ids of macros are macro.<package>.<name>."""
    return any(each.split(".")[1] in domains and each.split(".")[2] == f"test_{kind}" for each in macros)


def unexpected(mesh: CheckedMesh, text: Text) -> tuple[list[Name], list[str]]:
    """The tables that a text names although its node does not read them through ref() or source(), and the functions
    and files that it reads in the place of tables.
    """
    tables, calls = mesh.may_name(text.node)
    own = text.node["package_name"]
    return (
        [
            name
            for name in text.reads.tables
            if not _is_among(name, tables) and (not is_unknown(name) or mesh.owner_of(name) not in ("", own))
        ],
        [call for call in text.reads.calls if call not in calls and UNKNOWN not in call.lower()],
    )


def _is_among(name: Name, tables: set[Name]) -> bool:
    """Whether a name means one of these tables. Engines name one table with and without its catalog."""
    return name in tables or any(
        len(name) > 1 and len(each) > 1 and each[-min(len(each), len(name)) :] == name[-min(len(each), len(name)) :]
        for each in tables
    )


def is_unknown(name: Name) -> bool:
    """Whether a part of a table's name is known only to dbt or the database."""
    return any(UNKNOWN in part for part in name)


def _queries(mesh: CheckedMesh) -> Iterator[Text]:
    for node in mesh.of_domains("model", "snapshot", "analysis", "test"):
        is_own = node["resource_type"] != "test" or is_of_domain(mesh, node)
        if is_own and node.get("language", "sql") == "sql" and code_of(mesh, node).strip():
            yield Text(node, f"{kind(node)} {label(node)}", reads_of(mesh, node), mesh.file_of(node))
    for node in mesh.of_domains("function"):
        body = node.get("compiled_code") or node.get("raw_code") or ""
        yield Text(
            node, f"function {label(node)}", mesh.reads.expression(body, mesh.dialect_of(node)), mesh.file_of(node)
        )


def is_of_domain(mesh: CheckedMesh, test: Node) -> bool:
    """Whether a test's SQL was written in a domain: it is singular, or generic from a domain's own macro."""
    about = test.get("test_metadata")
    return not about or _is_from(test["depends_on"].get("macros") or (), about["name"], mesh.domains)


def _checks(mesh: CheckedMesh) -> Iterator[Text]:
    """The arguments and conditions of generic tests, and the constraints of ports, that contain a query."""
    for test in mesh.of_domains("test"):
        about = test.get("test_metadata") or {}
        given = [*_strings(about.get("kwargs") or {}), test["config"].get("where") or ""]
        if any(_may_read(text) for text in given):
            dialect = mesh.dialect_of(test)
            found = [mesh.reads.expression(text, dialect) for text in given if _may_read(text)]
            if any(one.problem for one in found) and test.get("compiled_code"):
                found = [mesh.reads.query(test["compiled_code"], dialect)]
            for one in found:
                yield Text(test, f"check {label(test)}", one, mesh.file_of(test))
    for port in mesh.of_domains("model"):
        for constraint in constraints_of(port):
            text = str(constraint.get("expression") or "")
            if _may_read(text) and constraint.get("type") == "check":
                reads = mesh.reads.expression(text, mesh.dialect_of(port))
                yield Text(port, f"constraint of {label(port)}", reads, mesh.yaml_of(port))


def constraints_of(node: Node) -> list[Mapping[str, Any]]:
    columns = (node.get("columns") or {}).values()
    return [*(node.get("constraints") or []), *(each for column in columns for each in column.get("constraints") or [])]


def _may_read(text: str) -> bool:
    """Whether there can be a query in a text: SQL has one only with one of these words."""
    return any(word in text.lower() for word in ("from", "select", "table"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if key != "model":
                yield from _strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)


def _in_yaml(mesh: CheckedMesh) -> Iterator[Text]:
    """The rows of unit tests that are SQL, and the queries that ask a source for its freshness."""
    for test in mesh.of_domains("unit_test"):
        for given in [*(test.get("given") or []), test.get("expect") or {}]:
            if given.get("format") == "sql" and isinstance(given.get("rows"), str):
                reads = mesh.reads.query(given["rows"], mesh.dialect_of(test))
                yield Text(test, f"unit test {label(test)}", reads, mesh.file_of(test))
    for source in mesh.of_domains("source"):
        if query := source.get("loaded_at_query"):
            reads = mesh.reads.query(query, mesh.dialect_of(source))
            yield Text(source, f"loaded_at_query of {label(source)}", reads, mesh.file_of(source))


def _python(mesh: CheckedMesh) -> Iterator[Text]:
    """The texts in a Python model that are the name of a table, or a query."""
    for node in mesh.of_domains("model"):
        if not is_python(node):
            continue
        try:
            tree = ast.parse(node.get("raw_code") or "")
        except SyntaxError as error:
            yield Text(node, f"model {label(node)}", SqlReads(problem=str(error)), mesh.file_of(node))
            continue
        constants = [each.value for each in ast.walk(tree) if isinstance(each, ast.Constant)]
        for text in constants:
            if isinstance(text, str) and "." in text:
                found = mesh.reads.query(text, mesh.dialect_of(node))
                found = mesh.reads.query(f"select * from {text}", mesh.dialect_of(node)) if found.problem else found
                tables = tuple(name for name in found.tables if mesh.owner_of(name))
                if tables:
                    yield Text(node, f"model {label(node)}", SqlReads(tables), mesh.file_of(node))


def _hooks(mesh: CheckedMesh) -> Iterator[Text]:
    of_root = _hooks_of_root(mesh)
    for node in mesh.of_domains("model", "seed", "snapshot"):
        hooks = [(name, hook["sql"].strip()) for name in HOOKS for hook in node["config"].get(name) or []]
        if header := node["config"].get("sql_header"):
            hooks.append(("sql_header", str(header).strip()))
        for name, code in hooks:
            if code and code not in of_root:
                yield from _sent(mesh, node, code, f"{name} of {label(node)}")


@cache
def _hooks_of_root(mesh: CheckedMesh) -> frozenset[str]:
    file = mesh.root / "dbt_project.yml"
    project = YAML(typ="safe").load(file) if file.is_file() else {}

    def find(value: Any) -> Iterator[str]:
        for key, part in value.items() if isinstance(value, dict) else ():
            if key.lstrip("+").replace("_", "-") in HOOKS:
                hooks = part if isinstance(part, list) else [part]
                yield from (str(hook["sql"] if isinstance(hook, dict) else hook).strip() for hook in hooks)
            else:
                yield from find(part)

    return frozenset(find(project))


def _sent(mesh: CheckedMesh, node: Node, code: str, what: str) -> Iterator[Text]:
    dialect = mesh.dialect_of(node)
    seen = set()
    for renderer in _renderers(mesh, dialect):
        rendered = renderer.render(code, node["package_name"], node)
        for sql in [rendered.text or code, *rendered.statements]:
            if sql.strip() and sql not in seen:
                seen.add(sql)
                yield Text(
                    node, what, mesh.reads.query(sql, dialect, only_queries=False), mesh.yaml_of(node), is_sent=True
                )


def _branches(mesh: CheckedMesh) -> Iterator[Text]:
    """What the Jinja of models and the like can become besides the compiled SQL, and what it sends itself."""
    for node in mesh.of_domains("model", "snapshot", "analysis", "test"):
        code = node.get("raw_code") or ""
        if node.get("language", "sql") != "sql" or node.get("test_metadata") or is_plain(code):
            continue
        own, what, file = mesh.dialect_of(node), f"{kind(node)} {label(node)}", mesh.file_of(node)
        depends = any(word in code for word in ("target", "adapter", "dispatch"))
        sent, read = set(), set()
        for engine in dict.fromkeys((own, *ENGINES)) if depends else (own,):
            for renderer in _renderers(mesh, engine):
                rendered = renderer.render(code, node["package_name"], node)
                sent |= {(sql, engine) for sql in rendered.statements}
                read |= {(rendered.text, engine)}
        for sql, engine in sorted(read):
            reads = mesh.reads.query(sql, engine)
            yield Text(node, what, SqlReads(reads.tables, reads.calls) if not reads.problem else SqlReads(), file)
        for sql, engine in sorted(sent):
            reads = mesh.reads.query(sql, engine, only_queries=False)
            yield Text(node, f"the statement that {what} sends", reads, file, is_sent=True)


def _of_macros(mesh: CheckedMesh) -> Iterator[Text]:
    """What the macros of domains send themselves, whatever their arguments are."""
    for macro in (mesh.manifest.get("macros") or {}).values():
        if macro["package_name"] not in mesh.domains:
            continue
        dialect = str(mesh.manifest["metadata"]["adapter_type"])
        place = macro | {"resource_type": "macro"}
        package, name = macro["package_name"], macro["name"]
        sent = {sql for each in _renderers(mesh, dialect) for sql in each.call(package, name).statements}
        for sql in sorted(sent):
            reads = mesh.reads.query(sql, dialect, only_queries=False)
            yield Text(place, f"the statement that the macro {label(place)} sends", reads, mesh.file_of(macro), True)


@cache
def _renderers(mesh: CheckedMesh, engine: str) -> tuple[Renderer, ...]:
    return tuple(Renderer(mesh, truth, engine) for truth in (True, False))
