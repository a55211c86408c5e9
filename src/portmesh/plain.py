"""SQL whose Jinja only calls ref(), source() and config() with constants. It needs no dbt to become SQL.

Most models are like this, and dbt needs about 5 ms to compile each one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

CALLS = frozenset(("ref", "source", "config"))
NOT_PLAIN = ("{%", "{#", "{{-", "-}}")


def is_plain(code: str) -> bool:
    """Whether every expression of the Jinja is a plain call, or `this`."""
    return not any(mark in code for mark in NOT_PLAIN) and all(_call(part) for part in _expressions(code))


def fill(code: str, named: Mapping[str, Callable[..., object]]) -> str:
    """The SQL of plain code. `named` has what ref(), source() and `this` (called without arguments) are."""
    first, *others = code.split("{{")
    texts = [first]
    for part in others:
        expression, _, sql = part.partition("}}")
        name, arguments, keywords = _call(expression) or ("", [], {})
        texts += [str(named[name](*arguments, **keywords)) if name in named else "", sql]
    return "".join(texts)


def _expressions(code: str) -> list[str]:
    return [part.partition("}}")[0] for part in code.split("{{")[1:]]


def _call(expression: str) -> tuple[str, list[object], dict[str, object]] | None:
    """The name and the constants of a plain call; none if it is something else. A plain call reads alike in Python."""
    try:
        found = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        return None
    if isinstance(found, ast.Name) and found.id == "this":
        return "this", [], {}
    if not (isinstance(found, ast.Call) and isinstance(found.func, ast.Name) and found.func.id in CALLS):
        return None
    given = [*found.args, *(keyword.value for keyword in found.keywords)]
    if found.func.id == "config":
        has_calls = any(isinstance(part, ast.Call) for each in given for part in ast.walk(each))
        return None if has_calls else ("config", [], {})
    if not all(isinstance(each, ast.Constant) for each in given):
        return None
    constants: list[object] = [each.value for each in found.args if isinstance(each, ast.Constant)]
    named: dict[str, object] = {
        str(each.arg): each.value.value for each in found.keywords if isinstance(each.value, ast.Constant)
    }
    return found.func.id, constants, named
