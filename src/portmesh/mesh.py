"""The mesh as dbt's manifest describes it: products, ports, contracts, checks and consumers.

Every other module reads the mesh from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from portmesh import manifest as dbts
from portmesh.checks import Check, read_checks
from portmesh.errors import FindingsError
from portmesh.invalid import facts_of
from portmesh.keys import PortMeta, ProductMeta

BUILDABLE = ("model", "seed", "snapshot", "test", "unit_test")
Meta = TypeVar("Meta", bound=BaseModel)


@dataclass(frozen=True)
class Port:
    """An output port. `block` is the docs block with its catalog page, which its YAML description includes."""

    id: str
    product: str
    name: str
    relation: str
    path: str
    block: str
    description: str
    includes_block: bool
    block_starts_a_line: bool
    meta: PortMeta

    @property
    def label(self) -> str:
        return f"{self.product}.{self.name}"

    @property
    def reference(self) -> str:
        """How a model of another domain refers to it."""
        name, _, version = self.name.partition(".v")
        return f"{{{{ ref('{self.product}', '{name}'{f', v={version}' if version else ''}) }}}}"

    @property
    def grain(self) -> str:
        """The first sentence of the description."""
        text = " ".join(self.description.split())
        found = re.match(r"(.+?[.:!?])\s+(?=[A-Z0-9])", text + " A")
        return (found.group(1) if found else text).rstrip()


@dataclass(frozen=True)
class Source:
    """A table that a domain reads from outside the mesh; `product` is the domain that declares it in the file `path`.

    `landing` says how its files come: the table's own keys over its source's. It is empty if it has no files.
    `location` is what DuckDB reads instead of the table. `columns` are dbt's.
    """

    id: str
    product: str
    source: str
    name: str
    description: str
    schema: str
    table: str
    path: str = ""
    location: str = ""
    landing: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[Mapping[str, Any], ...] = ()

    @property
    def label(self) -> str:
        return f"{self.source}.{self.name}"


@dataclass(frozen=True)
class Node:
    """A node that dbt can build or test. `parents` are the ids of all nodes and sources that it reads.

    `attached_to` is the id of the node that a generic test checks; it is empty for a singular test.
    """

    id: str
    kind: str
    domain: str
    fqn: str
    label: str
    is_port: bool
    parents: tuple[str, ...]
    attached_to: str = ""


@dataclass(frozen=True)
class Product:
    """A data product: the ports that a domain publishes, and the inputs they are built from."""

    name: str
    description: str
    owner_name: str
    owner_email: str
    meta: ProductMeta
    ports: tuple[Port, ...]
    input_ports: tuple[str, ...]
    sources: tuple[Source, ...]

    @property
    def block(self) -> str:
        """The docs block with the product's page, which dbt's docs site shows for the domain."""
        return docs_name("", self.name, "")


@dataclass(frozen=True)
class Mesh:
    """All products, in order of name; and ports, sources, nodes and docs blocks, by id.

    `checks` has the checks of each port by its id, if they were asked for.
    """

    name: str
    products: tuple[Product, ...]
    ports: Mapping[str, Port] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    docs: Mapping[str, dbts.DocsBlock] = field(default_factory=dict)
    checks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)

    @property
    def product_names(self) -> set[str]:
        return {product.name for product in self.products}


def read_mesh(manifest: Mapping[str, Any], checks: Mapping[str, Iterable[Mapping[str, Any]]] | None = None) -> Mesh:
    """The mesh of a dbt manifest (schema v12, as a dictionary). `checks` is the list from `checks_by_port`.

    Raises FindingsError if `config.meta` of a port or product is not well-formed.
    """
    found = dbts.Manifest.model_validate(manifest)
    ports = {node.unique_id: _port(node, found) for node in found.nodes.values() if _is_port(node)}
    sources = {source.unique_id: _source(source) for source in found.sources.values()}
    groups = [group for group in found.groups.values() if group.name == group.package_name]
    read: dict[str, set[str]] = {}
    for node in found.nodes.values():
        if node.resource_type in ("model", "snapshot"):
            read.setdefault(node.package_name, set()).update(node.depends_on.nodes)
    nodes = [node for node in [*found.nodes.values(), *found.unit_tests.values()] if node.resource_type in BUILDABLE]
    return Mesh(
        name=found.metadata.project_name,
        products=tuple(
            _product(g, ports, sources, read.get(g.name, set())) for g in sorted(groups, key=lambda group: group.name)
        ),
        ports=ports,
        sources=sources,
        nodes={node.unique_id: _node(node) for node in nodes},
        docs=found.docs,
        checks={id_: read_checks(listed, found.nodes[id_].columns) for id_, listed in (checks or {}).items()},
    )


def _is_port(node: dbts.Node) -> bool:
    return node.resource_type == "model" and node.config.materialized == "output_port"


def _name(node: dbts.Node) -> str:
    return f"{node.name}.v{node.version}" if node.version else node.name


def _node(node: dbts.Node) -> Node:
    return Node(
        id=node.unique_id,
        kind=node.resource_type,
        domain=node.package_name,
        fqn=".".join(node.fqn),
        label=f"{node.package_name}.{_name(node)}",
        is_port=_is_port(node),
        parents=tuple(node.depends_on.nodes),
        attached_to=node.attached_node,
    )


def _source(source: dbts.Source) -> Source:
    return Source(
        id=source.unique_id,
        product=source.package_name,
        source=source.source_name,
        name=source.name,
        description=_one_line(source.description),
        schema=source.schema_name,
        table=source.identifier,
        path=f"domains/{source.package_name}/{source.original_file_path}",
        location=_location(source),
        landing=_landing(source),
        columns=tuple(source.columns.values()),
    )


def _location(source: dbts.Source) -> str:
    """`external_location` as dbt-duckdb reads it, with the names of the table in it."""
    found = str(source.config.meta.get("external_location") or "")
    names = {"name": source.name, "identifier": source.identifier, "schema": source.schema_name}
    return re.sub(r"\{(\w+)\}", lambda name: names.get(name[1], name[0]), found)


def _landing(source: dbts.Source) -> Mapping[str, Any]:
    """dbt replaces a source's whole `landing` by its table's; here the table's keys are over the source's."""
    of_source, of_table = source.source_meta.get("landing"), source.config.meta.get("landing")
    both = [found for found in (of_source, of_table) if found]
    if all(isinstance(found, Mapping) for found in both):
        return {key: value for found in both for key, value in found.items()}
    return {"format": None}


def docs_name(*parts: str) -> str:
    """A valid name for a docs block, of ASCII letters, digits and underscores: `orders__order_lines`."""
    return re.sub(r"\W", lambda found: f"_u{ord(found[0]):04x}", "__".join(parts), flags=re.ASCII)


def _product(group: dbts.Group, ports: Mapping[str, Port], sources: Mapping[str, Source], parents: Set[str]) -> Product:
    """`parents` are the ids of what the product's models and snapshots read."""
    read = [source for id_, source in sources.items() if id_ in parents]
    own = [port for port in ports.values() if port.product == group.name]
    return Product(
        name=group.name,
        description=_one_line(group.description),
        owner_name=group.owner.name,
        owner_email=group.owner.email,
        meta=_validated(ProductMeta, group, f"domains/{group.name}/{group.original_file_path}"),
        ports=tuple(sorted(own, key=lambda port: port.name)),
        input_ports=tuple(sorted(id_ for id_ in parents if id_ in ports and ports[id_].product != group.name)),
        sources=tuple(sorted(read, key=lambda source: (source.label, source.description))),
    )


def _port(node: dbts.Node, manifest: dbts.Manifest) -> Port:
    product = node.package_name
    block = docs_name(product, node.name + (f"_v{node.version}" if node.version else ""))
    page = manifest.docs.get(f"doc.{manifest.metadata.project_name}.{block}", dbts.DocsBlock()).block_contents
    own, found, _ = node.description.partition(page) if page else (node.description, "", "")
    path = f"domains/{product}/{(node.patch_path or node.original_file_path).split('://')[-1]}"
    return Port(
        id=node.unique_id,
        product=product,
        name=_name(node),
        relation=f"{product}.{node.alias}",
        path=path,
        block=block,
        description=own.strip(),
        includes_block=bool(found),
        block_starts_a_line=not own.strip(" ") or own.rstrip(" ").endswith("\n"),
        meta=_validated(PortMeta, node, path),
    )


def _validated(model: type[Meta], node: dbts.Node | dbts.Group, path: str) -> Meta:
    try:
        return model.model_validate(node.config.meta)
    except ValidationError as error:
        message = f"The mesh cannot be read: config.meta of {node.package_name}.{node.name} is not well-formed."
        raise FindingsError(message, [("file", path), *facts_of(error)], "fix it, then run this again") from error


def _one_line(text: str) -> str:
    return " ".join(text.split())
