"""Where the columns of a mesh come from: what each is computed from, and what decides which rows there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from portmesh.lineage.tables import Tables

EVERY = "*"
"""The name of the column that stands for all columns of a table that nobody lists."""
ANY_OF = "ANY_OF"
"""The function in the expression of a column that may come from any column of its arguments, which are tables."""


@dataclass(frozen=True, order=True)
class Column:
    """A column of a node of the manifest, or of a relation that is no node (`relation.<its name>`); in lower case."""

    node: str
    name: str


@dataclass(frozen=True)
class ColumnLineage:
    """The columns of direct parents that a column is computed from, and its expression in terms of them.

    `type` is in SQL of the node's engine, and empty if it is not known.
    """

    inputs: tuple[Column, ...]
    expression: str
    type: str = ""

    @property
    def is_any(self) -> bool:
        """Whether its inputs are all that is possible."""
        return self.expression.startswith(f"{ANY_OF}(")


OF_BATCH = " is of the batch"
"""How the expression of an influence ends by which dbt cuts batches."""


@dataclass(frozen=True)
class Influence:
    """Something that decides which rows or groups a node has.

    `kind` is filter, join, group, order, distinct, limit, sample, unnest, snapshot, declared or unread. `expression` is
    SQL in terms of the columns of direct parents.
    """

    kind: str
    expression: str
    inputs: tuple[Column, ...]

    @property
    def is_of_batches(self) -> bool:
        """Whether dbt cuts batches by it, and no filter of the SQL."""
        return self.kind == "filter" and self.expression.endswith(OF_BATCH)


@dataclass(frozen=True)
class NodeLineage:
    """The columns of a node, what influences its rows, and the nodes and relations that its SQL reads.

    `unknown` is the reason why everything is computed from everything; it is empty if the lineage is known. A column
    named `*` stands for all columns that are passed on from a table whose columns nobody lists.
    """

    node: str
    columns: Mapping[str, ColumnLineage] = field(default_factory=dict)
    influences: tuple[Influence, ...] = ()
    unknown: str = ""
    reads: tuple[str, ...] = ()

    @property
    def influencing(self) -> tuple[Column, ...]:
        """All columns that influence the rows, each once."""
        return tuple(dict.fromkeys(column for each in self.influences for column in each.inputs))

    @property
    def is_assumed(self) -> bool:
        """Whether some of it is all that is possible."""
        is_unread = any(each.kind == "unread" for each in self.influences)
        return bool(self.unknown) or is_unread or any(each.is_any for each in self.columns.values())

    def column(self, name: str) -> ColumnLineage | None:
        """The lineage of a column, or None if the node has no such column.

        A column that is not listed is passed on by its name from the tables that `*` stands for.
        """
        if found := self.columns.get(name):
            return found
        rest = self.columns.get(EVERY)
        if not rest or rest.is_any or any(each.kind == "unread" for each in self.influences):
            return rest
        inputs = tuple(Column(each.node, name) if each.name == EVERY else each for each in rest.inputs)
        return ColumnLineage(inputs, rest.expression)


@dataclass(frozen=True)
class Lineage:
    """The lineage of all nodes by id. `tables` is what is known of the columns of nodes, sources and relations."""

    nodes: Mapping[str, NodeLineage]
    tables: Tables

    def up(self, column: Column) -> tuple[Column, ...]:
        """The columns that a column is directly computed from; empty for a source."""
        node = self.nodes.get(column.node)
        found = node.column(column.name) if node else None
        return found.inputs if found else ()

    def down(self, column: Column) -> tuple[Column, ...]:
        """The columns that are directly computed from a column."""
        found = [Column(*each) for each in self._down.get(column, ())]
        for reader, name in self._down.get(Column(column.node, EVERY), ()):
            # What reads every column reads this one, and passes it on by its name or changes it.
            found.append(Column(reader, column.name if name == EVERY and self._passes_on(reader, column) else name))
        return tuple(dict.fromkeys(found))

    def _passes_on(self, reader: str, column: Column) -> bool:
        found = self.nodes[reader]
        passed = None if column.name in found.columns else found.column(column.name)
        return passed is not None and passed is not found.columns[EVERY]

    def influenced(self, column: Column) -> tuple[str, ...]:
        """The nodes whose rows a column influences."""
        found = [*self._influenced.get(column, ()), *self._influenced.get(Column(column.node, EVERY), ())]
        return tuple(dict.fromkeys(found))

    def readers(self, node: str) -> tuple[str, ...]:
        """The nodes whose SQL reads a node, directly."""
        return self._readers.get(node, ())

    def ancestors(self, column: Column) -> tuple[Column, ...]:
        """All columns that a column is computed from, at any distance, the nearest first."""
        return tuple(_reached(column, self.up))

    def descendants(self, column: Column) -> tuple[Column, ...]:
        """All columns that are computed from a column, at any distance, the nearest first."""
        return tuple(_reached(column, self.down))

    def columns_of(self, node: str) -> tuple[str, ...]:
        """The names of a node's columns; for a table whose columns nobody lists, also those that are read by name."""
        listed = [name for name in self.nodes[node].columns if name != EVERY]
        read = {each.name for each in (*self._down, *self._influenced) if each.node == node and each.name != EVERY}
        return (*listed, *sorted(read.difference(listed)))

    @cached_property
    def _down(self) -> Mapping[Column, list[tuple[str, str]]]:
        found: dict[Column, list[tuple[str, str]]] = defaultdict(list)
        for id_, node in self.nodes.items():
            for name, column in node.columns.items():
                for each in column.inputs:
                    found[each].append((id_, name))
        return found

    @cached_property
    def _influenced(self) -> Mapping[Column, list[str]]:
        found: dict[Column, list[str]] = defaultdict(list)
        for id_, node in self.nodes.items():
            for column in node.influencing:
                found[column].append(id_)
        return found

    @cached_property
    def _readers(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for id_, node in self.nodes.items():
            for read in node.reads:
                found[read].append(id_)
        return {id_: tuple(readers) for id_, readers in found.items()}


def all_columns(id_: str, tables: Tables) -> list[Column]:
    """All columns of a node, with `*` if there may be more than are listed."""
    listed = [Column(id_, name) for name in tables.columns.get(id_, ())]
    return listed if tables.lists_all(id_) else [*listed, Column(id_, EVERY)]


def _reached(start: Column, step: Callable[[Column], Iterable[Column]]) -> Iterator[Column]:
    """Breadth first; an incremental model may read itself."""
    seen, waiting = {start}, [start]
    for column in waiting:
        for each in step(column):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
                yield each
