"""The mesh as its consumers see it, read from dbt's manifest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from jinja2 import Environment
from pydantic import BaseModel, ConfigDict, ValidationError

from portmesh.errors import FindingsError

Node = Mapping[str, Any]
Meta = TypeVar("Meta", bound=BaseModel)


class Period(BaseModel):
    """`{count: 8, period: day}`."""

    count: int
    period: str

    def __str__(self) -> str:
        return f"{self.count} {self.period}{'' if self.count == 1 else 's'}"


class Freshness(BaseModel):
    """How old the newest row of a port may become."""

    column: str
    warn_after: Period | None = None
    error_after: Period | None = None


class Subject(BaseModel):
    """Whom the rows of a port are about, and the column that says who."""

    entity: str
    key: str


class Consumer(BaseModel):
    """Who is entitled to read a port, what for and until when."""

    name: str
    purpose: str = ""
    until: date | None = None


class PortMeta(BaseModel):
    """`config.meta` of a port; what the rules of the mesh demand of it is for the rules to say."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    version: str = ""
    classification: str = ""
    subject: Subject | None = None
    freshness: Freshness | None = None
    consumers: list[Consumer] = []


class ProductMeta(BaseModel):
    """`config.meta` of a product's group."""

    kind: str = ""
    stage: str = ""
    engine: str = ""
    purpose: str = ""
    channel: str = ""


@dataclass(frozen=True)
class Check:
    """One check of a port: what it looks at, and how many failures it lets pass."""

    kind: str
    column: str
    arguments: Mapping[str, Any]
    dimension: str
    where: str = ""
    allowed: str = "none"


@dataclass(frozen=True)
class Port:
    """An output port. `block` is the docs block with its page, which its YAML description includes."""

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
    key: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def label(self) -> str:
        return f"{self.product}.{self.name}"

    @property
    def reference(self) -> str:
        """How a model of another domain reads it."""
        name, _, version = self.name.partition(".v")
        return f"{{{{ ref('{self.product}', '{name}'{f', v={version}' if version else ''}) }}}}"

    @property
    def grain(self) -> str:
        """The first sentence of the description."""
        text = " ".join(self.description.split())
        found = re.match(r"(.+?[.:!?])\s+(?=[A-Z0-9])", text + " A")
        return (found.group(1) if found else text).rstrip()


@dataclass(frozen=True)
class Product:
    """A data product: the ports that a domain publishes, and what it makes them of."""

    name: str
    description: str
    owner_name: str
    owner_email: str
    meta: ProductMeta
    ports: tuple[Port, ...]
    input_ports: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Mesh:
    """All products by name."""

    name: str
    products: tuple[Product, ...]
    ports: Mapping[str, Port] = field(default_factory=dict)

    @property
    def product_names(self) -> set[str]:
        return {product.name for product in self.products}


def read_mesh(manifest: Mapping[str, Any]) -> Mesh:
    """The mesh of a dbt manifest (schema v12, as a dictionary)."""
    root = manifest["metadata"]["project_name"]
    dimension = _dimensions(manifest, root)
    nodes = manifest["nodes"].values()
    ports = {
        node["unique_id"]: _port(node, manifest, root, dimension)
        for node in nodes
        if node["resource_type"] == "model" and node["config"]["materialized"] == "output_port"
    }
    groups = [group for group in manifest["groups"].values() if group["name"] == group["package_name"]]
    products = tuple(_product(group, manifest, ports) for group in sorted(groups, key=lambda group: str(group["name"])))
    return Mesh(name=root, products=products, ports=ports)


def _product(group: Node, manifest: Mapping[str, Any], ports: Mapping[str, Port]) -> Product:
    name = group["name"]
    parents = {
        parent
        for node in manifest["nodes"].values()
        if node["package_name"] == name and node["resource_type"] in ("model", "snapshot")
        for parent in node["depends_on"]["nodes"]
    }
    sources = [manifest["sources"][parent] for parent in parents if parent in manifest["sources"]]
    own = [port for port in ports.values() if port.product == name]
    return Product(
        name=name,
        description=_one_line(group.get("description") or ""),
        owner_name=group["owner"].get("name") or "",
        owner_email=group["owner"].get("email") or "",
        meta=_validated(ProductMeta, group, f"domains/{name}/{group['original_file_path']}"),
        ports=tuple(sorted(own, key=lambda port: port.name)),
        input_ports=tuple(sorted(p for p in parents if p in ports and ports[p].product != name)),
        sources=tuple(sorted((f"{s['source_name']}.{s['name']}", _one_line(s["description"])) for s in sources)),
    )


def _port(node: Node, manifest: Mapping[str, Any], root: str, dimension: Dimension) -> Port:
    version = f"v{node['version']}" if node.get("version") else ""
    product = node["package_name"]
    block = "__".join((product, node["name"])) + (f"_{version}" if version else "")
    included = manifest["docs"].get(f"doc.{root}.{block}", {}).get("block_contents", "")
    description = node["description"]
    own, found, _ = description.partition(included) if included else (description, "", "")
    path = f"domains/{product}/{(node.get('patch_path') or node['original_file_path']).split('://')[-1]}"
    checks = tuple(_checks(node, manifest, dimension))
    return Port(
        id=node["unique_id"],
        product=product,
        name=f"{node['name']}.{version}" if version else node["name"],
        relation=f"{product}.{node['alias']}",
        path=path,
        block=block,
        description=own.strip(),
        includes_block=bool(found),
        block_starts_a_line=not own.strip(" ") or own.rstrip(" ").endswith("\n"),
        meta=_validated(PortMeta, node, path),
        key=_key(checks),
        checks=checks,
    )


def _validated(model: type[Meta], node: Node, path: str) -> Meta:
    try:
        return model.model_validate(node["config"].get("meta") or {})
    except ValidationError as error:
        facts = [(".".join(map(str, problem["loc"])), problem["msg"]) for problem in error.errors()]
        label = f"{node['package_name']}.{node['name']}"
        message = f"The catalog cannot be written: config.meta of {label} is not well-formed."
        raise FindingsError(message, [("file", path), *facts], "mend it, then run this again") from error


# Checks, as macros/output_port/port_checks.sql finds them


Dimension = Callable[[str, Mapping[str, Any]], str]


def _dimensions(manifest: Mapping[str, Any], root: str) -> Dimension:
    """The gate's own macro `check_dimension`, so that a page cannot say anything else than the measurements."""
    source = manifest["macros"][f"macro.{root}.check_dimension"]["macro_sql"]
    macro = Environment(autoescape=False).from_string(source, globals={"return": str}).module.check_dimension  # type: ignore[attr-defined]  # a macro is an attribute of its module
    return lambda kind, meta: str(macro(kind, meta)).strip()


def _checks(port: Node, manifest: Mapping[str, Any], dimension: Dimension) -> Iterator[Check]:
    """Those of the whole table first, then in the order of the contract's columns."""
    order = {name: position for position, name in enumerate(port["columns"])}
    tests = [t for t in manifest["nodes"].values() if t.get("attached_node") == port["unique_id"]]
    found = [_check_from_test(test, dimension) for test in sorted(tests, key=lambda t: str(t["unique_id"]))]
    present = {(check.kind, check.column) for check in found}
    declared = _checks_from_constraints(port, dimension)
    found += [check for check in declared if not check.column or (check.kind, check.column) not in present]
    yield from sorted(found, key=lambda check: order.get(check.column, -1))


def _check_from_test(test: Node, dimension: Dimension) -> Check:
    metadata, config = test["test_metadata"], test["config"]
    kwargs = {k: v for k, v in metadata["kwargs"].items() if k != "model" and v is not None}
    column = test.get("column_name") or ""
    if column:
        kwargs.pop("column_name", None)
    return Check(
        kind=metadata["name"],
        column=column,
        arguments=kwargs,
        dimension=dimension(metadata["name"], config.get("meta") or {}),
        where=config.get("where") or "",
        allowed=_allowed(config["severity"].lower(), config["warn_if"], config["error_if"]),
    )


def _checks_from_constraints(port: Node, dimension: Dimension) -> Iterator[Check]:
    declared = [(c, [column["name"]]) for column in port["columns"].values() for c in column.get("constraints") or []]
    declared += [(c, c.get("columns") or []) for c in port.get("constraints") or []]
    for constraint, columns in declared:
        kind = str(constraint["type"])
        if kind in ("not_null", "primary_key"):
            for column in columns:
                yield Check("not_null", column, {}, dimension("not_null", {}))
        if kind in ("unique", "primary_key") and len(columns) == 1:
            yield Check("unique", columns[0], {}, dimension("unique", {}))
        elif kind in ("unique", "primary_key"):
            yield Check("unique_combination", "", {"columns": columns}, dimension("unique_combination", {}))
        elif kind == "check":
            expression = {"expression": constraint.get("expression")}
            yield Check("expression_is_true", "", expression, dimension("expression_is_true", {}))


def _key(checks: tuple[Check, ...]) -> tuple[str, ...]:
    """The columns of the first check of the whole table's uniqueness; none where there is no such check."""
    for check in checks:
        if check.kind == "unique" and check.column and not check.where:
            return (check.column,)
        if check.kind == "unique_combination" and not check.where:
            return tuple(check.arguments["columns"])
    return ()


def _allowed(severity: str, warn_if: str, error_if: str) -> str:
    """How many failures a check lets pass, in words."""
    warns, refuses = _limit(warn_if), _limit(error_if)
    if severity == "warn":
        quiet = f"`{warn_if}` warns" if warns is None else f"{warns:,} quietly, more with a warning" if warns else ""
        return quiet or "any number, with a warning"
    if refuses is None:
        return f"unless `{error_if}`"
    if warns is None or warns >= refuses:
        return f"{refuses:,}" if refuses else "none"
    return f"{warns:,} quietly, {refuses:,} with a warning" if warns else f"{refuses:,}, with a warning"


def _limit(expression: str) -> int | None:
    """`!= 0` and `> 0` allow 0, `> 17` allows 17; anything else is no single limit."""
    found = re.fullmatch(r"\s*(?:!=|<>|>)\s*(\d+)\s*", expression)
    return int(found.group(1)) if found else None


def _one_line(text: str) -> str:
    return " ".join(text.split())
