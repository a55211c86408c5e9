"""Production in a DuckDB file, and the lake folder that its landed() reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from portmesh.errors import FindingsError, UsageError
from portmesh.lake.batches import BatchName
from portmesh.lake.folder import FolderLake
from portmesh.lake.lake import DATA, Damage
from portmesh.sampling.choosing import Facts
from portmesh.sampling.wanted import Wanted
from portmesh.text import quoted, text_literal

ATTACHED = "production"


class FileOrigin:
    """Tables and views of a DuckDB file, which is opened for reading only, and batches of its lake folder."""

    price_per_gib = 0.0

    def __init__(self, file: Path, memory: duckdb.DuckDBPyConnection) -> None:
        self.file = file.resolve()
        self._memory = memory
        try:
            memory.execute(f"attach {text_literal(self.file)} as {ATTACHED} (read_only)")
        except duckdb.Error as error:
            in_use = "Could not set lock" in str(error)
            raise UsageError(
                "Production's database file cannot be read, so nothing was sampled.",
                [("where", str(self.file)), ("got", str(error).strip().splitlines()[0])],
                "wait until the other process has ended, then run this again"
                if in_use
                else "name production's DuckDB file, or its target: --from emr, or --from athena",
            ) from error

    @property
    def location(self) -> str:
        return str(self.file)

    def facts(self, table: Wanted) -> Facts | None:
        if table.feed:
            return self._facts_of_feed(table)
        columns = self._rows(
            "select column_name, data_type from duckdb_columns() "
            f"where database_name = '{ATTACHED}' and schema_name = ? and table_name = ? order by column_index",
            table.schema,
            table.table,
        )
        if not columns:
            return None
        bases = [(table.schema, table.table)]
        if view := self._view(table.schema, table.table):
            names = duckdb.get_table_names(re.split(r"\bAS\b", view, maxsplit=1)[1], qualified=True)
            bases = [(parts[-2], parts[-1]) for parts in (name.split(".") for name in names) if len(parts) > 1]
        sizes = [self._size(*base) for base in bases]
        rows = sum(size[0] for size in sizes if size) if sizes and all(sizes) else None
        return Facts({name: kind for name, kind, *_ in columns}, rows, sum(size[1] for size in sizes if size))

    @contextmanager
    def opened(self, table: Wanted, memory: duckdb.DuckDBPyConnection) -> Iterator[str]:  # noqa: ARG002
        if not table.feed:
            yield f"{ATTACHED}.{quoted(table.schema)}.{quoted(table.table)}"
            return
        lake = self._lake()
        for batch, found in lake.inspect_feed(table.feed) if lake else ():
            if isinstance(found, Damage):
                facts = [("where", found.where), ("got", found.got), ("allowed", found.allowed)]
                raise FindingsError(f"{batch} in production's lake is damaged, so nothing was sampled.", facts)
        yield self._feed_sql(table.feed)

    @property
    def lake_folder(self) -> Path | None:
        """The folder that landed() of the file reads. None if the file has no landed()."""
        found = self._rows(
            "select macro_definition from duckdb_functions() "
            f"where database_name = '{ATTACHED}' and function_name = 'landed'"
        )
        named = re.search(r"'((?:[^']|'')+)/'\s*\|\|\s*\"?feed\"?", found[0][0]) if found else None
        return Path(named[1].replace("''", "'")) if named else None

    def _lake(self) -> FolderLake | None:
        folder = self.lake_folder
        return FolderLake(folder) if folder else None

    def _feed_sql(self, feed: str) -> str:
        lake = self._lake()
        files = [str(lake.path(batch) / DATA) for batch in lake.batches(feed)] if lake else []
        return f"read_parquet([{', '.join(map(text_literal, files))}], union_by_name = true, hive_partitioning = false)"

    def _facts_of_feed(self, table: Wanted) -> Facts | None:
        lake = self._lake()
        batches: list[BatchName] = lake.batches(table.feed) if lake else []
        if not lake or not batches:
            return None
        try:
            manifests = [lake.read_manifest(batch) for batch in batches]
            columns = self._rows(f"describe select * from {self._feed_sql(table.feed)}")
        except (OSError, ValueError, duckdb.Error) as error:
            raise FindingsError(
                f"A batch of {table.feed} in production's lake is damaged, so nothing was sampled.",
                [("where", f"{lake.location}/{table.feed}"), ("got", str(error).splitlines()[0])],
            ) from error
        rows, size = sum(found.rows for found in manifests), sum(found.bytes for found in manifests)
        return Facts({name: kind for name, kind, *_ in columns}, rows, size)

    def _view(self, schema: str, name: str) -> str:
        found = self._rows(
            f"select sql from duckdb_views() where database_name = '{ATTACHED}' and schema_name = ? and view_name = ?",
            schema,
            name,
        )
        return str(found[0][0]) if found else ""

    def _size(self, schema: str, table: str) -> tuple[int, int] | None:
        """The rows of a stored table and the bytes of its blocks; None if it is not a stored table."""
        found = self._rows(
            "select estimated_size from duckdb_tables() "
            f"where database_name = '{ATTACHED}' and schema_name = ? and table_name = ?",
            schema,
            table,
        )
        if not found:
            return None
        name = text_literal(f"{ATTACHED}.{quoted(schema)}.{quoted(table)}")
        blocks = self._rows(
            "select count(distinct block_id) * (select any_value(block_size) from pragma_database_size()) "
            f"from pragma_storage_info({name}) where persistent"
        )
        return int(found[0][0]), int(blocks[0][0] or 0)

    def _rows(self, sql: str, *values: str) -> list[tuple[str, ...]]:
        return self._memory.cursor().execute(sql, values).fetchall()
