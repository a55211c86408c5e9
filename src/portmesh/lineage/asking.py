"""What is asked about: a name that people use, as a node and perhaps a column of it."""

from __future__ import annotations

from dataclasses import dataclass

from portmesh.errors import UsageError, did_you_mean
from portmesh.lineage.lineage import EVERY, Column, Lineage, NodeLineage


@dataclass(frozen=True)
class Asked:
    """A node of a lineage, and the name of one of its columns (empty: all of them)."""

    lineage: Lineage
    id: str
    column: str = ""

    @property
    def node(self) -> NodeLineage:
        return self.lineage.nodes[self.id]

    @property
    def columns(self) -> tuple[Column, ...]:
        names = (self.column,) if self.column else self.lineage.columns_of(self.id)
        return tuple(Column(self.id, name) for name in names)


def find_asked(name: str, lineage: Lineage) -> Asked:
    """What `orders.order_lines`, `orders.order_lines.sales_value`, `tills.transactions.week` or an id means.

    Raises UsageError, with the nearest name, if there is no such node or column.
    """
    ids = {label.lower(): id_ for id_, label in lineage.tables.labels.items()} | {id_: id_ for id_ in lineage.nodes}
    wanted = name.strip().lower()
    node, _, column = wanted.rpartition(".")
    if wanted in ids:
        return Asked(lineage, ids[wanted])
    if node not in ids:
        near = did_you_mean(wanted, [*ids, *(f"{label}.{column}" for label in ids if node)])
        raise UsageError(
            f"There is no model, source or column {name!r}.{near}",
            [("got", name), ("allowed", "orders.order_lines (a node) or orders.order_lines.sales_value (a column)")],
            "name a model or source of the mesh",
        )
    id_ = ids[node]
    known = lineage.columns_of(id_)
    if column in known or EVERY in lineage.nodes[id_].columns:
        return Asked(lineage, id_, column)
    raise UsageError(
        f"{lineage.tables.label(id_)} has no column {column!r}.{did_you_mean(column, known)}",
        [("got", name), ("allowed", ", ".join(known))],
    )
