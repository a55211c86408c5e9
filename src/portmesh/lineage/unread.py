"""Parents of a node that its SQL does not read.

A macro may have read them when the SQL was made, as pivots do. But `-- depends_on: {{ ref(…) }}` only says that a check
of the node reads another port; then nothing comes from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from sqlglot import tokenize
from sqlglot.errors import SqlglotError

from portmesh.lineage.tables import Tables


def unread_parents(node: Mapping[str, Any], read: Iterable[str], tables: Tables) -> list[str]:
    """The ids of the parents that values may come from though the SQL of the node does not read them."""
    parents = (node.get("depends_on") or {}).get("nodes") or ()
    left = [id_ for id_ in parents if id_ in tables.columns and id_ not in set(read)]
    if not left:
        return []
    comments = _comments(node, tables.dialect_of(node["unique_id"]))
    called = _called(str(node.get("raw_code") or ""))
    return [id_ for id_ in left if not _is_for_order(id_, comments, called, tables)]


def _is_for_order(id_: str, comments: str, called: list[str], tables: Tables) -> bool:
    """Whether a comment has the only `ref()` or `source()` of a parent."""
    name = tables.label(id_).split(".")[1]
    return called.count(name) == 1 and any(written in comments for written in _written(tables.relations.get(id_, "")))


def _written(relation: str) -> list[str]:
    """A relation as each engine writes it, because the node that reads it may have another engine."""
    if "(" in relation:
        return [relation]
    parts = [part.strip("`'\"") for part in relation.split(".")][-2:]
    return [".".join(f"{quote}{part}{quote}" for part in parts) for quote in ("", "`", '"')] if relation else []


def _comments(node: Mapping[str, Any], dialect: str) -> str:
    try:
        tokens = tokenize(str(node.get("compiled_code") or ""), read=dialect)
    except SqlglotError:
        return ""
    return "\n".join(comment for token in tokens for comment in token.comments)


def _called(raw: str) -> list[str]:
    """The name in each `ref()` and `source()` of a model's Jinja; a name that is computed is not among them."""
    try:
        template = Environment(autoescape=True).parse(raw)
    except TemplateSyntaxError:
        return []
    calls = [
        c for c in template.find_all(nodes.Call) if isinstance(c.node, nodes.Name) and c.node.name in ("ref", "source")
    ]
    names = [call.args[-1] for call in calls if call.args]
    return [str(name.value) for name in names if isinstance(name, nodes.Const)]
