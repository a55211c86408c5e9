"""Compares published tables with those of this environment: the engine does it, in one statement for each port."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portmesh.contracts.rows.comparison import ColumnRows, Example, PortRows, Rows
from portmesh.dbt import run_operation
from portmesh.errors import UsageError

PROD = "prod"
OF_THE_KEY, OF_ROWS = 8, 6
"""How many results macros/comparison/sql_by_key.sql and sql_by_row.sql have before those of columns."""


@dataclass(frozen=True)
class Pair:
    """A port to compare: its published table and the one built here, both as `<domain>.<table>`, without environment.

    `hidden` has the columns, in lower case, whose values are not shown, each with its level.
    """

    port: str
    published: str
    built: str
    key: tuple[str, ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)


def compare_rows(pairs: Sequence[Pair], target: str | None = None, tolerance: float = 0) -> Rows:
    """Compare the rows of ports. `tolerance` is the share by which two doubles may differ and still count as equal.

    Raises UsageError in production's own environment, where both sides are the same table.
    """
    given = [
        {
            "port": pair.port,
            "published": pair.published,
            "built": pair.built,
            "key": list(pair.key),
            "hidden": sorted(pair.hidden),
        }
        for pair in pairs
    ]
    printed = run_operation("compare_rows", json.dumps({"pairs": given, "tolerance": tolerance}), target)
    found = json.loads(printed[-1])
    if found["environment"] == PROD:
        raise UsageError(
            "There is nothing to compare: this is production's own environment, so both sides are the same tables.",
            [("got", "PORTMESH_ENVIRONMENT is prod"), ("allowed", "the environment in which your branch was built")],
            "PORTMESH_ENVIRONMENT=dev_ana dbt build, then the same command with the same variable",
        )
    ports = [_port(one, pair) for one, pair in zip(found["ports"], pairs, strict=True)]
    return Rows(target=found["target"], environment=found["environment"], tolerance=tolerance, ports=ports)


def _port(found: Mapping[str, Any], pair: Pair) -> PortRows:
    if not found["is_published"] or not found["is_built"]:
        return PortRows(port=pair.port, state="not built" if found["is_published"] else "not published")
    before = {column["name"].lower(): column["name"] for column in found["was_columns"]}
    now = {column["name"].lower(): column["name"] for column in found["now_columns"]}
    port = PortRows(
        port=pair.port,
        state="compared" if found["columns"] else "no common column",
        key=[column["name"] for column in found["key"]],
        hidden_key=[column["name"] for column in found["key"] if column["is_hidden"]],
        only_before=[name for column, name in before.items() if column not in now],
        only_now=[name for column, name in now.items() if column not in before],
    )
    if not found["columns"]:
        return port
    return _by_key(port, found, pair) if port.key else _by_row(port, found, pair)


def _by_key(port: PortRows, found: Mapping[str, Any], pair: Pair) -> PortRows:
    rows_before, rows_now, differing, keys, gone, added, *examples = found["values"][:OF_THE_KEY]
    others = [column for column in found["columns"] if column["name"] not in port.key]
    results = iter(found["values"][OF_THE_KEY:])
    columns = [
        _column(column, pair, int(next(results)), list(_examples(next(results), len(port.key)))) for column in others
    ]
    # With a unique key, each row has at most one partner, so the differences add up and each key differs once.
    is_unique = rows_now - rows_before == added - gone and keys == differing
    return port.model_copy(
        update={
            "is_key_unique": is_unique,
            "rows_before": rows_before,
            "rows_now": rows_now,
            "gone": gone,
            "added": added,
            "changed": differing - gone - added,
            "columns": columns,
            "examples_gone": list(_examples(examples[0], len(port.key))),
            "examples_added": list(_examples(examples[1], len(port.key))),
        }
    )


def _by_row(port: PortRows, found: Mapping[str, Any], pair: Pair) -> PortRows:
    rows_before, rows_now, gone, added, *examples = found["values"][:OF_ROWS]
    width = len(found["columns"])
    return port.model_copy(
        update={
            "rows_before": rows_before,
            "rows_now": rows_now,
            "gone": gone or 0,
            "added": added or 0,
            "columns": [_column(column, pair) for column in found["columns"]],
            "examples_gone": list(_examples(examples[0], width)),
            "examples_added": list(_examples(examples[1], width)),
        }
    )


def _column(
    column: Mapping[str, Any], pair: Pair, differ: int | None = None, examples: Sequence[Example] = ()
) -> ColumnRows:
    return ColumnRows(
        name=column["name"],
        type_before=column["was_type"],
        type_now=column["now_type"],
        differ=differ,
        as_text=column["how"] == "as_texts",
        hidden=pair.hidden.get(column["name"].lower(), ""),
        examples=list(examples),
    )


def _examples(text: str | None, keys: int) -> Iterator[Example]:
    """The examples of a JSON text: lists of the key's texts and of two values."""
    for one in json.loads(text or "null") or []:
        if one is not None:
            before, now = (*one[keys:], None, None)[:2]
            yield Example(key=one[:keys], before=before, now=now)
