"""The checks of a node as a manifest states them: its data tests and its constraints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portmesh.called_macros import called

NOT_ARGUMENTS = ("model", "column_name")


@dataclass(frozen=True)
class CheckTerms:
    """A check of a port: a data test, or a constraint. `column` is in lower case; empty for a check of the table.

    `macros` is the text of the domain's own macros that it calls.
    """

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
    macros: str = ""

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


def tests_by_node(manifest: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The data tests of each node, by its id."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for node in manifest.get("nodes", {}).values():
        if node["resource_type"] == "test" and node.get("attached_node"):
            found.setdefault(node["attached_node"], []).append(node)
    return found


def checks_of(
    node: Mapping[str, Any], tests: Iterable[Mapping[str, Any]], macros: Mapping[str, Any]
) -> Iterator[CheckTerms]:
    """The data tests in order of their names, then the constraints that no data test repeats."""
    found = [_from_test(test, macros) for test in sorted(tests, key=lambda test: str(test["name"]))]
    yield from found
    seen = {(check.kind, check.column, str(check.arguments)) for check in found if check.is_strict}
    for check in _from_constraints(node):
        if (check.kind, check.column, str(check.arguments)) not in seen:
            seen.add((check.kind, check.column, str(check.arguments)))
            yield check


def _from_test(test: Mapping[str, Any], macros: Mapping[str, Any]) -> CheckTerms:
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
        macros="\n".join(called(_called_by(test), macros, str(test.get("package_name"))).values()),
    )


def _called_by(test: Mapping[str, Any]) -> Iterable[str]:
    return (test.get("depends_on") or {}).get("macros") or ()


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
