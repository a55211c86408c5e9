"""The checks of ports, as the gate's own macro `checks_by_port` lists them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Check(BaseModel):
    """One check of a port: what it looks at, and what dbt's `severity`, `warn_if` and `error_if` make of failures.

    `unit` is what a failure counts, such as `row`; nothing where the check is a verdict on the whole table.
    `allows_no_failure`: the gate takes it for as strict as a constraint.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    column: str = ""
    arguments: dict[str, Any] = {}
    dimension: str = ""
    unit: str = "row"
    where: str = ""
    severity: str = "error"
    warn_if: str = "!= 0"
    error_if: str = "!= 0"
    allows_no_failure: bool = False


def read_checks(listed: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> tuple[Check, ...]:
    """Those of the whole table first, then in the order of the contract's columns."""
    order = {name: position for position, name in enumerate(columns)}
    checks = [Check.model_validate(each | {"column": each["column"].strip('"`')}) for each in map(dict, listed)]
    return tuple(sorted(checks, key=lambda check: order.get(check.column, -1)))


def key_of(checks: Iterable[Check]) -> tuple[str, ...]:
    """The columns of the first check that lets no row be there twice; none where there is no such check."""
    for check in checks:
        if check.allows_no_failure and check.kind == "unique" and check.column:
            return (check.column,)
        if check.allows_no_failure and check.kind == "unique_combination":
            return tuple(check.arguments["columns"])
    return ()
