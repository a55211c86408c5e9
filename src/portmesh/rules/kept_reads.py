"""What SQL reads, kept in a file, because parsing is most of what a check costs and most SQL stays as it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from portmesh.lineage.cache import SQLGLOT
from portmesh.rules.reading_sql import SqlReads, read_sql

VERSION = f"1 {SQLGLOT}"
"""Another version of the parser, or of what is kept, reads everything anew."""


class KeptReads:
    """Reads SQL, and remembers it until `save`. Without a file, it remembers only what this process read."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._old = _load(file)
        self._used: dict[str, SqlReads] = {}

    def query(
        self, sql: str, dialect: str, without: frozenset[str] = frozenset(), only_queries: bool = True
    ) -> SqlReads:
        """The same as `read_sql`."""
        what = json.dumps([sql, dialect, sorted(without), only_queries])
        key = hashlib.sha256(what.encode()).hexdigest()
        if key not in self._used:
            kept = self._old.get(key)
            self._used[key] = _from_json(kept) if kept else read_sql(sql, dialect, without, only_queries)
        return self._used[key]

    def expression(self, sql: str, dialect: str) -> SqlReads:
        """What the queries inside an expression read, such as `amount in (select …)`."""
        found = self.query(f"select 1 where ({sql})", dialect)
        return self.query(f"select {sql}", dialect) if found.problem else found

    def save(self) -> None:
        """Write what was read this time, and forget the rest."""
        if self._file and self._used.keys() != self._old.keys():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            kept = {key: asdict(reads) for key, reads in self._used.items()}
            written = self._file.with_suffix(".new")
            written.write_text(json.dumps({"version": VERSION, "reads": kept}), encoding="utf-8")
            written.replace(self._file)


def _load(file: Path | None) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file and file.is_file() else {}
    except ValueError:
        return {}
    return found["reads"] if found.get("version") == VERSION else {}


def _from_json(kept: dict[str, Any]) -> SqlReads:
    return SqlReads(
        tables=tuple(tuple(name) for name in kept["tables"]),
        calls=tuple(kept["calls"]),
        stars=tuple((tuple(name), how) for name, how in kept["stars"]),
        problem=kept["problem"],
    )
