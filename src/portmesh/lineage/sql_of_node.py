"""The SQL of a node, or why there is none that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class UnreadableError(Exception):
    """The reason why the lineage of a node cannot be known, as the end of a sentence about it."""


def sql_of_node(node: Mapping[str, Any]) -> str:
    """The compiled SQL of a model, snapshot or test.

    Raises UnreadableError if there is none.
    """
    if node.get("language") == "python":
        raise UnreadableError("it is a Python model")
    if not (sql := str(node.get("compiled_code") or "").strip()):
        raise UnreadableError("it has no compiled SQL")
    return sql
