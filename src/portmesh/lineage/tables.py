"""Which node a relation's name in SQL means, and what is known of each node's columns."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

DIALECTS = {"duckdb": "duckdb", "spark": "spark", "athena": "athena"}
"""sqlglot's dialect for each of dbt's adapters."""
FOREIGN = "relation."
"""What the id of a relation begins with that is no node of the manifest."""
QUOTED = re.compile(r"""("\w+"|`\w+`)(\.("\w+"|`\w+`))*""")
"""A table's name as dbt writes almost all of them. Parsing 1,000 of them takes a second."""
EPHEMERAL = "__dbt__cte__"
"""What dbt puts before the name of an ephemeral model in the SQL that reads it."""


@dataclass
class Tables:
    """The relations of a manifest.

    `columns` has the columns of nodes and sources by id, with their types (empty if not known), in the table's order.
    The ids in `unlisted` have, or may have, more columns than these. `dialects` are the engines' of nodes that differ
    from the manifest's, `dialect`.
    """

    dialect: str
    dialects: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    relations: dict[str, str] = field(default_factory=dict)
    event_times: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    _by_name: dict[tuple[str, ...], list[str]] = field(default_factory=lambda: defaultdict(list))
    _by_sql: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def add(self, id_: str, label: str, relation: str, columns: Mapping[str, str], unlisted: bool) -> None:
        """Add a node or source. `relation` is its name in SQL, which is empty if it has none."""
        self.labels[id_] = label
        self._ids[id_.lower()] = id_
        self.columns[id_] = dict(columns)
        if unlisted:
            self.unlisted.add(id_)
        self.relations[id_] = relation
        name = _read_name(relation, self.dialect_of(id_)) if relation else ()
        if isinstance(name, str):
            self._by_sql[name] = id_
            return
        for start in range(len(name)):
            self._by_name[name[start:]].append(id_)

    def find(self, table: exp.Table, parents: Iterable[str] = ()) -> str:
        """The id of the node or source that a table of a query is; else `relation.<name>`.

        A name without database or schema may mean several nodes; then the one among `parents` is taken.
        """
        if not isinstance(table.this, exp.Identifier):
            text = _as_text(table.this)
            return self._by_sql.get(text, f"{FOREIGN}{text.lower()}")
        parts = _parts(table)
        # Spark does not name the catalog in which Athena finds the same table.
        found = self._by_name.get(parts) or [
            id_ for id_ in self._by_name.get(parts[-2:], ()) if self.dialect_of(id_) == "spark"
        ]
        of_parents = [id_ for id_ in found if id_ in set(parents)]
        return next(iter(of_parents or found), f"{FOREIGN}{'.'.join(parts)}")

    def dialect_of(self, id_: str) -> str:
        """sqlglot's dialect for the SQL of a node."""
        return self.dialects.get(id_, self.dialect)

    def id_of(self, name: str) -> str:
        """The id that a qualified query writes in lower case; the name itself if it is no node."""
        return self._ids.get(name, name)

    def label(self, id_: str) -> str:
        """How people call a node: `orders.order_lines`, `tills.transactions`."""
        return self.labels.get(id_, id_.removeprefix(FOREIGN))

    def fingerprint(self, id_: str) -> str:
        """Changes when the name or the columns of a node change, or when a relation becomes a node."""
        if id_ not in self.columns:
            name = tuple(id_.removeprefix(FOREIGN).split("."))
            return str(self._by_name.get(name, ""))
        facts = [self.relations.get(id_), self.labels[id_], self.columns[id_], id_ in self.unlisted]
        return hashlib.sha256(json.dumps([*facts, self.event_times.get(id_)]).encode()).hexdigest()[:24]

    def lists_all(self, id_: str) -> bool:
        """Whether all columns of a node or relation are known."""
        return id_ in self.columns and id_ not in self.unlisted


def _read_name(relation: str, dialect: str) -> tuple[str, ...] | str:
    """The parts of a table's name, or the text of a function in its place; empty if it is neither."""
    if QUOTED.fullmatch(relation):
        return tuple(part[1:-1].lower() for part in relation.split("."))
    try:
        table = parse_one(f"select * from {relation}", dialect=dialect).find(exp.Table)
    except SqlglotError:
        return ()
    if table is None:
        return ()
    return _parts(table) if isinstance(table.this, exp.Identifier) else _as_text(table.this)


def _parts(table: exp.Table) -> tuple[str, ...]:
    return tuple(part.name.lower() for part in table.parts)


def _as_text(function: exp.Expr) -> str:
    return str(function.sql(comments=False))


def read_tables(manifest: Mapping[str, Any]) -> Tables:
    """The tables of a manifest (schema v12), with the columns that YAML declares.

    Only an enforced contract lists all of them. `read_lineage` adds what the SQL of the models selects.
    """
    tables = Tables(DIALECTS.get(manifest["metadata"].get("adapter_type") or "", "duckdb"))
    for id_, node in {**manifest.get("nodes", {}), **manifest.get("sources", {})}.items():
        if node.get("adapter_type"):
            tables.dialects[id_] = DIALECTS.get(node["adapter_type"], tables.dialect)
        if node["resource_type"] in ("model", "seed", "snapshot", "source"):
            relation = node.get("relation_name") or ""
            tables.event_times[id_] = str((node.get("config") or {}).get("event_time") or "").lower()
            tables.add(id_, label_of(node), relation, declared(node), unlisted=not has_contract(node))
    return tables


def label_of(node: Mapping[str, Any]) -> str:
    if node["resource_type"] == "source":
        return f"{node['source_name']}.{node['name']}"
    version = f".v{node['version']}" if node.get("version") else ""
    return f"{node['package_name']}.{node['name']}{version}"


def declared(node: Mapping[str, Any]) -> dict[str, str]:
    """The columns that YAML declares, with their types."""
    columns = (node.get("columns") or {}).values()
    of_seed = (node.get("config") or {}).get("column_types") or {}
    found = {str(name).lower(): str(type_) for name, type_ in of_seed.items()}
    return {**found, **{str(c["name"]).lower(): str(c.get("data_type") or "") for c in columns}}


def has_contract(node: Mapping[str, Any]) -> bool:
    return bool(((node.get("config") or {}).get("contract") or {}).get("enforced"))


def dialect_of(node: Mapping[str, Any]) -> str:
    """sqlglot's name for the SQL of a state's node."""
    return DIALECTS.get(str(node.get("adapter_type") or ""), "duckdb")
