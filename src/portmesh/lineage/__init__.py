"""Column lineage, from the compiled SQL of the mesh."""

from portmesh.lineage.lineage import EVERY, Column, ColumnLineage, Influence, Lineage, NodeLineage
from portmesh.lineage.query import qualified
from portmesh.lineage.reading import all_columns, read_lineage
from portmesh.lineage.sql_of_node import UnreadableError
from portmesh.lineage.tables import FOREIGN, Tables, read_tables
from portmesh.lineage.unlisted import REST

__all__ = [
    "EVERY",
    "FOREIGN",
    "REST",
    "Column",
    "ColumnLineage",
    "Influence",
    "Lineage",
    "NodeLineage",
    "Tables",
    "UnreadableError",
    "all_columns",
    "qualified",
    "read_lineage",
    "read_tables",
]
