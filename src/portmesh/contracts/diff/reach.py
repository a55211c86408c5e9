"""What reads what changed: by column through the lineage, as far as it goes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from portmesh.lineage import Column, Lineage
from portmesh.lineage.sql_of_node import is_python
from portmesh.lineage.tables import dialect_of, label_of


@dataclass(frozen=True)
class Changed:
    """What of a port differs: these columns, or all of it, because there can be other rows."""

    port: str
    columns: frozenset[str] = frozenset()
    is_all: bool = False


@dataclass
class Touched:
    """What of a node is computed from changed columns. With `rows`, all of it may differ."""

    columns: set[str] = field(default_factory=set)
    rows: bool = False


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two meshes that are compared: its manifest and its lineage."""

    manifest: Mapping[str, Any]
    lineage: Lineage

    @cached_property
    def everything(self) -> dict[str, Mapping[str, Any]]:
        """Nodes and exposures by id."""
        return {**self.manifest["nodes"], **self.manifest.get("exposures", {})}

    def parents(self, id_: str) -> set[str]:
        return set((self.everything[id_].get("depends_on") or {}).get("nodes", []))

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """The ids of the nodes and exposures that refer to a node or source, by its id."""
        found: dict[str, list[str]] = {}
        for id_ in self.everything:
            for parent in self.parents(id_):
                found.setdefault(parent, []).append(id_)
        return found

    def label(self, id_: str) -> str:
        return label_of(self.everything[id_])

    def readers(self, port: str) -> list[str]:
        """The ids of the nodes of other domains and of the exposures that refer to a port."""
        domain = port.split(".")[1]
        return [
            id_
            for id_ in self.children.get(port, ())
            if (node := self.everything[id_])["resource_type"] == "exposure" or node["package_name"] != domain
        ]

    def name_of(self, id_: str) -> str:
        """The consumer that a node or exposure belongs to."""
        node = self.everything[id_]
        return str(node["name"] if node["resource_type"] == "exposure" else node["package_name"])

    def names(self, id_: str, columns: Collection[str]) -> bool:
        """Whether the SQL of a node names one of these columns, from whichever table. True if it cannot be read."""
        node = self.everything.get(id_)
        if not columns or not node or not node.get("compiled_code"):
            return False
        if is_python(node):
            return self.lineage.nodes[id_].is_assumed or any(name in node["compiled_code"].lower() for name in columns)
        try:
            tree = parse_one(node["compiled_code"], dialect=dialect_of(node))
        except SqlglotError:
            return True
        return any(column.name.lower() in columns for column in tree.find_all(exp.Column))

    @cache  # noqa: B019
    def touched(self, changed: Changed) -> dict[str, Touched]:
        """The nodes after a port that read what changed, by id, at any distance; and exposures that read these."""
        found = _touched(self.lineage, changed)
        for id_ in self._touched_tests(changed):
            found.setdefault(id_, Touched())
        read = {id_ for id_ in found if self.everything[id_]["resource_type"] != "test"} | {changed.port}
        for id_ in self.manifest.get("exposures", {}):
            if read & self.parents(id_):
                found.setdefault(id_, Touched())
        return found

    def _touched_tests(self, changed: Changed) -> Iterator[str]:
        """Data tests that read what changed, such as relationships to a changed column."""
        for id_ in self.readers(changed.port):
            if self.everything[id_]["resource_type"] == "test":
                arguments = (self.everything[id_].get("test_metadata") or {}).get("kwargs") or {}
                names = {str(arguments["field"]).lower()} if "field" in arguments else changed.columns
                if changed.is_all or names & changed.columns:
                    yield id_


def _touched(lineage: Lineage, changed: Changed) -> dict[str, Touched]:
    found: dict[str, Touched] = {}
    columns = [Column(changed.port, name) for name in sorted(changed.columns)]
    nodes = [changed.port] if changed.is_all else []
    seen = set(columns)
    while columns or nodes:
        if nodes:
            readers: tuple[str, ...] = lineage.readers(nodes.pop())
        else:
            column = columns.pop()
            for down in lineage.down(column):
                found.setdefault(down.node, Touched()).columns.add(down.name)
                if down not in seen:
                    seen.add(down)
                    columns.append(down)
            unknown = [id_ for id_ in lineage.readers(column.node) if lineage.nodes[id_].unknown]
            readers = (*lineage.influenced(column), *unknown)
        for reader in readers:
            one = found.setdefault(reader, Touched())
            if not one.rows and reader != changed.port:
                one.rows = True
                nodes.append(reader)
    found.pop(changed.port, None)
    return found
