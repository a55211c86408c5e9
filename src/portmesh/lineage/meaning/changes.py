"""What a change of the SQL means: which nodes, and which of their columns, can have other values than before.

Each node's query is compared in terms of what it reads (`terms.py`). Tables that are the same before and after are the
leaves; of the others, leaves have versions by column, so a change goes on only where its column is read. Where the SQL
of a node itself is another one, its changed and new parents are read too, as if they were its CTEs: moving a CTE into a
model of its own changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from sqlglot import exp

from portmesh.called_macros import called
from portmesh.lineage import EVERY, REST, Column, Lineage, NodeLineage, UnreadableError, qualified, read_lineage
from portmesh.lineage.alike import told_apart
from portmesh.lineage.meaning.keys import Keys, keys_of_both
from portmesh.lineage.meaning.python_code import code_of
from portmesh.lineage.meaning.reading import LeftAsWrittenError, Reader, UnknownColumnError
from portmesh.lineage.meaning.terms import Labels, Leaf, Op, Relation, Term, View, unique_columns
from portmesh.lineage.query import data_type
from portmesh.lineage.sql_of_node import INCREMENT, is_python, may_be_incremental
from portmesh.lineage.tables import declared, has_contract, label_of

KINDS = ("model", "snapshot", "seed", "source")
REBUILT = ("view", "table", "ephemeral", "output_port")
"""Materializations whose rows are those of the query, if it is not incremental."""
CONFIG = frozenset(
    [
        "materialized",
        "unique_key",
        "incremental_strategy",
        "on_schema_change",
        "incremental_predicates",
        "strategy",
        "updated_at",
        "check_cols",
        "hard_deletes",
        "invalidate_hard_deletes",
        "column_types",
        "delimiter",
        "event_time",
        "pre-hook",
        "post-hook",
        "sql_header",
        "batch_size",
        "begin",
        "lookback",
        "merge_update_columns",
        "merge_exclude_columns",
        "delete_condition",
        "insert_condition",
        "update_condition",
        "partition_by",
        "partitioned_by",
        "full_refresh",
        "dbt_valid_to_current",
        "snapshot_meta_column_names",
        "quote_columns",
        "alias",
        "schema",
        "database",
        "target_schema",
        "target_database",
    ]
)
"""The settings that can decide which rows a node has. A table of another name starts without the old rows."""
OF_EVERY_QUERY = ("event_time", "sql_header")
"""Those that matter to a query that is run as a whole, too: batches of readers are cut by `event_time`."""
BESIDE = "beside its query"
NOT_OF_SOURCES = ("enabled", "freshness", "loaded_at_field", "loaded_at_query", "meta", "tags")


@dataclass(frozen=True)
class NodeChange:
    """What can be other than before in a node.

    `columns` has, for each column that can have other values in the same rows, the reasons. `rows` has the reasons why
    there can be other rows or groups; then all columns can have other values. `added` and `removed` are names of
    columns. `unknown` is why it cannot be known, and then everything counts as changed. `new` and `gone` nodes exist
    on one side only. `reordered` says that only the order of rows can be another. `renamed` are those of `columns`
    whose values are others one to one: where two rows had the same they still have, and only there.
    """

    node: str
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unknown: str = ""
    new: bool = False
    gone: bool = False
    reordered: bool = False
    renamed: frozenset[str] = frozenset()

    def changes(self, column: str) -> bool:
        """Whether a column that was there before can have other values, or is gone."""
        return bool(self.rows or self.unknown or column in self.columns or column in self.removed)

    @property
    def matters(self) -> bool:
        """Whether anything but the order of rows can be another."""
        return bool(self.columns or self.rows or self.added or self.removed or self.unknown or self.new or self.gone)


@dataclass(frozen=True)
class Changes:
    """The nodes whose output can differ, by id; those downstream too, if they read what changes."""

    nodes: Mapping[str, NodeChange]


def changes(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    cache: Path | None = None,
    lineages: tuple[Lineage, Lineage] | None = None,
    keys: Keys | None = None,
) -> Changes:
    """Compare two manifests (schema v12, with compiled SQL).

    `lineages` are those of both, if they have been read already; `keys` those of ports that the manifests lack.
    """
    nodes_before, nodes_after = _nodes(before), _nodes(after)
    own_sql = {
        id_
        for id_ in {*nodes_before, *nodes_after}
        if id_ not in nodes_after or not _same(nodes_before.get(id_), nodes_after[id_])
    }
    if not own_sql:
        return Changes({})
    lineages = lineages or (read_lineage(before, cache), read_lineage(after, cache))
    sides = (_Side("before", nodes_before, lineages[0]), _Side("after", nodes_after, lineages[1]))
    return _Comparison(*sides, own_sql, keys or keys_of_both(before, after)).changes()


def _nodes(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    both = {**manifest.get("nodes", {}), **manifest.get("sources", {})}
    adapter = manifest["metadata"].get("adapter_type") or "duckdb"
    macros = manifest.get("macros") or {}
    materializations = [id_ for id_ in macros if ".materialization_" in id_]
    return {
        id_: {"adapter_type": adapter, BESIDE: _beside_its_query(node, macros, materializations), **node}
        for id_, node in both.items()
        if node["resource_type"] in KINDS and (node.get("config") or {}).get("enabled", True)
    }


def _beside_its_query(
    node: Mapping[str, Any], macros: Mapping[str, Any], materializations: Iterable[str]
) -> dict[str, str]:
    """The macros of its domain that a hook or a materialization of its own runs, with those that they call."""
    config, package = node.get("config") or {}, node["package_name"]
    own = f"macro.{package}.materialization_{config.get('materialized')}_"
    ids = [id_ for id_ in materializations if id_.startswith(own)]
    if config.get("pre-hook") or config.get("post-hook"):
        ids += (node.get("depends_on") or {}).get("macros") or ()
    return called(ids, macros, package)


def _same(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool:
    """Whether a node says the same about its rows, whatever its parents are."""
    if before is None or _is_unread(before) or _is_unread(after):
        return False
    return _key(before) == _key(after)


def _is_unread(node: Mapping[str, Any]) -> bool:
    """Whether a node is a large seed in a manifest that dbt wrote: then only the path of its file is known."""
    return node["resource_type"] == "seed" and (node.get("checksum") or {}).get("name") == "path"


def _key(node: Mapping[str, Any]) -> str:
    config = node.get("config") or {}
    parts: dict[str, Any] = {"config": _deciding(node), "adapter": node["adapter_type"], BESIDE: node.get(BESIDE)}
    parts |= _code(node)
    if node["resource_type"] == "seed":
        parts["seed"] = (node.get("checksum") or {}).get("checksum")
    if node["resource_type"] == "source":
        meta = {**(node.get("meta") or {}), **(config.get("meta") or {})}
        where = [node.get(each) for each in ("database", "schema", "identifier", "external", "loader", "relation_name")]
        where += [(name, value) for name, value in sorted(config.items()) if name not in NOT_OF_SOURCES and value]
        parts["source"] = [*where, *(meta.get(name) for name in ("external_location", "formatter", "landing"))]
    parts["types"] = {name: (column or {}).get("data_type") for name, column in (node.get("columns") or {}).items()}
    return json.dumps(parts, sort_keys=True, default=str)


def _code(node: Mapping[str, Any]) -> dict[str, Any]:
    """All code of a node."""
    code = node.get("compiled_code") or node.get("raw_code")
    if is_python(node):
        return {"python": code_of(str(code or ""))}
    increment = node.get(INCREMENT) or (node.get("raw_code") if may_be_incremental(node) else "")
    return {"sql": code, "ctes": [each.get("sql") for each in node.get("extra_ctes") or ()], "increment": increment}


def _types(node: Mapping[str, Any]) -> dict[str, str]:
    """The types that a node's YAML declares, by column."""
    columns = (node.get("columns") or {}).items()
    return {name.lower(): str(column.get("data_type") or "").lower() for name, column in columns}


def _deciding(node: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a node that can decide its rows, without those that say nothing."""
    config = {**(node.get("config") or {}), "alias": node.get("alias")}
    return {name: config[name] for name in sorted(CONFIG) if config.get(name) not in (None, "", [], {})}


def _is_rebuilt(node: Mapping[str, Any]) -> bool:
    """Whether the rows of a node are those of its query, and nothing else."""
    config = node.get("config") or {}
    hooks = config.get("pre-hook") or config.get("post-hook")
    of_query = node["resource_type"] == "model" and config.get("materialized") in REBUILT
    return of_query and not may_be_incremental(node) and not hooks


def _leaf(
    id_: str, change: NodeChange | None, side: str, of_node: Callable[[], Iterable[frozenset[str]]] = tuple
) -> Leaf:
    """A node, with the versions of a side for what changes."""
    if change is None:
        return Leaf(id_, keys=of_node)
    versions = dict.fromkeys([*change.columns, *change.added, *change.removed], side)
    if change.unknown or change.new or change.gone or {EVERY, REST} & set(versions):
        return Leaf(id_, side, side, otherwise=side, keys=of_node)
    return Leaf(id_, side if change.rows else "", side, versions, renamed=change.renamed, keys=of_node)


def _is_cast_to(term: Term, text: str) -> bool:
    """Whether a term is a cast to a type, so that another one to the same digits changes nothing."""
    if not isinstance(term, Op) or term.name != "Cast":
        return False
    to = [arg for arg in term.args if isinstance(arg, Op) and arg.name == "=to"]
    return [each.name for arg in to for each in arg.args if isinstance(each, Op)] == [f"type {text}"]


def rows_change(label: str) -> str:
    """The reason of a node that reads other rows."""
    return f"the rows of {label} change"


def _both(one: NodeChange | None, other: NodeChange | None) -> NodeChange | None:
    """What is in either of two changes of a node."""
    if one is None or other is None:
        return one or other
    columns = {
        name: tuple(dict.fromkeys([*one.columns.get(name, ()), *other.columns.get(name, ())]))
        for name in [*one.columns, *other.columns]
    }
    return NodeChange(
        one.node,
        columns,
        tuple(dict.fromkeys([*one.rows, *other.rows])),
        tuple(sorted({*one.added, *other.added})),
        tuple(sorted({*one.removed, *other.removed})),
        one.unknown or other.unknown,
        reordered=one.reordered or other.reordered,
    )


class _Side:
    """The mesh before, or after."""

    def __init__(self, name: str, nodes: Mapping[str, Mapping[str, Any]], lineage: Lineage) -> None:
        self.name, self.nodes, self.lineage = name, nodes, lineage
        self.queries: dict[tuple[str, str], exp.Query | str] = {}
        self.by_lower = {id_.lower(): id_ for id_ in nodes}

    def query(self, id_: str, sql: str = "") -> exp.Query | str:
        """The qualified query of a node, or why there is none. `sql` is another one than for a full build."""
        if (id_, sql) not in self.queries:
            try:
                self.queries[id_, sql] = qualified(self.nodes[id_], self.lineage.tables, sql)
            except UnreadableError as error:
                self.queries[id_, sql] = str(error)
        return self.queries[id_, sql]

    def columns(self, id_: str) -> set[str]:
        node = self.lineage.nodes.get(id_)
        return set(node.columns) if node else set()

    def dialect(self, id_: str) -> str:
        return self.lineage.tables.dialect_of(id_)


class _Comparison:
    """`own_sql` are the nodes that say something else themselves, or are on one side only."""

    def __init__(self, before: _Side, after: _Side, own_sql: AbstractSet[str], keys: Keys) -> None:
        self.before, self.after, self.own_sql, self.keys = before, after, own_sql, keys
        self.found: dict[str, NodeChange] = {}
        self.proved: dict[str, frozenset[frozenset[str]]] = {}
        self.done: set[str] = set()

    def changes(self) -> Changes:
        for id_ in self._order():
            if (change := self._compared(id_)) is not None:
                self.found[id_] = change
            self.done.add(id_)
        return Changes({id_: change for id_, change in self.found.items() if change.matters})

    def _order(self) -> Iterable[str]:
        """Parents before children; nodes that are gone come first."""

        def parents(side: _Side, id_: str) -> list[str]:
            return [each for each in (side.nodes[id_].get("depends_on") or {}).get("nodes") or () if each in side.nodes]

        gone = [id_ for id_ in self.before.nodes if id_ not in self.after.nodes]
        graph = {id_: [each for each in parents(self.after, id_) if each != id_] for id_ in self.after.nodes}
        try:
            return [*gone, *TopologicalSorter(graph).static_order()]
        except CycleError:
            return [*gone, *graph]

    def _compared(self, id_: str) -> NodeChange | None:
        if id_ not in self.after.nodes:
            return NodeChange(id_, removed=tuple(sorted(self.before.columns(id_))), gone=True)
        if id_ not in self.before.nodes:
            return NodeChange(id_, added=tuple(sorted(self.after.columns(id_))), new=True)
        node = self.after.nodes[id_]
        if id_ not in self.own_sql and not any(p in self.found or self._is_moved(p) for p in self._parents(id_)):
            return None
        if node["resource_type"] in ("seed", "source"):
            return self._leaf_changed(id_)
        if id_ in self.own_sql and self._settings(id_):
            return self._unknown(id_, f"its {' and '.join(self._settings(id_))} changed, which may decide its rows")
        if self.before.nodes[id_].get(BESIDE) != self.after.nodes[id_].get(BESIDE):
            return self._unknown(id_, "a macro that its hook or its materialization runs changed")
        if self.before.dialect(id_) != self.after.dialect(id_):
            return self._unknown(id_, "it is built by another engine")
        if is_python(self.before.nodes[id_]) or is_python(node):
            return self._of_python(id_)
        if reason := self._beside_its_sql(id_):
            return self._unknown(id_, reason)
        try:
            change = self._of_queries(id_, "", "", None)
            return self._of_increments(id_, change) if change is None or not change.unknown else change
        except (UnknownColumnError, LeftAsWrittenError) as error:
            return self._unknown(id_, f"it cannot be resolved: {error}")
        except RecursionError:
            return self._unknown(id_, "its SQL is nested too deeply")

    def _of_queries(self, id_: str, before: str, after: str, known: NodeChange | None) -> NodeChange | None:
        """What is different in the queries of a node, which may read themselves; `known` is what is known of that."""
        sides = ((self.before, before), (self.after, after))
        queries = [side.query(id_, sql) for side, sql in sides]
        for query in queries:
            if isinstance(query, str):
                return self._unknown(id_, query)
        texts = [self._texts(side, id_, text) for side, text in sides]
        if words := told_apart(texts[0], texts[1], self.after.dialect(id_)):
            return self._unknown(id_, f"it has {words}, which cannot be told apart")
        expand = id_ in self.own_sql
        views = [self._view(side, id_, sql, expand, frozenset({id_}), known) for side, sql in sides]
        change = self._differences(id_, *views)
        if change and change.columns and self.after.nodes[id_]["resource_type"] == "snapshot":
            return replace(change, rows=(*change.rows, "another value makes another version of a row"))
        return change

    def _texts(self, side: _Side, id_: str, sql: str = "", inside: frozenset[str] = frozenset()) -> str:
        """The SQL of a node, with that of the models that are read as if they were its CTEs."""
        node = side.nodes[id_]
        read = (node.get("depends_on") or {}).get("nodes") or () if id_ in self.own_sql else ()
        expanded = [each for each in read if each not in inside and self._is_expanded(side, each, True)]
        own = sql or str(node.get("compiled_code") or "")
        return "\n".join([own, *(self._texts(side, each, "", inside | {id_}) for each in expanded)])

    def _of_increments(self, id_: str, change: NodeChange | None) -> NodeChange | None:
        """Also what is different in the queries for increments, which add to the rows that were there."""
        nodes = [side.nodes[id_] for side in (self.before, self.after)]
        if not any(map(may_be_incremental, nodes)):
            return change
        increments = [str(node.get(INCREMENT) or node.get("compiled_code") or "") for node in nodes]
        if not all(INCREMENT in node for node in nodes) and nodes[0].get("raw_code") != nodes[1].get("raw_code"):
            return self._unknown(id_, "its SQL for an increment is not compiled, and its Jinja is another")
        while True:
            more = self._of_queries(id_, increments[0], increments[1], change)
            found = _both(change, more)
            if more is None or more.unknown or found == change:
                return found
            change = found

    def _beside_its_sql(self, id_: str) -> str:
        """Why a change reaches a node by another way than its SQL: a macro asked for rows, or dbt cuts batches."""
        for side in (self.before, self.after):
            node = side.lineage.nodes.get(id_)
            for influence in node.influences if node and not node.unknown else ():
                of_batches = influence.is_of_batches
                for each in influence.inputs if of_batches or influence.kind == "unread" else ():
                    change = self.found.get(each.node)
                    if change and (influence.kind == "unread" or change.changes(each.name)):
                        return f"{influence.expression}, and {self._label(each.node)} changes"
        return ""

    def _parents(self, id_: str) -> set[str]:
        return {
            each
            for side in (self.before, self.after)
            for each in (*((side.nodes[id_].get("depends_on") or {}).get("nodes") or ()), *self._reads(side, id_))
        }

    def _is_moved(self, id_: str) -> bool:
        """Whether the columns of a node have other places, which `union all` and `order by 1` after `*` count."""
        return self._places(self.before, id_) != self._places(self.after, id_)

    def _places(self, side: _Side, id_: str) -> list[str]:
        node = side.lineage.nodes.get(id_)
        return list(node.columns) if node else []

    def _reads(self, side: _Side, id_: str) -> tuple[str, ...]:
        node = side.lineage.nodes.get(id_)
        return node.reads if node else ()

    def _settings(self, id_: str) -> list[str]:
        """The settings that changed, unless they only say how a query's rows are stored."""
        before, after = (_deciding(side.nodes[id_]) for side in (self.before, self.after))
        changed = [name for name in sorted(CONFIG) if before.get(name) != after.get(name)]
        if _is_rebuilt(self.before.nodes[id_]) and _is_rebuilt(self.after.nodes[id_]):
            return [name for name in changed if name in OF_EVERY_QUERY]
        return changed

    def _unknown(self, id_: str, reason: str) -> NodeChange:
        added, removed = self._names(id_)
        return NodeChange(id_, added=added, removed=removed, unknown=reason)

    def _names(self, id_: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        before, after = self.before.columns(id_), self.after.columns(id_)
        return tuple(sorted(after - before)), tuple(sorted(before - after))

    def _leaf_changed(self, id_: str) -> NodeChange:
        before, after = ({**self_.nodes[id_], "columns": {}} for self_ in (self.before, self.after))
        if not _same(before, after):
            kind = after["resource_type"]
            what = "its rows are others" if kind == "seed" else "it is another table"
            return NodeChange(id_, rows=(what,), added=self._names(id_)[0], removed=self._names(id_)[1])
        types, news = (_types(side.nodes[id_]) for side in (self.before, self.after))
        other = {
            name: (f"its type is {news[name] or 'not declared'}, was {types[name] or 'not declared'}",)
            for name in sorted(types.keys() & news.keys())
            if types[name] != news[name]
        }
        added, removed = sorted(news.keys() - types.keys()), sorted(types.keys() - news.keys())
        return NodeChange(id_, columns=other, added=tuple(added), removed=tuple(removed))

    # Python

    def _of_python(self, id_: str) -> NodeChange | None:
        """What is different in a Python model. Its code is the same or another; the rest is what its YAML declares."""
        if reason := self._own_python(id_) or self._above_python(id_):
            return self._unknown(id_, reason)
        nodes = [side.lineage.nodes[id_] for side in (self.before, self.after)]
        read = sorted({parent for node in nodes for parent in node.reads})
        rows = [rows_change(self._label(each)) for each in read if self._has_other_rows(each)]
        deciding = dict.fromkeys(each for node in nodes for each in node.influencing if self._is_changed(each))
        rows += [f"its rows depend on {self._named(each)}, which changes" for each in deciding]
        columns = {name: self._changed_of_python(name, nodes) for name in nodes[1].columns}
        columns = {name: reasons for name, reasons in columns.items() if reasons}
        if columns and may_be_incremental(self.after.nodes[id_]):
            rows.append("it is incremental, and its earlier rows may decide the new ones")
        return NodeChange(id_, columns, tuple(rows)) if columns or rows else None

    def _own_python(self, id_: str) -> str:
        """Why it cannot be known what a change of the model itself means."""
        before, after = (side.nodes[id_] for side in (self.before, self.after))
        if not (is_python(before) and is_python(after)):
            return f"it {'is' if is_python(after) else 'was'} a Python model"
        if _code(before) != _code(after):
            return "its Python code is another"
        return "its code is Python, and its contract has other columns" if _types(before) != _types(after) else ""

    def _above_python(self, id_: str) -> str:
        """Why it cannot be known what a change of its parents means."""
        changing = sorted(each for each in self._parents(id_) if each in self.found or self._is_moved(each))
        unknown = [node.unknown for side in (self.before, self.after) if (node := side.lineage.nodes[id_]).unknown]
        if unknown and changing:
            return f"{unknown[0]}, and {self._label(changing[0])} changes"
        for each in changing:
            before, after = (self._places(side, each) for side in (self.before, self.after))
            if after and after[: len(before)] != before:
                return f"its code is Python, and {self._label(each)} has its columns in other places"
        return self._beside_its_sql(id_)

    def _changed_of_python(self, name: str, nodes: Iterable[NodeLineage]) -> tuple[str, ...]:
        inputs = [each for node in nodes if (found := node.column(name)) for each in found.inputs]
        return tuple(
            f"it reads {self._named(each)}, which changes" for each in dict.fromkeys(inputs) if self._is_changed(each)
        )

    def _is_changed(self, column: Column) -> bool:
        """Whether a column that a Python model declares can have other values, or is new or gone."""
        change = self.found.get(column.node)
        if change is None or not change.matters:
            return False
        named = {*change.columns, *change.added, *change.removed}
        return change.changes(column.name) or column.name in named or bool({EVERY, REST} & {column.name, *named})

    def _has_other_rows(self, id_: str) -> bool:
        change = self.found.get(id_)
        return change is not None and bool(change.rows or change.unknown or change.new or change.gone)

    def _named(self, column: Column) -> str:
        return f"{self._label(column.node)}.{'any column' if column.name == EVERY else column.name}"

    # Views

    def _view(
        self, side: _Side, id_: str, sql: str, expand: bool, inside: frozenset[str], own: NodeChange | None
    ) -> View:
        query = side.query(id_, sql)
        assert isinstance(query, exp.Query)

        def of_table(name: str) -> Relation | View:
            read = side.by_lower.get(name.lower(), name)
            if read == id_:
                return _leaf(read, own, side.name)
            if read in inside or not self._is_expanded(side, read, expand):
                return self._leaf(side, read)
            return self._rounded(side, read, self._view(side, read, "", True, inside | {read}, None))

        return Reader(of_table, side.dialect(id_)).read(query)

    def _rounded(self, side: _Side, id_: str, view: View) -> View:
        """The view of a model as its contract stores it."""
        for name, digits in self._digits(side, id_).items():
            text = f"decimal({digits[0]}, {digits[1]})"
            term = view.columns.get(name)
            if term is not None and not _is_cast_to(term, text):
                view.columns[name] = Op(f"rounded to {text}", (term,))
        return view

    def _digits(self, side: _Side, id_: str) -> dict[str, tuple[int, int]]:
        """The digits to which a contract rounds its decimals. A view only names them."""
        node = side.nodes[id_]
        if not has_contract(node) or (node.get("config") or {}).get("materialized") in ("view", "ephemeral"):
            return {}
        types = {name: data_type(text, side.dialect(id_)) for name, text in declared(node).items()}
        digits = {
            name: [int(each.name) for each in type_.expressions if each.name.isdecimal()]
            for name, type_ in types.items()
            if type_.this is exp.DType.DECIMAL
        }
        return {name: ([*found, 0, 0][0], [*found, 0, 0][1]) for name, found in digits.items()}

    def _is_expanded(self, side: _Side, id_: str, expand: bool) -> bool:
        if (
            not expand
            or id_ not in side.nodes
            or id_ not in self.own_sql
            or (id_ in self.done and id_ not in self.found)
        ):
            return False
        is_known = id_ not in self.found or not self.found[id_].unknown
        return is_known and _is_rebuilt(side.nodes[id_]) and not isinstance(side.query(id_), str)

    def _leaf(self, side: _Side, id_: str) -> Leaf:
        tables = side.lineage.tables
        listed = frozenset(tables.columns[id_]) if tables.lists_all(id_) else None
        return replace(self._leaf_with_keys(side, id_), columns=listed)

    def _leaf_with_keys(self, side: _Side, id_: str) -> Leaf:
        if id_ in self.found or id_ in self.done or (id_ not in self.before.nodes and id_ not in self.after.nodes):
            return _leaf(id_, self.found.get(id_), side.name, partial(self._keys_of, id_))
        return Leaf(id_, side.name, side.name, otherwise=side.name)

    def _keys_of(self, id_: str) -> frozenset[frozenset[str]]:
        """The columns without duplicates of a node that has not changed itself: the SQL or the checks prove them."""
        if id_ not in self.proved:
            self.proved[id_] = frozenset()
            sides = [side for side in (self.before, self.after) if id_ in side.nodes]
            of_sides = [self._proved(side, id_) for side in sides] if id_ not in self.own_sql else []
            of_sql = frozenset[frozenset[str]]().union(*of_sides).intersection(*of_sides)
            self.proved[id_] = of_sql | self.keys.get(id_, frozenset())
        return self.proved[id_]

    def _proved(self, side: _Side, id_: str) -> frozenset[frozenset[str]]:
        node = side.nodes[id_]
        if not _is_rebuilt(node) or isinstance(side.query(id_), str):
            return frozenset()
        cut = {name for name, type_ in declared(node).items() if "(" in type_}
        try:
            view = self._view(side, id_, "", False, frozenset({id_}), None)
            return frozenset(key for key in unique_columns(view) if not key & cut)
        except (UnknownColumnError, LeftAsWrittenError, RecursionError):
            return frozenset()

    def _differences(self, id_: str, before: View, after: View) -> NodeChange | None:
        labels = Labels()
        rows = before.rows(labels, False) != after.rows(labels, False)
        common = [name for name in after.columns if name in before.columns]
        other = [name for name in common if before.column(name, labels, False) != after.column(name, labels, False)]
        added = tuple(name for name in after.columns if name not in before.columns)
        removed = tuple(name for name in before.columns if name not in after.columns)
        reordered = before.rows(labels, True) != after.rows(labels, True)
        rounded = [name for name in common if name not in other and self._is_rounded(id_, name)]
        if not (rounded or rows or other or added or removed or reordered):
            return None
        reasons = {name: self._why_column(id_, name) for name in other}
        reasons |= dict.fromkeys(rounded, ("the contract rounds it to other digits",))
        why = self._why_rows(id_) if rows else ()
        renamed = [] if rows else self._renamed(id_, other, before, after)
        return NodeChange(id_, reasons, why, added, removed, reordered=reordered, renamed=frozenset(renamed))

    def _renamed(self, id_: str, columns: Iterable[str], before: View, after: View) -> list[str]:
        """Of changed columns those whose values are others one to one, if they are stored as they are computed."""
        nodes = [side.nodes[id_] for side in (self.before, self.after)]
        if not all(map(_is_rebuilt, nodes)):
            return []
        cut = {name for node in nodes for name, type_ in declared(node).items() if "(" in type_}
        labels = Labels()
        return [
            name
            for name in columns
            if name not in cut and before.apart(name, labels, False) == after.apart(name, labels, False)
        ]

    def _is_rounded(self, id_: str, name: str) -> bool:
        """Whether the contract has other digits, or fewer. dbt casts to its decimals whatever digits the query has."""
        before, after = (self._digits(side, id_).get(name) for side in (self.before, self.after))
        if before and after:
            return before[1] != after[1] or after[0] < before[0]
        return before != after

    # Reasons

    def _why_column(self, id_: str, name: str) -> tuple[str, ...]:
        before, after = (side.lineage.nodes[id_].column(name) for side in (self.before, self.after))
        found = []
        if before and after and before.expression != after.expression:
            found.append(f"its expression is another: `{after.expression}`, was `{before.expression}`")
        found += self._changed_inputs(after.inputs if after else ())
        return tuple(found) or ("it cannot be shown that its values stay the same",)

    def _changed_inputs(self, inputs: Iterable[Column]) -> list[str]:
        return [
            f"it reads {self._label(each.node)}.{each.name}, which changes"
            for each in inputs
            if each.node in self.found and self.found[each.node].changes(each.name)
        ]

    def _why_rows(self, id_: str) -> tuple[str, ...]:
        before, after = (side.lineage.nodes[id_] for side in (self.before, self.after))
        olds, news = ({(each.kind, each.expression) for each in node.influences} for node in (before, after))
        found = [f"{kind} `{text}` is new" for kind, text in sorted(news - olds)]
        found += [f"{kind} `{text}` is gone" for kind, text in sorted(olds - news)]
        for read in after.reads:
            if read in self.found and (self.found[read].rows or self.found[read].unknown):
                found.append(rows_change(self._label(read)))
        found += [
            f"its rows depend on {self._label(each.node)}.{each.name}, which changes"
            for each in after.influencing
            if each.node in self.found and each.name in self.found[each.node].columns
        ]
        return tuple(dict.fromkeys(found)) or ("it cannot be shown that its rows stay the same",)

    def _label(self, id_: str) -> str:
        node = self.after.nodes.get(id_) or self.before.nodes.get(id_)
        return label_of(node) if node else id_
