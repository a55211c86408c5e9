"""The checks of ports, as the gate's macro `checks_by_port` lists them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Check(BaseModel):
    """One check of a port: what it tests, and dbt's `severity`, `warn_if` and `error_if`, which judge its failures.

    `unit` is what one failure is, such as `row`; empty if the check judges the table as a whole.
    `allows_no_failure` is true if the gate treats the check as strictly as a constraint.
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
    """The checks in order: of the whole table first, then by the contract's columns."""
    order = {name: position for position, name in enumerate(columns)}
    checks = [Check.model_validate(each | {"column": each["column"].strip('"`')}) for each in map(dict, listed)]
    return tuple(sorted(checks, key=lambda check: order.get(check.column, -1)))


def key_of(checks: Iterable[Check]) -> tuple[str, ...]:
    """The key: the columns of the first check that allows no duplicate. Empty if there is no such check."""
    for check in checks:
        if check.allows_no_failure and check.kind == "unique" and check.column:
            return (check.column,)
        if check.allows_no_failure and check.kind == "unique_combination":
            return tuple(check.arguments["columns"])
    return ()
