"""The terms of each port's contract, as a dbt manifest states them: everything that a reader can rely on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portmesh.keys import PortMeta, ProductMeta
from portmesh.mesh import Mesh, Port

NOT_ARGUMENTS = ("model", "column_name")


@dataclass(frozen=True)
class ColumnTerms:
    """A column of a contract. `level` is its own classification; empty if it has that of the port."""

    name: str
    type: str
    position: int
    description: str
    level: str


@dataclass(frozen=True)
class CheckTerms:
    """A check of a port: a data test, or a constraint. `column` is in lower case; empty for a check of the table."""

    name: str
    kind: str
    column: str
    arguments: Mapping[str, Any]
    where: str = ""
    severity: str = "error"
    warn_if: str = "!= 0"
    error_if: str = "!= 0"
    fail_calc: str = "count(*)"
    limit: int | None = None
    dimension: str = ""
    description: str = ""

    @property
    def is_strict(self) -> bool:
        """Whether every row must pass, as with a constraint (macros/audit/allows_no_failure.sql)."""
        counts_rows = self.fail_calc == "count(*)" and self.limit is None
        return self.severity == "error" and not self.where and self.error_if == "!= 0" and counts_rows

    @property
    def key(self) -> frozenset[str]:
        """The columns that it looks for duplicates in."""
        if self.kind == "unique_combination":
            return frozenset(str(name).lower() for name in self.arguments.get("columns") or [])
        return frozenset([self.column] if self.kind == "unique" and self.column else [])

    @property
    def label(self) -> str:
        return f"{self.kind} of {self.column}" if self.column else self.kind


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
    tests: dict[str, list[Mapping[str, Any]]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("attached_node"):
            tests.setdefault(node["attached_node"], []).append(node)
    return {
        id_: _terms(port, manifest["nodes"][id_], tests.get(id_, []), owners.get(port.product))
        for id_, port in mesh.ports.items()
    }


def _terms(
    port: Port, node: Mapping[str, Any], tests: Iterable[Mapping[str, Any]], owner: OwnerTerms | None
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
        checks=tuple(_checks(node, tests)),
        unique_key=tuple(name.lower() for name in ([key] if isinstance(key, str) else key)),
        owner=owner or OwnerTerms("", "", ProductMeta.model_validate({})),
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


def _checks(node: Mapping[str, Any], tests: Iterable[Mapping[str, Any]]) -> Iterator[CheckTerms]:
    """The data tests in order of their names, then the constraints that no data test repeats."""
    found = [_from_test(test) for test in sorted(tests, key=lambda test: str(test["name"]))]
    yield from found
    seen = {(check.kind, check.column, str(check.arguments)) for check in found if check.is_strict}
    for check in _from_constraints(node):
        if (check.kind, check.column, str(check.arguments)) not in seen:
            seen.add((check.kind, check.column, str(check.arguments)))
            yield check


def _from_test(test: Mapping[str, Any]) -> CheckTerms:
    about, config = test["test_metadata"], test.get("config") or {}
    namespace, given = about.get("namespace"), about.get("kwargs") or {}
    return CheckTerms(
        name=str(test["name"]),
        kind=about["name"] if namespace in (None, "dbt", "portmesh") else f"{namespace}.{about['name']}",
        column=_bare(given.get("column_name")),
        arguments={key: value for key, value in given.items() if key not in NOT_ARGUMENTS and value is not None},
        where=str(config.get("where") or ""),
        severity=str(config.get("severity") or "error").lower(),
        warn_if=str(config.get("warn_if") or "!= 0"),
        error_if=str(config.get("error_if") or "!= 0"),
        fail_calc=str(config.get("fail_calc") or "count(*)"),
        limit=config.get("limit"),
        dimension=str((config.get("meta") or {}).get("dimension") or ""),
        description=" ".join(str(test.get("description") or "").split()),
    )


def _from_constraints(node: Mapping[str, Any]) -> Iterator[CheckTerms]:
    """Constraints as the checks that the gate measures for them (macros/audit/checks_without_test.sql)."""
    of_columns = [
        (one, [column["name"]])
        for column in (node.get("columns") or {}).values()
        for one in column.get("constraints") or []
    ]
    of_table = [(one, one.get("columns") or []) for one in node.get("constraints") or []]
    for constraint, columns in [*of_columns, *of_table]:
        kind, names = constraint["type"], [_bare(name) for name in columns]
        if kind in ("not_null", "primary_key"):
            yield from (CheckTerms(f"constraint_not_null_{name}", "not_null", name, {}) for name in names)
        if kind in ("unique", "primary_key") and len(names) == 1:
            yield CheckTerms(f"constraint_unique_{names[0]}", "unique", names[0], {})
        elif kind in ("unique", "primary_key"):
            yield CheckTerms(f"constraint_unique_{'_'.join(names)}", "unique_combination", "", {"columns": names})
        if kind == "check":
            expression = {"expression": constraint.get("expression")}
            yield CheckTerms(f"constraint_{expression['expression']}", "expression_is_true", "", expression)


def _bare(name: Any) -> str:
    return str(name or "").strip('"`').lower()
