"""Reads the lineage of all nodes of a manifest, parents before children."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from portmesh.lineage.cache import Cache
from portmesh.lineage.columns import QueryLineage, columns_of
from portmesh.lineage.declaring import declarations, inputs_of, names_in
from portmesh.lineage.lineage import (
    ANY_OF,
    EVERY,
    OF_BATCH,
    Column,
    ColumnLineage,
    Influence,
    Lineage,
    NodeLineage,
    all_columns,
)
from portmesh.lineage.query import qualified
from portmesh.lineage.snapshots import with_snapshot_columns
from portmesh.lineage.sql_of_node import UnreadableError, all_sql_of_node, incremental_macros, is_python
from portmesh.lineage.tables import Tables, has_contract, read_tables
from portmesh.lineage.unread import unread_parents

KINDS = ("model", "snapshot", "seed", "source")


def read_lineage(manifest: Mapping[str, Any], cache: Path | None = None) -> Lineage:
    """The lineage of the models, snapshots, seeds and sources of a manifest (schema v12, with compiled SQL).

    `cache` is a file (`cache_file()`) that keeps what was read, for the next time.
    """
    tables = read_tables(manifest)
    macros = incremental_macros(manifest)
    nodes = {**manifest.get("nodes", {}), **manifest.get("sources", {})}
    read = {id_: node for id_, node in nodes.items() if node["resource_type"] in KINDS}
    parents = {id_: [each for each in _parents(node) if each in read and each != id_] for id_, node in read.items()}
    found: dict[str, NodeLineage] = {}
    with Cache(cache) as kept:
        for id_ in TopologicalSorter(parents).static_order():
            node = read[id_]
            if node["resource_type"] in ("seed", "source"):
                found[id_] = _given(id_, tables)
                continue
            key = kept.key(node, parents[id_], tables)
            found[id_] = kept.get(key, id_, tables) or kept.put(key, _node_lineage(node, tables, macros), tables)
            _add_columns(found[id_], node, tables)
    return Lineage(found, tables)


def _parents(node: Mapping[str, Any]) -> list[str]:
    return list((node.get("depends_on") or {}).get("nodes") or ())


def _given(id_: str, tables: Tables) -> NodeLineage:
    """A table that comes from outside."""
    return NodeLineage(id_, {name: ColumnLineage((), "", type_) for name, type_ in tables.columns[id_].items()})


def _node_lineage(node: Mapping[str, Any], tables: Tables, macros: set[str]) -> NodeLineage:
    if is_python(node):
        return _python(node, tables)
    id_ = node["unique_id"]
    dialect = tables.dialect_of(id_)
    try:
        read = [columns_of(qualified(node, tables, sql), tables, dialect) for sql in all_sql_of_node(node, macros)]
        if len({tuple(each.columns) for each in read}) > 1:
            raise UnreadableError("an increment has other columns than a full build")  # noqa: TRY301
    except UnreadableError as error:
        return _unknown(node, tables, str(error))
    found = NodeLineage(id_, _columns_of_all(read), _influences_of_all(read, node, tables), "", _reads_of_all(read))
    if node["resource_type"] == "snapshot":
        found = with_snapshot_columns(found, node)
    found = _with_unread_parents(found, node, tables)
    if not has_contract(node):
        return found
    listed = {
        name: replace(found.columns[name], type=type_ or found.columns[name].type)
        for name, type_ in tables.columns[id_].items()
        if name in found.columns
    }
    return NodeLineage(id_, listed, found.influences, "", found.reads)


def _columns_of_all(read: list[QueryLineage]) -> dict[str, ColumnLineage]:
    """The columns of all SQL that a node may run as."""
    first, *others = read
    columns = dict(first.columns)
    for name in columns if others else ():
        each = [one.columns[name] for one in read]
        inputs = tuple(sorted({column for one in each for column in one.inputs}))
        expressions = list(dict.fromkeys(one.expression for one in each))
        text = expressions[0] if len(expressions) == 1 else f"ONE_OF({', '.join(expressions)})"
        columns[name] = ColumnLineage(inputs, text, columns[name].type)
    return columns


def _influences_of_all(read: list[QueryLineage], node: Mapping[str, Any], tables: Tables) -> tuple[Influence, ...]:
    config = node.get("config") or {}
    of_batches: list[Influence] = []
    if config.get("incremental_strategy") == "microbatch":
        # dbt filters each parent that has an event_time by it.
        times = [(id_, tables.event_times.get(id_, "")) for id_ in _parents(node)]
        of_batches = [
            Influence("filter", f"{tables.label(id_)}.{time}{OF_BATCH}", (Column(id_, time),))
            for id_, time in times
            if time
        ]
    return tuple(dict.fromkeys([*(influence for one in read for influence in one.influences), *of_batches]))


def _reads_of_all(read: list[QueryLineage]) -> tuple[str, ...]:
    return tuple(sorted({id_ for one in read for id_ in one.reads}))


def _with_unread_parents(found: NodeLineage, node: Mapping[str, Any], tables: Tables) -> NodeLineage:
    """A macro may have read a parent when the SQL was made, so everything may come from it."""
    unread = unread_parents(node, found.reads, tables)
    if not unread:
        return found
    inputs = tuple(sorted(_all_columns(unread, tables)))
    columns = {
        name: ColumnLineage(tuple(sorted({*column.inputs, *inputs})), column.expression, column.type)
        for name, column in found.columns.items()
    }
    names = ", ".join(tables.label(id_) for id_ in unread)
    influence = Influence("unread", f"depends on {names}, which its SQL does not read", inputs)
    reads = tuple(sorted({*found.reads, *unread}))
    return NodeLineage(found.node, columns, (*found.influences, influence), found.unknown, reads)


def _unknown(node: Mapping[str, Any], tables: Tables, reason: str) -> NodeLineage:
    """A node whose columns may come from anything that it depends on."""
    id_, parents = node["unique_id"], [each for each in _parents(node) if each in tables.columns]
    inputs = tuple(sorted(_all_columns(parents, tables)))
    columns = {name: ColumnLineage(inputs, "", type_) for name, type_ in tables.columns[id_].items()}
    if not has_contract(node):
        columns[EVERY] = ColumnLineage(inputs, "")
    return NodeLineage(id_, columns, (Influence("unread", reason, inputs),), reason, tuple(parents))


def _python(node: Mapping[str, Any], tables: Tables) -> NodeLineage:
    """What a Python model declares, and all that is possible of the rest."""
    given = declarations(node)
    if not given:
        return _unknown(node, tables, "it is a Python model that declares no lineage")
    read = {each.column: (names_in(each), inputs_of(each, node, tables)) for each in given}
    right = {column: (names, inputs) for column, (names, inputs) in read.items() if inputs is not None}
    if not right:
        return _unknown(node, tables, "it is a Python model, and what it declares is wrong: portmesh check says why")
    assumed = _unknown(node, tables, "its rows_from is wrong" if "" in read else "it declares no rows_from")
    parents = ", ".join(tables.label(id_) for id_ in assumed.reads)
    columns = {
        name: ColumnLineage(each.inputs, f"{ANY_OF}({parents})", each.type) for name, each in assumed.columns.items()
    }
    for name, (names, inputs) in right.items():
        if name:
            columns[name] = ColumnLineage(inputs, f"DECLARED({', '.join(names) or 'no column'})", columns[name].type)
    influences = assumed.influences
    if "" in right:
        names, inputs = right[""]
        influences = (Influence("declared", ", ".join(names), inputs),) if inputs else ()
    return NodeLineage(assumed.node, columns, (*influences, *_influences_of_all([], node, tables)), "", assumed.reads)


def _all_columns(ids: Iterable[str], tables: Tables) -> set[Column]:
    return {column for id_ in ids for column in all_columns(id_, tables)}


def _add_columns(found: NodeLineage, node: Mapping[str, Any], tables: Tables) -> None:
    """Make the columns that a model selects known to its readers. A contract has said them already."""
    if has_contract(node):
        return
    id_ = node["unique_id"]
    declared = tables.columns[id_]
    tables.columns[id_] = {
        name: declared.get(name) or column.type for name, column in found.columns.items() if name != EVERY
    }
    if EVERY in found.columns:
        tables.columns[id_] |= {name: type_ for name, type_ in declared.items() if name not in found.columns}
    else:
        tables.unlisted.discard(id_)
