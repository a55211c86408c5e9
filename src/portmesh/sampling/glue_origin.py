"""Production in the Glue catalog: Iceberg tables, whose files are read from S3 by this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from pyiceberg.exceptions import NoSuchIcebergTableError, NoSuchTableError
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from portmesh.aws import aws_errors_explained
from portmesh.errors import FindingsError
from portmesh.lake.glue import DATABASE, open_catalog
from portmesh.sampling.choosing import Facts
from portmesh.sampling.wanted import Wanted


class GlueOrigin:
    """Iceberg tables of a region. A file is read as a whole, then the next one."""

    # What S3 charges for the first 10 TB a month that leave AWS (https://aws.amazon.com/s3/pricing/, November 2026).
    # Inside the region it is free. Requests are 0.0004 USD per thousand.
    price_per_gib = 0.09

    def __init__(self, region: str) -> None:
        self.location = f"Glue and S3, region {region}"
        self._catalog = open_catalog(region)

    def facts(self, table: Wanted) -> Facts | None:
        with self._explained(table):
            found = self._find(table)
            if found is None:
                return None
            empty = schema_to_pyarrow(found.schema(), include_field_ids=False).empty_table()  # noqa: F841 - DuckDB reads it
            columns = duckdb.connect(":memory:").execute("describe select * from empty").fetchall()
            snapshot = found.current_snapshot()
            numbers = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
        return Facts(
            {name: kind for name, kind, *_ in columns},
            int(numbers.get("total-records", 0)),
            int(numbers.get("total-files-size", 0)),
        )

    @contextmanager
    def opened(self, table: Wanted, memory: duckdb.DuckDBPyConnection) -> Iterator[str]:
        with self._explained(table):
            found = self._find(table)
            assert found is not None
            memory.register("rows_in_glue", found.scan().to_arrow_batch_reader())
        yield "rows_in_glue"

    def _find(self, table: Wanted) -> Table | None:
        name = (DATABASE, table.feed) if table.feed else (table.schema, table.table)
        try:
            return self._catalog.load_table(name)
        except NoSuchIcebergTableError as error:
            raise FindingsError(
                f"{table.label} is not an Iceberg table in production, so nothing was sampled.",
                [("where", self.location), ("got", str(error)), ("allowed", "an Iceberg table")],
                "ask its owner for an Iceberg table, or land its files: portmesh land",
            ) from error
        except NoSuchTableError:
            return None

    @contextmanager
    def _explained(self, table: Wanted) -> Iterator[None]:
        with aws_errors_explained([("table", f"{table.schema}.{table.table}"), ("where", self.location)]):
            yield
