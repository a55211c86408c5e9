"""The lineage of a node as OpenLineage has it: a dataset's event with the facet of column lineage.

The formats are DatasetEvent of OpenLineage 2-0-2 (https://openlineage.io/spec/2-0-2/OpenLineage.json) and
ColumnLineageDatasetFacet 1-2-0. tests/test_lineage_openlineage.py reads what is written with openlineage-python.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from portmesh.lineage.asking import Asked
from portmesh.lineage.lineage import EVERY, Column, ColumnLineage
from portmesh.lineage.tables import FOREIGN

PRODUCER = f"urn:portmesh:{version('portmesh')}"
SPEC = "https://openlineage.io/spec"
EVENT = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/DatasetEvent"
COLUMNS = f"{SPEC}/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
SCHEMA = f"{SPEC}/facets/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
INDIRECT = {
    "filter": "FILTER", "limit": "FILTER", "sample": "FILTER", "join": "JOIN", "unnest": "JOIN", "group": "GROUP_BY",
    "distinct": "GROUP_BY", "order": "SORT",
}  # fmt: skip
"""OpenLineage's name for each kind of influence. All others are CONDITIONAL."""


def dataset_event(asked: Asked, manifest: Mapping[str, Any], namespace: str, at: datetime) -> dict[str, Any]:
    """A node's event at a time. `namespace` is where OpenLineage's datasets are, such as `awsathena://…`."""
    names = _Names(manifest, namespace)
    node = asked.node
    listed = [each.name for each in asked.columns]
    described = {name: found for name in listed if (found := node.column(name))}
    dialect = asked.lineage.tables.dialect_of(asked.id)
    fields = {name: {"inputFields": _direct(found, names, asked, dialect)} for name, found in described.items()}
    schema = [{"name": name, "type": found.type} for name, found in described.items()]
    columns = {"fields": fields, "dataset": _indirect(asked, names)}
    return {
        "eventTime": at.isoformat().replace("+00:00", "Z"),
        "producer": PRODUCER,
        "schemaURL": EVENT,
        "dataset": {
            **names.dataset(asked.id),
            "facets": {
                "schema": {"_producer": PRODUCER, "_schemaURL": SCHEMA, "fields": schema},
                "columnLineage": {"_producer": PRODUCER, "_schemaURL": COLUMNS, **columns},
            },
        },
    }


class _Names:
    """The names of datasets: `<database>.<schema>.<table>`, as OpenLineage's own integration of dbt has them."""

    def __init__(self, manifest: Mapping[str, Any], namespace: str) -> None:
        self.nodes = {**manifest.get("nodes", {}), **manifest.get("sources", {})}
        self.namespace = namespace

    def dataset(self, id_: str) -> dict[str, str]:
        node = self.nodes.get(id_) or {}
        table = node.get("identifier") or node.get("alias") or node.get("name")
        parts = [part for part in (node.get("database"), node.get("schema"), table) if part]
        return {"namespace": self.namespace, "name": ".".join(parts) or id_.removeprefix(FOREIGN)}

    def field(self, column: Column, transformation: Mapping[str, str]) -> dict[str, Any]:
        return {**self.dataset(column.node), "field": column.name, "transformations": [dict(transformation)]}


def _direct(found: ColumnLineage, names: _Names, asked: Asked, dialect: str) -> list[dict[str, Any]]:
    kind = {"type": "DIRECT", "subtype": _subtype(found.expression, dialect), "description": found.expression}
    return [names.field(each, kind) for each in _listed(found.inputs, asked)]


def _indirect(asked: Asked, names: _Names) -> list[dict[str, Any]]:
    return [
        names.field(
            column,
            {
                "type": "INDIRECT",
                "subtype": INDIRECT.get(each.kind, "CONDITIONAL"),
                "description": f"{each.kind}: {each.expression}",
            },
        )
        for each in asked.node.influences
        for column in _listed(each.inputs, asked)
    ]


def _listed(columns: tuple[Column, ...], asked: Asked) -> list[Column]:
    """OpenLineage has no name for all columns of a table, so the ones are taken whose names are known."""
    found = [
        each
        for column in columns
        for each in (
            [Column(column.node, name) for name in asked.lineage.columns_of(column.node)]
            if column.name == EVERY and column.node in asked.lineage.nodes
            else [column]
        )
    ]
    return list(dict.fromkeys(found))


def _subtype(expression: str, dialect: str) -> str:
    try:
        parsed = parse_one(expression, dialect=dialect)
    except SqlglotError:
        return "TRANSFORMATION"
    if isinstance(parsed, exp.Column):
        return "IDENTITY"
    return "AGGREGATION" if parsed.find(exp.AggFunc) else "TRANSFORMATION"
