"""How a model's code gets its tables, and how SQL gets its rows: on this machine, and in the cluster."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from dbt.adapters.base.impl import BaseAdapter
from dbt.contracts.graph.nodes import ModelNode
from dbt.flags import get_flags
from dbt_common.exceptions import DbtBaseException
from dbt_common.invocation import get_invocation_id

from portmesh.text import quoted, text_literal

AS_SPARK_READS_IT = {
    "HUGEINT": "decimal(38, 0)",
    "UHUGEINT": "decimal(38, 0)",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    **dict.fromkeys(("BIT", "BIGNUM", "INTERVAL", "TIME", "TIME_NS", "TIME WITH TIME ZONE", "UUID"), "varchar"),
}
"""The types of DuckDB that Spark does not read from Parquet, or that DuckDB does not write there exactly."""
OF_THE_SESSION = "set:hiveconf:"
"""The beginning of a key in the profile that is a setting of Spark."""


def is_empty_run() -> bool:
    """Whether dbt was called with --empty."""
    return bool(get_flags().EMPTY)  # type: ignore[no-untyped-call]


class Here:
    """Tables and rows are Parquet files, between DuckDB and a Spark on this machine."""

    engine: ClassVar = "local"
    server = ""

    def __init__(self, model: ModelNode, adapter: BaseAdapter) -> None:
        self._model, self._adapter = model, adapter
        self._folder = Path()

    @property
    def settings(self) -> Mapping[str, str]:
        """Spark's settings in PORTMESH_PYSPARK_SETTINGS: KEY=VALUE, separated by blanks."""
        words = os.environ.get("PORTMESH_PYSPARK_SETTINGS", "").split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def open(self, folder: Path) -> str:
        """Where the code's rows go, inside the process's own folder."""
        self._folder = folder / sha256(os.urandom(16)).hexdigest()[:16]
        self._folder.mkdir()
        return str(self._folder / "rows")

    def read(self, table: str) -> Path | None:
        """Write a table's rows to a file. None if it is the model's own table and does not exist yet."""
        model = self._model
        is_own = table == model.relation_name
        if is_own and not self._adapter.get_relation(str(model.database), model.schema, model.alias):
            return None
        file = self._folder / f"{sha256(table.encode()).hexdigest()[:16]}.parquet"
        if not file.exists():
            _, described = self._adapter.execute(f"describe select * from {table}", fetch=True)
            columns = ", ".join(_as_spark_reads_it(row[0], row[1]) for row in described.rows)
            limit = " limit 0" if is_empty_run() else ""
            rows = f"select {columns} from {table}{limit}"
            self._adapter.execute(f"copy ({rows}) to {text_literal(file)} (format parquet)")
        return file

    def sql(self, into: str) -> str:
        """The SQL that reads the rows."""
        return f"select * from read_parquet({text_literal(Path(into) / '*.parquet')}, hive_partitioning = false)"

    def close(self) -> None:
        """Remove the files."""
        if self._folder.parts:
            shutil.rmtree(self._folder, ignore_errors=True)


class Cluster:
    """The code's session is in the Thrift server's own application, whose sessions all see its global views."""

    engine: ClassVar = "remote"

    def __init__(self, model: ModelNode, adapter: BaseAdapter) -> None:
        self._adapter, credentials = adapter, adapter.config.credentials
        self.server = os.environ.get("PORTMESH_SPARK_CONNECT") or f"sc://{credentials.host}:15002"
        given = (credentials.server_side_parameters or {}).items()
        self.settings: Mapping[str, str] = {
            key.removeprefix(OF_THE_SESSION): str(value) for key, value in given if key.startswith(OF_THE_SESSION)
        }
        self._view = "portmesh_" + sha256(f"{get_invocation_id()} {model.unique_id}".encode()).hexdigest()[:24]
        self._is_open = False

    def open(self, _: Path) -> str:
        """The name of the view that the code's rows become."""
        self._is_open = True
        return self._view

    def read(self, table: str) -> None:
        """The code reads tables itself."""
        raise AssertionError(table)

    def sql(self, into: str) -> str:
        """The SQL that reads the rows."""
        return f"select * from global_temp.{into}"

    def close(self) -> None:
        """Drop the view. If that fails, the run's own error is on its way, or the application has ended."""
        with contextlib.suppress(DbtBaseException):
            if self._is_open:
                self._adapter.execute(f"drop view if exists global_temp.{self._view}")


KINDS: Mapping[str, Callable[[ModelNode, BaseAdapter], Here | Cluster]] = {"duckdb": Here, "spark": Cluster}
"""By dbt's name of the engine."""


def _as_spark_reads_it(name: str, kind: str) -> str:
    column = quoted(name)
    return f"cast({column} as {AS_SPARK_READS_IT[kind]}) as {column}" if kind in AS_SPARK_READS_IT else column
