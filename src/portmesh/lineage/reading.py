"""Reads the lineage of all nodes of a manifest, parents before children."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from portmesh.lineage.columns import columns_of
from portmesh.lineage.lineage import EVERY, Column, ColumnLineage, Influence, Lineage, NodeLineage
from portmesh.lineage.query import qualified
from portmesh.lineage.sql_of_node import UnreadableError
from portmesh.lineage.tables import Tables, has_contract, read_tables

KINDS = ("model", "snapshot", "seed", "source")


def read_lineage(manifest: Mapping[str, Any], cache: Path | None = None) -> Lineage:  # noqa: ARG001
    """The lineage of the models, snapshots, seeds and sources of a manifest (schema v12, with compiled SQL)."""
    tables = read_tables(manifest)
    nodes = {**manifest.get("nodes", {}), **manifest.get("sources", {})}
    read = {id_: node for id_, node in nodes.items() if node["resource_type"] in KINDS}
    parents = {id_: [each for each in _parents(node) if each in read] for id_, node in read.items()}
    found: dict[str, NodeLineage] = {}
    for id_ in TopologicalSorter(parents).static_order():
        found[id_] = _node_lineage(read[id_], tables)
        _add_columns(found[id_], read[id_], tables)
    return Lineage(found, tables)


def _parents(node: Mapping[str, Any]) -> list[str]:
    return list((node.get("depends_on") or {}).get("nodes") or ())


def _node_lineage(node: Mapping[str, Any], tables: Tables) -> NodeLineage:
    id_ = node["unique_id"]
    if node["resource_type"] in ("seed", "source"):
        return NodeLineage(id_, {name: ColumnLineage((), "", type_) for name, type_ in tables.columns[id_].items()})
    try:
        read = columns_of(qualified(node, tables), tables)
    except UnreadableError as error:
        return _unknown(node, tables, str(error))
    columns = dict(read.columns)
    if has_contract(node):
        columns = {name: columns[name] for name in tables.columns[id_] if name in columns}
    return NodeLineage(id_, columns, read.influences, "", read.reads)


def _unknown(node: Mapping[str, Any], tables: Tables, reason: str) -> NodeLineage:
    """A node whose columns may come from anything that it depends on."""
    id_, parents = node["unique_id"], [each for each in _parents(node) if each in tables.columns]
    inputs = tuple(sorted(each for parent in parents for each in all_columns(parent, tables)))
    columns = {name: ColumnLineage(inputs, "", type_) for name, type_ in tables.columns[id_].items()}
    if not has_contract(node):
        columns[EVERY] = ColumnLineage(inputs, "")
    return NodeLineage(id_, columns, (Influence("unread", reason, inputs),), reason, tuple(parents))


def all_columns(id_: str, tables: Tables) -> list[Column]:
    """All columns of a node, with `*` if there may be more than are listed."""
    listed = [Column(id_, name) for name in tables.columns.get(id_, ())]
    return listed if tables.lists_all(id_) else [*listed, Column(id_, EVERY)]


def _add_columns(found: NodeLineage, node: Mapping[str, Any], tables: Tables) -> None:
    """Make the columns that a model selects known to its readers. A contract has said them already."""
    if node["resource_type"] in ("seed", "source") or has_contract(node):
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
