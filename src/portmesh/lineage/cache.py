"""Keeps lineage in a file. What a node's lineage was read from is its key, so an entry is never out of date."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

from portmesh.lineage.lineage import Column, ColumnLineage, Influence, NodeLineage
from portmesh.lineage.sql_of_node import INCREMENT
from portmesh.lineage.tables import Tables
from portmesh.repository import find_root, target_folder

SQLGLOT = version("sqlglot")
"""Another version of the parser reads everything anew."""
VERSION = 7
"""To be raised when the same SQL gets another lineage."""
READ_OF_A_NODE = (
    "unique_id", "language", "resource_type", "compiled_code", INCREMENT, "raw_code", "extra_ctes", "columns", "config",
)  # fmt: skip
"""What the lineage of a node is read from."""
KEPT_RUNS = 50
"""An entry that so many runs did not need is removed."""


def cache_file() -> Path:
    """The file in which this repository keeps its lineage; it need not exist."""
    return target_folder(find_root()) / "portmesh" / "lineage.sqlite"


class Cache:
    """A file with lineage, for the time of one reading. Without a file, or if it is not readable, it keeps nothing."""

    def __init__(self, file: Path | None) -> None:
        self.connection: sqlite3.Connection | None = None
        self.run = 0
        self.new: dict[str, str] = {}
        self.used: list[str] = []
        self.found: dict[str, str] = {}
        if file is not None:
            with suppress(OSError, sqlite3.Error):
                self._open(file)

    def _open(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=10)
        try:
            connection.execute("create table if not exists nodes (key text primary key, lineage text, run integer)")
            self.run = connection.execute("select coalesce(max(run), 0) + 1 from nodes").fetchone()[0]
            self.found = dict(connection.execute("select key, lineage from nodes").fetchall())
        except sqlite3.DatabaseError:
            # Not a database, or half of one: it is made again the next time.
            connection.close()
            file.unlink(missing_ok=True)
            return
        self.connection = connection

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.connection is None:
            return
        with suppress(sqlite3.Error), self.connection as writing:
            writing.executemany("update nodes set run = ? where key = ?", [(self.run, key) for key in self.used])
            rows = [(key, text, self.run) for key, text in self.new.items()]
            writing.executemany("insert or replace into nodes values (?, ?, ?)", rows)
            writing.execute("delete from nodes where run < ?", [self.run - KEPT_RUNS])
        self.connection.close()

    def key(self, node: Mapping[str, Any], parents: Iterable[str], tables: Tables) -> str:
        """What decides a node's lineage: its SQL and configuration, and the names and columns of its parents."""
        of_node = [node.get(name) for name in READ_OF_A_NODE]
        macros = (node.get("depends_on") or {}).get("macros")
        of_parents = [tables.fingerprint(id_) for id_ in sorted(parents)]
        facts = [VERSION, SQLGLOT, tables.dialect_of(node["unique_id"]), of_node, macros, of_parents]
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()

    def get(self, key: str, id_: str, tables: Tables) -> NodeLineage | None:
        """The lineage that is kept under a key, or None."""
        if key not in self.found:
            return None
        kept = json.loads(self.found[key])
        if kept["others"] != {name: tables.fingerprint(name) for name in kept["others"]}:
            return None
        self.used.append(key)
        return NodeLineage(
            id_,
            {n: ColumnLineage(_columns(inputs), text, type_) for n, (inputs, text, type_) in kept["columns"].items()},
            tuple(Influence(kind, text, _columns(inputs)) for kind, text, inputs in kept["influences"]),
            kept["unknown"],
            tuple(kept["reads"]),
        )

    def put(self, key: str, found: NodeLineage, tables: Tables) -> NodeLineage:
        """Keep a node's lineage, which is also returned."""
        if self.connection is not None:
            kept = {
                "columns": {
                    name: ([(c.node, c.name) for c in each.inputs], each.expression, each.type)
                    for name, each in found.columns.items()
                },
                "influences": [
                    (each.kind, each.expression, [(c.node, c.name) for c in each.inputs]) for each in found.influences
                ],
                "unknown": found.unknown,
                "reads": found.reads,
                # What SQL reads without a ref(): a node that is no parent, or a relation that is no node.
                "others": {name: tables.fingerprint(name) for name in found.reads},
            }
            self.new[key] = json.dumps(kept)
        return found


def _columns(pairs: list[list[str]]) -> tuple[Column, ...]:
    return tuple(Column(node, name) for node, name in pairs)
