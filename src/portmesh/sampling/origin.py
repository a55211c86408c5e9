"""Where a sample comes from: production's tables, as DuckDB in this process reads them. No engine runs for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import duckdb

from portmesh.errors import FindingsError, UsageError, not_allowed
from portmesh.sampling.choosing import Facts
from portmesh.sampling.wanted import Wanted

TARGETS = ("emr", "athena")


class Origin(Protocol):
    """Production's tables."""

    @property
    def location(self) -> str:
        """Where they are, for messages."""

    @property
    def price_per_gib(self) -> float:
        """What it costs at most to read a GiB, in US dollars."""

    def facts(self, table: Wanted) -> Facts | None:
        """What the catalog says about a table, without reading rows. None if there is no such table."""

    def opened(self, table: Wanted, memory: duckdb.DuckDBPyConnection) -> AbstractContextManager[str]:
        """The table as SQL for a from clause of this connection."""


def open_origin(name: str, memory: duckdb.DuckDBPyConnection) -> Origin:
    """Production behind emr or athena, which is the Glue catalog, or in a DuckDB file.

    Raises UsageError if there is no such target or file, or if the file cannot be read.
    """
    if name in TARGETS:
        # Imported here because the AWS packages take a second to load and a DuckDB file does not need them.
        from portmesh.lake.targets import aws_region
        from portmesh.sampling.glue_origin import GlueOrigin

        return GlueOrigin(aws_region())
    from portmesh.sampling.file_origin import FileOrigin

    file = Path(name).expanduser()
    if name == "local":
        raise UsageError(
            "The target local is where a sample goes, so it cannot come from there.",
            [("got", "--from local"), ("allowed", "emr, athena, or production's DuckDB file")],
        )
    if not file.exists() and not file.suffix and len(file.parts) == 1:
        raise not_allowed("target or DuckDB file", name, TARGETS, "emr, athena, or production's DuckDB file")
    return FileOrigin(file, memory)


@contextmanager
def no_raw_rows_on_disk() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory that reads production. It writes nothing to disk, not even when memory gets short."""
    with duckdb.connect(":memory:") as memory:
        memory.execute("set temp_directory = ''; set TimeZone = 'UTC'; set preserve_insertion_order = false")
        # The text of a key is the same whichever type it has in a table: 42, 42.0, '42' and '0042'.
        memory.execute(
            "create macro key_text(value) as "
            r"regexp_replace(regexp_replace(value::varchar, '\.0+$', ''), '^0+([0-9]+)$', '\1')"
        )
        yield memory


def not_there(missing: list[Wanted], origin: Origin) -> FindingsError:
    """An error for tables that production does not have."""
    names = "\n".join(f"{table.label} ({table.schema}.{table.table})" for table in missing)
    return FindingsError(
        "Production does not have all tables that the domain reads, so nothing was sampled.",
        [("where", origin.location), ("missing", names)],
        "build or land them in production first, or name another production: --from",
    )
