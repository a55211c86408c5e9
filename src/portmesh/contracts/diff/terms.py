"""The terms of each port's contract, as a dbt manifest states them: everything that a reader can rely on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portmesh.keys import PortMeta, ProductMeta
from portmesh.mesh import Mesh, Port
from portmesh.port_checks import CheckTerms, checks_of, tests_by_node


@dataclass(frozen=True)
class ColumnTerms:
    """A column of a contract. `level` is its own classification; empty if it has that of the port."""

    name: str
    type: str
    position: int
    description: str
    level: str


@dataclass(frozen=True)
class OwnerTerms:
    """Who answers for a port, and what its product says."""

    name: str
    email: str
    meta: ProductMeta


@dataclass(frozen=True)
class PortTerms:
    """The contract of one port. Columns are by their name in lower case. `unique_key` is what a new batch replaces.

    `relation` is its table, `file` its YAML. `latest_version` is of the model; it is empty without model versions.
    """

    port: Port
    relation: str
    access: str
    columns: Mapping[str, ColumnTerms]
    checks: tuple[CheckTerms, ...]
    unique_key: tuple[str, ...]
    owner: OwnerTerms
    model_version: str
    latest_version: str
    deprecated_on: date | None

    @property
    def id(self) -> str:
        return self.port.id

    @property
    def label(self) -> str:
        return self.port.label

    @property
    def meta(self) -> PortMeta:
        return self.port.meta

    @property
    def model(self) -> str:
        """Its label without the model version: orders.order_lines."""
        return f"{self.port.product}.{self.port.name.partition('.v')[0]}"

    @property
    def keys(self) -> set[frozenset[str]]:
        """Each set of columns that has no duplicates."""
        return {key for check in self.checks if check.is_strict and (key := check.key)}

    @property
    def filled(self) -> set[str]:
        """The columns that are never null."""
        return {check.column for check in self.checks if check.kind == "not_null" and check.is_strict}


def read_terms(manifest: Mapping[str, Any], mesh: Mesh) -> dict[str, PortTerms]:
    """The terms of all ports, by id. `mesh` is the mesh of the manifest."""
    owners = {one.name: OwnerTerms(one.owner_name, one.owner_email, one.meta) for one in mesh.products}
    tests, macros = tests_by_node(manifest), manifest.get("macros") or {}
    return {
        id_: _terms(port, manifest["nodes"][id_], checks_of(manifest["nodes"][id_], tests.get(id_, []), macros), owners)
        for id_, port in mesh.ports.items()
    }


def _terms(
    port: Port, node: Mapping[str, Any], checks: Iterable[CheckTerms], owners: Mapping[str, OwnerTerms]
) -> PortTerms:
    config = node.get("config") or {}
    columns = [_column(position, one) for position, one in enumerate((node.get("columns") or {}).values())]
    ended = str(node.get("deprecation_date") or "")[:10]
    key = config.get("unique_key") or []
    return PortTerms(
        port=port,
        relation=port.relation,
        access=str(config.get("access") or node.get("access") or "protected"),
        columns={column.name.lower(): column for column in columns},
        checks=tuple(checks),
        unique_key=tuple(name.lower() for name in ([key] if isinstance(key, str) else key)),
        owner=owners.get(port.product) or OwnerTerms("", "", ProductMeta.model_validate({})),
        model_version=str(node.get("version") or ""),
        latest_version=str(node.get("latest_version") or ""),
        deprecated_on=date.fromisoformat(ended) if ended else None,
    )


def _column(position: int, column: Mapping[str, Any]) -> ColumnTerms:
    meta = (column.get("config") or {}).get("meta") or column.get("meta") or {}
    return ColumnTerms(
        name=column["name"],
        type=str(column.get("data_type") or "").lower().replace(" ", ""),
        position=position,
        description=" ".join(str(column.get("description") or "").split()),
        level=str(meta.get("level") or ""),
    )
