"""The tables that a domain reads from outside, its sources and other domains' ports, with what their YAML says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portmesh.checks import Check, key_of
from portmesh.dbt import Readable
from portmesh.errors import FindingsError, UsageError, not_allowed
from portmesh.keys import CLASSIFICATIONS
from portmesh.mesh import Mesh, Port, Source, read_mesh

OF_THE_MESH = "portmesh"
"""The schema of the mesh's own records, which each database has for itself."""
_LANDED = re.compile(r"\(?landed\('([^']+)'\)\)?")
_REFERS = re.compile(r"(ref|source)\(\s*'([^']+)'(?:\s*,\s*'([^']+)')?(?:\s*,\s*v(?:ersion)?\s*=\s*'?([^')\s]+))?")


@dataclass(frozen=True)
class Reference:
    """A declared relationship: each value of `column` is a value of `to_column` in the table `to`."""

    column: str
    to: str
    to_column: str


@dataclass(frozen=True)
class Wanted:
    """A table that the domain reads. Names of columns are in lower case.

    `schema` and `table` are its name in production, `local_schema` its schema here. `feed` is the feed of the lake that
    it is, or empty. `place` is what DuckDB reads here instead of a table, such as a file; empty for a table or feed.
    `levels` are the classifications of columns that have their own.
    """

    label: str
    kind: str
    schema: str
    table: str
    local_schema: str
    file: str
    feed: str = ""
    place: str = ""
    classification: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    accepted: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()

    def level(self, column: str) -> str:
        """The column's classification. What nobody classified counts as restricted."""
        return self.levels.get(column) or self.classification or CLASSIFICATIONS[-1]


@dataclass(frozen=True)
class Wish:
    """What a domain needs to be built here. `subjects` are the columns that identify each entity."""

    domain: str
    engine: str
    tables: tuple[Wanted, ...]
    subjects: Mapping[str, frozenset[str]]


def wish_of(domain: str, readable: Readable) -> Wish:
    """The tables that a domain's models read. Raises UsageError if there is no such domain, or if it reads nothing."""
    mesh = read_mesh(readable.manifest, readable.checks)
    product = next((product for product in mesh.products if product.name == domain), None)
    if not product:
        raise not_allowed("domain", domain, sorted(mesh.product_names))
    own = _accepted([check for port in product.ports for check in mesh.checks.get(port.id, ())])
    read = [source for source in product.sources if source.schema != OF_THE_MESH]
    sources = [_with_references(_source(source, readable, own), read, product.ports, mesh) for source in read]
    ports = [_port(mesh.ports[id_], mesh, readable.manifest["nodes"][id_]) for id_ in product.input_ports]
    if not sources and not ports:
        raise UsageError(
            f"{domain} reads no source and no port of another domain, so there is nothing to sample.",
            next_step=f"dbt build --select package:{domain}",
        )
    found: dict[str, set[str]] = {}
    for port in (*product.ports, *(mesh.ports[id_] for id_ in product.input_ports)):
        if port.meta.subject:
            found.setdefault(port.meta.subject.entity, set()).add(port.meta.subject.key.lower())
    return Wish(
        domain, product.meta.engine, (*sources, *ports), {name: frozenset(keys) for name, keys in found.items()}
    )


def _port(port: Port, mesh: Mesh, node: Mapping[str, Any]) -> Wanted:
    schema, _, table = port.relation.partition(".")
    checks = list(mesh.checks.get(port.id, ()))
    return Wanted(
        label=port.label,
        kind="port",
        schema=schema,
        table=table,
        local_schema=str(node["schema"]),
        file=port.path,
        classification=_classification(port.meta.classification, port.label, port.path),
        levels=_levels(node, port.label, port.path),
        key=tuple(column.lower() for column in key_of(checks)),
        accepted=_accepted(checks),
        references=tuple(_references(checks, port.product)),
    )


def _source(source: Source, readable: Readable, own: Mapping[str, tuple[Any, ...]]) -> Wanted:
    """`own` are the accepted values of the domain's own ports, for source columns of the same name."""
    node = readable.manifest["sources"][source.id]
    path = f"domains/{source.product}/{node['original_file_path']}"
    checks = list(_checks_of_source(source.id, readable.manifest))
    relation = readable.sources[source.id]
    landed = _LANDED.fullmatch(relation.strip())
    is_table = f'"{source.table}"' in relation or relation.endswith(f".{source.table}")
    return Wanted(
        label=source.label,
        kind="source",
        schema=source.schema,
        table=source.table,
        local_schema=source.schema,
        file=path,
        feed=landed[1] if landed else "",
        place="" if landed or is_table else relation,
        classification=_classification(_meta(node).get("classification"), source.label, path),
        levels=_levels(node, source.label, path),
        key=tuple(column.lower() for column in key_of(checks)),
        accepted={**own, **_accepted(checks)},
        references=tuple(_references(checks, source.product)),
    )


def _with_references(table: Wanted, read: Sequence[Source], ports: Sequence[Port], mesh: Mesh) -> Wanted:
    """The source table with the relationships of the domain's port of the same name, to such source tables."""
    labels = {source.label.partition(".")[2]: source.label for source in read}
    found = [
        Reference(reference.column, labels[name], reference.to_column)
        for port in ports
        if labels.get(port.name) == table.label
        for reference in _references(mesh.checks.get(port.id, ()), port.product)
        for product, _, name in [reference.to.partition(".")]
        if product == port.product and name in labels
    ]
    return replace(table, references=(*table.references, *found))


def _meta(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (part.get("config") or {}).get("meta") or part.get("meta") or {}
    return found


def _levels(node: Mapping[str, Any], label: str, path: str) -> dict[str, str]:
    stated = {name.lower(): _meta(column).get("level") for name, column in node["columns"].items()}
    return {name: _classification(level, f"{label}.{name}", path) for name, level in stated.items() if level}


def _classification(level: object, of: str, path: str) -> str:
    if level and level not in CLASSIFICATIONS:
        raise FindingsError(
            f"The classification of {of} is not known, so nothing was sampled.",
            [("file", path), ("got", str(level)), ("allowed", ", ".join(CLASSIFICATIONS))],
        )
    return str(level or "")


def _checks_of_source(id_: str, manifest: Mapping[str, Any]) -> Iterator[Check]:
    """The source's data tests as checks. The gate lists those of ports only."""
    for node in manifest["nodes"].values():
        about = node.get("test_metadata") or {}
        arguments = about.get("kwargs") or {}
        if id_ not in (node.get("depends_on") or {}).get("nodes", ()) or not about:
            continue
        refers = _REFERS.search(str(arguments.get("model", "")))
        if refers and refers[1] == "source" and id_.endswith(f".{refers[2]}.{refers[3]}"):
            column = str(arguments.get("column_name") or "").strip('"`')
            strict = (node.get("config") or {}).get("severity", "error").lower() == "error"
            yield Check(kind=about["name"], column=column, arguments=arguments, allows_no_failure=strict)


def _accepted(checks: Sequence[Check]) -> dict[str, tuple[Any, ...]]:
    listed = [check for check in checks if check.kind == "accepted_values" and check.arguments.get("values")]
    return {check.column.lower(): tuple(check.arguments["values"]) for check in listed}


def _references(checks: Sequence[Check], domain: str) -> Iterator[Reference]:
    for check in checks:
        found = _REFERS.search(str(check.arguments.get("to", "")))
        if check.kind == "relationships" and found:
            package, name = (found[2], found[3]) if found[3] else (domain, found[2])
            label = f"{package}.{name}" + (f".v{found[4]}" if found[4] else "")
            yield Reference(check.column.lower(), label, str(check.arguments["field"]).lower())
