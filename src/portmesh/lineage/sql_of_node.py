"""The SQL of a node, or why there is none that can be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from typing import Any


class UnreadableError(Exception):
    """The reason why the lineage of a node cannot be known, as the end of a sentence about it."""


INCREMENT = "compiled_increment"
"""The key of a node that has its SQL for an increment, if it differs from the one for a full build (`dbt.py`)."""
MACRO = "is_incremental"


def is_python(node: Mapping[str, Any]) -> bool:
    return node.get("language") == "python"


def sql_of_node(node: Mapping[str, Any]) -> str:
    """The compiled SQL of a model, snapshot or test, as it is for a full build.

    Raises UnreadableError if there is none.
    """
    if is_python(node):
        raise UnreadableError("it is a Python model")
    if not (sql := str(node.get("compiled_code") or "").strip()):
        raise UnreadableError("it has no compiled SQL")
    return sql


def all_sql_of_node(node: Mapping[str, Any], incremental: Set[str]) -> list[str]:
    """The compiled SQL of a node for a full build, and for an increment if that is another.

    `incremental` are the ids of the macros that ask whether they are called for an increment.

    Raises UnreadableError if one of them is not compiled.
    """
    sql = [sql_of_node(node)]
    if INCREMENT in node:
        return list(dict.fromkeys([*sql, str(node[INCREMENT]).strip()]))
    if may_be_incremental(node) and incremental & set((node.get("depends_on") or {}).get("macros") or ()):
        raise UnreadableError("its SQL for an increment is not compiled")
    return sql


def may_be_incremental(node: Mapping[str, Any]) -> bool:
    config = node.get("config") or {}
    kind = config.get("materialized")
    return kind == "incremental" or (kind == "output_port" and bool(config.get("unique_key")))


def incremental_macros(manifest: Mapping[str, Any]) -> set[str]:
    """The ids of `is_incremental` and of all macros that call it, directly or not."""
    macros = manifest.get("macros") or {}
    found = {id_ for id_, macro in macros.items() if macro["name"] == MACRO}
    callers: dict[str, list[str]] = defaultdict(list)
    for id_, macro in macros.items():
        for called in (macro.get("depends_on") or {}).get("macros") or ():
            callers[called].append(id_)
    waiting = list(found)
    for id_ in waiting:
        new = [each for each in callers[id_] if each not in found]
        found.update(new)
        waiting.extend(new)
    return found
