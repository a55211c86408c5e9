"""Evaluates IAM policies. Knows the elements that the roles of infra/ use and raises an error for any other.

Follows IAM's evaluation logic: what no statement allows is denied, and a matching Deny overrides every Allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Policy = Mapping[str, Any]

OPERATORS = {
    "StringEquals": lambda wanted, got: wanted == got,
    "StringLike": lambda wanted, got: _matches(wanted, got),
    "DateLessThan": lambda wanted, got: datetime.fromisoformat(got) < datetime.fromisoformat(wanted),
}


class UnknownPolicyElementError(ValueError):
    """A policy has an element that this module cannot evaluate."""


def is_allowed(
    policies: Iterable[Policy], action: str, resources: Iterable[str], context: Mapping[str, str] | None = None
) -> bool:
    """Whether `action` is allowed on each of `resources` (ARNs). `context` has the values of condition keys."""
    statements = [statement for policy in policies for statement in _as_list(policy["Statement"])]
    return all(_effect(statements, action, resource, context or {}) == "Allow" for resource in resources)


def _effect(statements: list[Policy], action: str, resource: str, context: Mapping[str, str]) -> str:
    effects = {each["Effect"] for each in statements if _applies(each, action, resource, context)}
    return "Allow" if effects == {"Allow"} else "Deny"


def _applies(statement: Policy, action: str, resource: str, context: Mapping[str, str]) -> bool:
    unknown = statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}
    if unknown:
        raise UnknownPolicyElementError(
            f"A statement has {', '.join(sorted(unknown))}, which rig/policies.py does not know."
        )
    return (
        any(_matches(each.lower(), action.lower()) for each in _as_list(statement["Action"]))
        and any(_matches(each, resource) for each in _as_list(statement["Resource"]))
        and all(_holds(*each, context) for each in statement.get("Condition", {}).items())
    )


def _holds(operator: str, wanted: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Whether the conditions hold. A condition on a key that the request does not have is false."""
    if operator not in OPERATORS:
        raise UnknownPolicyElementError(f"A condition uses {operator}, which rig/policies.py does not know.")
    compare = OPERATORS[operator]
    return all(
        key in context and any(compare(value, context[key]) for value in _as_list(values))
        for key, values in wanted.items()
    )


def _matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: `*` for any characters, `?` for one."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, flags=re.DOTALL) is not None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
