"""What a change of SQL means: which columns of which nodes can have other values."""

from portmesh.lineage.meaning.changes import Changes, NodeChange, changes

__all__ = ["Changes", "NodeChange", "changes"]
