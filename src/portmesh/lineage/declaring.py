"""The lineage that the YAML of a Python model declares: `computed_from` of its columns, and `rows_from` of its rows.

What is not declared, or declared wrongly, is any column of any parent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from portmesh.lineage.lineage import Column, all_columns
from portmesh.lineage.sql_of_node import is_python
from portmesh.lineage.tables import Tables

COMPUTED_FROM, ROWS_FROM = "computed_from", "rows_from"
FORM = "[orders.order_lines.basket_id]"


@dataclass(frozen=True)
class Declaration:
    """What stands under one of the two keys. `column` is empty for that of the rows."""

    column: str
    given: Any

    @property
    def key(self) -> str:
        return f"{COMPUTED_FROM} of {self.column}" if self.column else ROWS_FROM


@dataclass(frozen=True)
class Wrong:
    """A declaration that cannot be right: the name in it, what is wrong as a sentence, and what to do."""

    declaration: Declaration
    name: str
    what: str
    fix: str


def declarations(node: Mapping[str, Any]) -> list[Declaration]:
    """All that a node's YAML declares; a key without a value declares nothing."""
    found = [Declaration("", _meta(node).get(ROWS_FROM))]
    found += [
        Declaration(str(column.get("name") or name).lower(), _meta(column).get(COMPUTED_FROM))
        for name, column in (node.get("columns") or {}).items()
    ]
    return [each for each in found if each.given is not None]


def _meta(of: Mapping[str, Any]) -> Mapping[str, Any]:
    """`config.meta`; dbt has that of a column also, or only, under `meta`."""
    given = (of.get("meta"), (of.get("config") or {}).get("meta"))
    return {key: value for each in given if isinstance(each, Mapping) for key, value in each.items()}


def inputs_of(declaration: Declaration, node: Mapping[str, Any], tables: Tables) -> tuple[Column, ...] | None:
    """The columns that are declared, each once; None if a part of the declaration is wrong."""
    if any(wrong_in(declaration, node, tables)):
        return None
    return tuple(dict.fromkeys(each for name in names_in(declaration) for each in _columns(name, node, tables)))


def names_in(declaration: Declaration) -> list[str]:
    """The names in a declaration, without anything in it that is no text."""
    given = declaration.given if isinstance(declaration.given, list) else []
    return [each.strip().lower() for each in given if isinstance(each, str)]


def wrong_in(declaration: Declaration, node: Mapping[str, Any], tables: Tables) -> Iterator[Wrong]:
    """What is wrong in a declaration of a node."""
    given, key = declaration.given, declaration.key
    if not is_python(node):
        what = f"its {key} is declared, although its lineage is read from its SQL"
        yield Wrong(declaration, "", what, f"Remove {key.partition(' ')[0]}: only a Python model declares its lineage")
        return
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        yield Wrong(declaration, "", f"its {key} is {given!r}, which is no list of names", f"Write names like {FORM}")
        return
    for name in names_in(declaration):
        if not _columns(name, node, tables):
            yield _not_found(declaration, name, node, tables)


def _columns(name: str, node: Mapping[str, Any], tables: Tables) -> list[Column]:
    """The columns that a name means: one of a parent, or all of a parent; none if there is nothing of this name."""
    if whole := _parents(name, node, tables):
        return [column for id_ in whole for column in all_columns(id_, tables)]
    table, _, column = name.rpartition(".")
    return [
        Column(id_, column)
        for id_ in _parents(table, node, tables)
        if column in tables.columns[id_] or not tables.lists_all(id_)
    ]


def _parents(label: str, node: Mapping[str, Any], tables: Tables) -> list[str]:
    parents = (node.get("depends_on") or {}).get("nodes") or ()
    return [id_ for id_ in parents if id_ in tables.columns and tables.label(id_).lower() == label]


def _not_found(declaration: Declaration, name: str, node: Mapping[str, Any], tables: Tables) -> Wrong:
    table, _, column = name.rpartition(".")
    says = f"its {declaration.key} names {name}"
    if read := _parents(table, node, tables):
        known = list(dict.fromkeys(each for id_ in read for each in tables.columns[id_]))
        near = f"{table}.{(get_close_matches(column, known, n=1) or known or ['…'])[0]}"
        fix = f"Write {near}, or another column of {table}: {', '.join(known)}"
        return Wrong(declaration, name, f"{says}, and {table} has no column {column}", fix)
    parents = (node.get("depends_on") or {}).get("nodes") or ()
    labels = sorted(tables.label(id_) for id_ in parents if id_ in tables.columns)
    fix = f"Name a column of what it reads: {', '.join(labels) or 'it reads nothing'}"
    return Wrong(declaration, name, f"{says}, which is nothing that its code reads", fix)
