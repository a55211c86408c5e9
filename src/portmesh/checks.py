"""The checks of a port in dbt's manifest, as macros/audit/list_checks.sql finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment

from portmesh import manifest as dbts
from portmesh.errors import UsageError

Dimension = Callable[[str, Mapping[str, Any]], str]


@dataclass(frozen=True)
class Check:
    """One check of a port: what it looks at, and what dbt's `severity`, `warn_if` and `error_if` make of failures."""

    kind: str
    column: str
    arguments: Mapping[str, Any]
    dimension: str
    where: str = ""
    severity: str = "error"
    warn_if: str = "!= 0"
    error_if: str = "!= 0"


def read_dimensions(manifest: dbts.Manifest) -> Dimension:
    """The gate's own macro `check_dimension`, so that a page cannot say anything else than the measurements."""
    found = manifest.macros.get(f"macro.{manifest.metadata.project_name}.check_dimension")
    if not found:
        raise UsageError(
            "This is no mesh: its root project has no macro check_dimension.",
            [("got", f"the dbt project {manifest.metadata.project_name}")],
            "change into the mesh's repository, and see that its folder macros/ is complete",
        )
    macro = Environment(autoescape=False).from_string(found.macro_sql, globals={"return": str}).module.check_dimension  # type: ignore[attr-defined]  # a macro is an attribute of its module
    return lambda kind, meta: str(macro(kind, meta)).strip()


def read_checks(port: dbts.Node, manifest: dbts.Manifest, dimension: Dimension) -> Iterator[Check]:
    """Those of the whole table first, then in the order of the contract's columns."""
    order = {name: position for position, name in enumerate(port.columns)}
    tests = [test for test in manifest.nodes.values() if test.attached_node == port.unique_id and test.test_metadata]
    tests.sort(key=lambda test: test.unique_id)
    found = [_check_from_test(test, dimension) for test in tests]
    stand_for_constraints = [test for test in tests if _allows_no_failure(test, manifest.metadata.project_name)]
    present = {(test.test_metadata.name, test.column_name) for test in stand_for_constraints if test.test_metadata}
    for check in _checks_from_constraints(port, dimension):
        if not check.column or (check.kind, check.column) not in present:
            found.append(check)
            present.add((check.kind, check.column))
    yield from sorted(found, key=lambda check: order.get(check.column, -1))


def _allows_no_failure(test: dbts.Node, root: str) -> bool:
    """A check that warns, looks at some of the rows or is another's does not stand for a constraint."""
    config, namespace = test.config, test.test_metadata.namespace if test.test_metadata else ""
    is_strict = config.severity == "error" and config.error_if == "!= 0" and config.fail_calc == "count(*)"
    return is_strict and not config.where and namespace in ("", "dbt", root)


def _check_from_test(test: dbts.Node, dimension: Dimension) -> Check:
    assert test.test_metadata
    metadata, config = test.test_metadata, test.config
    kwargs = {k: v for k, v in metadata.kwargs.items() if k != "model" and v is not None}
    if test.column_name:
        kwargs.pop("column_name", None)
    return Check(
        kind=metadata.name,
        column=test.column_name,
        arguments=kwargs,
        dimension=dimension(metadata.name, config.meta),
        where=config.where,
        severity=config.severity,
        warn_if=config.warn_if,
        error_if=config.error_if,
    )


def _checks_from_constraints(port: dbts.Node, dimension: Dimension) -> Iterator[Check]:
    declared = [(c, [column.name]) for column in port.columns.values() for c in column.constraints]
    declared += [(c, c.columns) for c in port.constraints]
    # A row whose unique_key is null could neither be replaced nor taken back.
    declared += [(dbts.Constraint(type="not_null"), port.config.unique_key)]
    for constraint, columns in declared:
        kind = constraint.type
        if kind in ("not_null", "primary_key"):
            for column in columns:
                yield Check("not_null", column, {}, dimension("not_null", {}))
        if kind in ("unique", "primary_key") and len(columns) == 1:
            yield Check("unique", columns[0], {}, dimension("unique", {}))
        elif kind in ("unique", "primary_key"):
            yield Check("unique_combination", "", {"columns": columns}, dimension("unique_combination", {}))
        elif kind == "check":
            expression = {"expression": constraint.expression}
            yield Check("expression_is_true", "", expression, dimension("expression_is_true", {}))


def key_of(checks: tuple[Check, ...]) -> tuple[str, ...]:
    """The columns of the first check of the whole table's uniqueness; none where there is no such check."""
    for check in checks:
        if check.kind == "unique" and check.column and not check.where:
            return (check.column,)
        if check.kind == "unique_combination" and not check.where:
            return tuple(check.arguments["columns"])
    return ()
