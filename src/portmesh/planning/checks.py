"""The checks, other tests and unit tests that a change concerns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from portmesh.lineage.alike import told_apart
from portmesh.lineage.meaning import Changes, NodeChange
from portmesh.lineage.tables import dialect_of, label_of
from portmesh.planning.settings import of_config


def changed_tests(
    before: Mapping[str, Any], after: Mapping[str, Any], new_ids: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Tests and unit tests that are new or test something else, by id, each with the reason.

    `new_ids` are the ids that models have now, by those that they had: dbt gives their tests other names, too.
    """
    found = {}
    olds, news = _tests(before), _tests(after)
    gone = [test for id_, test in olds.items() if id_ not in news]
    # A check with other arguments has another id.
    replaced = {(_about(test, new_ids), _name(test)) for test in gone}
    renamed = {_said(test, new_ids): test for test in gone if test.get("attached_node") in (new_ids or {})}
    for id_, test in news.items():
        old = olds.get(id_) or renamed.get(_said(test))
        if old is None:
            is_new = (_about(test), _name(test)) not in replaced
            found[id_] = f"{_name(test)} {'is new' if is_new else 'changed'}"
        elif _differ(old, test):
            found[id_] = f"{_name(test)} changed"
    return found


def _about(test: Mapping[str, Any], new_ids: Mapping[str, str] | None = None) -> str:
    """The id of the model that a test is attached to, as it is now."""
    attached = str(test.get("attached_node") or "")
    return (new_ids or {}).get(attached, attached)


def _said(test: Mapping[str, Any], new_ids: Mapping[str, str] | None = None) -> str:
    """What a generic test says, without the names that dbt makes of its model's."""
    about = test.get("test_metadata") or {}
    given = {key: value for key, value in (about.get("kwargs") or {}).items() if key != "model"}
    return repr((_about(test, new_ids), about.get("namespace"), about.get("name"), given, test.get("column_name")))


def tests_that_read(after: Mapping[str, Any], found: Changes) -> Iterator[tuple[str, str]]:
    """Tests whose SQL reads what changes: any of its rows, or a column of it that has other values."""
    for id_, test in after["nodes"].items():
        if test["resource_type"] != "test":
            continue
        read = [each for each in test["depends_on"]["nodes"] if each in found.nodes]
        for parent in read:
            if change := _concerns(test, found.nodes[parent]):
                yield id_, f"it reads {label_of(_node(after, parent))}: {change}"


def _node(manifest: Mapping[str, Any], id_: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = manifest["nodes"].get(id_) or manifest["sources"][id_]
    return found


def _concerns(test: Mapping[str, Any], change: NodeChange) -> str:
    """Which of a change a test can notice. Names decide, so a column of another table may count; none is missed."""
    if change.unknown or change.rows or change.new:
        return "its rows change"
    query = _parsed(test)
    if query is None or query.find(exp.Star):
        return "its columns change"
    named = {column.name.lower() for column in query.find_all(exp.Column)}
    other = [name for name in (*change.columns, *change.removed) if name.lower() in named]
    return f"{', '.join(other)} {'changes' if len(other) == 1 else 'change'}" if other else ""


def _tests(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    tests = {id_: node for id_, node in manifest["nodes"].items() if node["resource_type"] == "test"}
    return {**tests, **(manifest.get("unit_tests") or {})}


def _name(test: Mapping[str, Any]) -> str:
    """`its check unique of line_id`; the test's own name if it is no generic test."""
    metadata = test.get("test_metadata") or {}
    if not metadata:
        kind = "its unit test" if test["resource_type"] == "unit_test" else "the test"
        return f"{kind} {test['name']}"
    column = test.get("column_name")
    return f"its check {metadata['name']}{f' of {column}' if column else ''}"


def _differ(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    if after["resource_type"] == "unit_test":
        parts = ("model", "given", "expect", "overrides", "config")
        return any(before.get(part) != after.get(part) for part in parts)
    if of_config(before) != of_config(after) or _meta(before) != _meta(after):
        return True
    old, new = (test.get("compiled_code") or test.get("raw_code") for test in (before, after))
    if old == new:
        return False
    return _written_alike(before) != _written_alike(after) or bool(told_apart(str(old), str(new), dialect_of(after)))


def _meta(test: Mapping[str, Any]) -> Any:
    return (test.get("config") or {}).get("meta") or {}


def _written_alike(test: Mapping[str, Any]) -> str:
    """The SQL without comments and line breaks; as it is, if it cannot be parsed."""
    query = _parsed(test)
    return (
        query.sql(dialect_of(test), comments=False) if query else str(test.get("compiled_code") or test.get("raw_code"))
    )


def _parsed(test: Mapping[str, Any]) -> exp.Expr | None:
    try:
        sql = test.get("compiled_code")
        return sqlglot.parse_one(sql, dialect=dialect_of(test)) if sql else None
    except SqlglotError:
        return None
