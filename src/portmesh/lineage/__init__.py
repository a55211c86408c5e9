"""Column lineage, from the compiled SQL of the mesh."""

from portmesh.lineage.lineage import EVERY, Column, ColumnLineage, Lineage, NodeLineage
from portmesh.lineage.query import qualified
from portmesh.lineage.reading import read_lineage
from portmesh.lineage.sql_of_node import UnreadableError
from portmesh.lineage.unlisted import REST

__all__ = [
    "EVERY",
    "REST",
    "Column",
    "ColumnLineage",
    "Lineage",
    "NodeLineage",
    "UnreadableError",
    "qualified",
    "read_lineage",
]
