"""Lineage for people and programs: a column with its expressions, hop by hop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any

from portmesh.lineage.asking import Asked
from portmesh.lineage.lineage import EVERY, Column, Influence, Lineage
from portmesh.lineage.tables import FOREIGN
from portmesh.text import count, printable

WIDTH = 100
SEEN = "  (see above)"


def name_of(column: Column, lineage: Lineage) -> str:
    """`orders.order_lines.sales_value`."""
    return f"{lineage.tables.label(column.node)}.{'any column' if column.name == EVERY else column.name}"


def as_text(asked: Asked, down: bool) -> str:
    """The way up of what is asked, or with `down` the way down, as lines of at most 100 columns."""
    lines = [*_unknown(asked), *(_of_column(asked, down) if asked.column else _of_node(asked, down))]
    return "\n".join(lines)


def _unknown(asked: Asked) -> Iterator[str]:
    """Why nothing is known, before all that is assumed instead."""
    if asked.node.unknown:
        label = asked.lineage.tables.label(asked.id)
        yield from _wrapped(f"The lineage of {label} is not known: {asked.node.unknown}", "")
        yield "What follows is all that is possible.\n"


def _of_column(asked: Asked, down: bool) -> Iterator[str]:
    column = asked.columns[0]
    yield from _tree(column, asked.lineage, down, "", set())
    if down:
        yield from _influenced(asked)
    else:
        yield from _rows(asked)


def _tree(column: Column, lineage: Lineage, down: bool, indent: str, seen: set[Column]) -> Iterator[str]:
    node = lineage.nodes.get(column.node)
    found = node.column(column.name) if node else None
    name = f"{indent}{name_of(column, lineage)}"
    if column in seen:
        yield f"{name}{SEEN}"
        return
    seen.add(column)
    yield f"{name}   {found.type}" if found and found.type else name
    if node is None and column.node.startswith(FOREIGN):
        yield f"{indent}    it is no model or source of the mesh"
    if node and node.unknown:
        reason = f": {node.unknown}" if indent else ""
        yield from _wrapped(f"may come from everything that it depends on{reason}", f"{indent}    ")
    elif found and found.expression and found.expression != name_of_inputs(found.inputs, lineage):
        yield from _wrapped(f"= {found.expression}", f"{indent}    ")
    for each in lineage.down(column) if down else lineage.up(column):
        yield from _tree(each, lineage, down, f"{indent}  ", seen)


def name_of_inputs(inputs: tuple[Column, ...], lineage: Lineage) -> str:
    """The name of the only input: an expression like it says nothing more."""
    return name_of(inputs[0], lineage) if len(inputs) == 1 else ""


def _wrapped(text: str, indent: str) -> Iterator[str]:
    width = max(WIDTH - len(indent), 40)
    first, *others = wrap(printable(text), width, subsequent_indent="  ", break_on_hyphens=False) or [""]
    yield f"{indent}{first}"
    yield from (f"{indent}{line}" for line in others)


def _rows(asked: Asked) -> Iterator[str]:
    if asked.node.influences and not asked.node.unknown:
        yield f"\nWhich rows {asked.lineage.tables.label(asked.id)} has is decided by:"
        for each in asked.node.influences:
            yield from _wrapped(f"{each.kind:<8}  {each.expression}", "  ")


def _influenced(asked: Asked) -> Iterator[str]:
    nodes = asked.lineage.influenced(asked.columns[0])
    if nodes:
        yield f"\nIt decides which rows {count(len(nodes), 'node')} {'has' if len(nodes) == 1 else 'have'}:"
    for id_ in nodes:
        for each in _influences_with(asked.columns[0], asked.lineage.nodes[id_].influences):
            yield from _wrapped(f"{asked.lineage.tables.label(id_)}: {each.kind}  {each.expression}", "  ")


def _influences_with(column: Column, influences: Iterable[Influence]) -> list[Influence]:
    return [each for each in influences if {column, Column(column.node, EVERY)} & set(each.inputs)]


def _of_node(asked: Asked, down: bool) -> Iterator[str]:
    lineage = asked.lineage
    yield lineage.tables.label(asked.id)
    for column in asked.columns:
        found = asked.node.column(column.name)
        yield f"\n  {column.name}   {found.type}" if found and found.type else f"\n  {column.name}"
        if down:
            names = [name_of(each, lineage) for each in lineage.down(column)]
            names += [f"{lineage.tables.label(id_)} (which rows it has)" for id_ in lineage.influenced(column)]
            yield from _wrapped(", ".join(names) or "nothing reads it", "      ")
        elif found and found.expression and not asked.node.unknown:
            yield from _wrapped(found.expression, "      ")
    if not down:
        yield from _rows(asked)


def as_json(asked: Asked, down: bool) -> dict[str, Any]:
    """The same as a dictionary. `columns` are the asked ones, `hops` all that are reached from them, nearest first."""
    lineage = asked.lineage
    reached = [c for each in asked.columns for c in (lineage.descendants(each) if down else lineage.ancestors(each))]
    return {
        "node": asked.id,
        "label": lineage.tables.label(asked.id),
        "unknown": asked.node.unknown,
        "direction": "down" if down else "up",
        "columns": [_column_as_json(each, lineage, down) for each in asked.columns],
        "hops": [_column_as_json(each, lineage, down) for each in dict.fromkeys(reached) if each not in asked.columns],
        "influences": [
            {"kind": each.kind, "expression": each.expression, "inputs": _names(each.inputs, lineage)}
            for each in asked.node.influences
        ],
        "influenced": {name_of(each, lineage): list(lineage.influenced(each)) for each in asked.columns},
    }


def _column_as_json(column: Column, lineage: Lineage, down: bool) -> dict[str, Any]:
    node = lineage.nodes.get(column.node)
    found = node.column(column.name) if node else None
    return {
        "column": name_of(column, lineage),
        "type": found.type if found else "",
        "expression": found.expression if found else "",
        "unknown": node.unknown if node else "",
        "computes" if down else "inputs": _names(lineage.down(column) if down else lineage.up(column), lineage),
    }


def _names(columns: Iterable[Column], lineage: Lineage) -> list[str]:
    return [name_of(each, lineage) for each in columns]
