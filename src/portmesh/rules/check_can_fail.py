"""PM206: a check that no row can fail promises consumers what nothing verifies. PM123 finds the plain cases in dbt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from portmesh.rules.checked_mesh import CheckedMesh, Node, is_port, label
from portmesh.rules.finding import Finding
from portmesh.rules.never_true import is_never_met, is_never_true, number_of
from portmesh.rules.texts import code_of, constraints_of, is_of_domain

BITS = {"tinyint": 8, "smallint": 16, "int": 32, "integer": 32, "bigint": 64}
ANY_TEXT = ("", "^", "$", ".*", "^.*", ".*$", "(.*)")
"""Patterns that every text matches somewhere. Not `^.*$`: a dot is no line end."""


def check_can_fail(mesh: CheckedMesh) -> Iterator[Finding]:
    for test in mesh.of_domains("test"):
        about = test.get("test_metadata")
        attached = mesh.resources.get(test.get("attached_node") or "")
        reason = _why_generic(mesh, test, about, attached) if about else _why_query(mesh, test)
        if reason:
            node = attached if attached and is_port(attached) else test
            file = mesh.file_of(test)
            entry = mesh.line_of(file, f"name: {attached['name']}") if attached else 0
            column = test.get("column_name")
            at = mesh.line_of(file, f"name: {column}", after=entry) if column else entry
            where = str(test["config"].get("where") or "")
            kind = about["name"] if about else ""
            line = mesh.line_of(file, where, kind, after=at) or at
            of = f" of {label(attached)}" if attached else ""
            yield Finding(
                "PM206",
                file,
                line,
                f"The check {test['alias']}{of} can never fail: {reason}.",
                "Write what it should find, or remove it",
                node["unique_id"],
                test["alias"],
            )
    yield from _constraints(mesh)


def _why_generic(mesh: CheckedMesh, test: Node, about: Mapping[str, Any], attached: Node | None) -> str:
    dialect, given = mesh.dialect_of(test), about.get("kwargs") or {}
    column, where = given.get("column_name"), test["config"].get("where")
    if where and "{" not in where and is_never_true(where, dialect):
        return f"no row meets its where, {where}"
    failing = _failing_rows(about["name"], column, given)
    if failing and "{" not in failing and is_never_true(f"({where}) and ({failing})" if where else failing, dialect):
        return _no_row_fails(about["name"], given, where)
    if about["name"] == "matches_pattern" and given.get("pattern") in ANY_TEXT:
        return f"every text matches {given['pattern'] or 'an empty pattern'}"
    data_type = str(((attached or {}).get("columns") or {}).get(column or "", {}).get("data_type") or "").lower()
    if about["name"] == "accepted_range" and (limits := limits_of(data_type)):
        return _why_in_range(data_type, limits, given, dialect)
    if about["name"] == "accepted_values" and data_type == "boolean":
        values = {str(value).lower() for value in given.get("values") or []}
        return f"a boolean has no other value than {', '.join(sorted(values))}" if values >= {"true", "false"} else ""
    return _why_query(mesh, test) if is_of_domain(mesh, test) else ""


def _failing_rows(kind: str, column: str | None, given: Mapping[str, Any]) -> str:
    """The condition of the rows that fail a check that looks at each row; empty if it is not known."""
    if kind == "expression_is_true":
        return f"not ({given.get('expression')})"
    if kind == "not_null":
        return f"{column} is null"
    if kind == "accepted_range":
        bounds = [("<", given.get("min_value")), (">", given.get("max_value"))]
        return " or ".join(f"{column} {operator} {bound}" for operator, bound in bounds if bound is not None)
    return ""


def _no_row_fails(kind: str, given: Mapping[str, Any], where: str | None) -> str:
    if kind == "expression_is_true":
        shown = f"{given['expression']} is true for every row"
        return shown + (f" with {where}" if where else "")
    return f"no row with {where} fails it"


@cache
def limits_of(data_type: str) -> tuple[Decimal, Decimal] | None:
    """The smallest and largest value of a whole-number or decimal type; none for another type."""
    if bits := BITS.get(data_type):
        return Decimal(-(2 ** (bits - 1))), Decimal(2 ** (bits - 1) - 1)
    try:
        found = sqlglot.parse_one(f"cast(x as {data_type})").to if data_type else None  # type: ignore[attr-defined]
    except SqlglotError:
        return None
    if found is None or not found.is_type(exp.DataType.Type.DECIMAL) or len(found.expressions) != 2:
        return None
    digits, scale = (int(each.name) for each in found.expressions)
    largest = (Decimal(10) ** digits - 1) / Decimal(10) ** scale
    return -largest, largest


def _why_in_range(data_type: str, limits: Sequence[Decimal], given: Mapping[str, Any], dialect: str) -> str:
    lowest, highest = given.get("min_value"), given.get("max_value")
    least, most = number_of(lowest, dialect), number_of(highest, dialect)
    is_below = lowest is None or (least is not None and least <= limits[0])
    is_above = highest is None or (most is not None and most >= limits[1])
    if not (is_below and is_above):
        return ""
    limit = f"below {lowest}" if highest is None else f"above {highest}" if lowest is None else ""
    return f"{data_type} has no value {limit or f'outside {lowest} to {highest}'}"


def _why_query(mesh: CheckedMesh, test: Node) -> str:
    try:
        found = sqlglot.parse_one(code_of(mesh, test), dialect=mesh.dialect_of(test))
    except (SqlglotError, RecursionError):
        return ""
    return "its query returns no row, whatever the data" if isinstance(found, exp.Query) and is_never_met(found) else ""


def _constraints(mesh: CheckedMesh) -> Iterator[Finding]:
    for port in mesh.ports.values():
        for constraint in constraints_of(port):
            text = str(constraint.get("expression") or "")
            if constraint.get("type") == "check" and text and is_never_true(f"not ({text})", mesh.dialect_of(port)):
                yield Finding(
                    "PM206",
                    mesh.yaml_of(port),
                    mesh.line_of_entry(port, text),
                    f"The constraint {text} of {label(port)} can never fail: it is true for every row.",
                    "Write what it should find, or remove it",
                    port["unique_id"],
                    text,
                )
