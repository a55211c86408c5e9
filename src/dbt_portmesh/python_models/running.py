"""Runs the code of one Python model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dbt.adapters.base.impl import BaseAdapter
from dbt.contracts.graph.nodes import ModelNode
from dbt.exceptions import DependencyError
from dbt_common.exceptions import DbtBaseException

from dbt_portmesh.python_models import process, worker
from dbt_portmesh.python_models.exchange import KINDS, is_empty_run
from dbt_portmesh.python_models.faults import ENVIRONMENT, fault, fault_of_answer, path_of

OF_A_FUNCTION = "org.apache.spark.api.python.PythonException"
"""In Spark's error if a function of Python failed."""


class PythonRun:
    """A run of a model's code. What it leaves for dbt's SQL is removed at the end of the `with` block."""

    def __init__(self, model: ModelNode, adapter: BaseAdapter, build_command: Callable[[], str]) -> None:
        self._model, self._build_command = model, build_command
        self._root = Path(adapter.config.project_root)
        self._path = path_of(model, adapter.config.project_name)
        self._exchange = KINDS[adapter.type()](model, adapter)

    def __enter__(self) -> PythonRun:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._exchange.close()
        if isinstance(error, DbtBaseException) and OF_A_FUNCTION in str(error):
            # In the cluster, the code's own functions run only when the rows are written.
            worker.remember(str(self._model.compiled_code), self._path)
            raise self._fault(worker.fault_of(error, self._path).answer) from error

    def rows(self, is_increment: bool) -> str:
        """Run the code. Returns the SQL that reads its rows.

        Raises DependencyError if there are none, and dbt's own error for a table that cannot be read.
        """
        exchange = self._exchange
        with process.worker(self._python(), exchange.engine, exchange.settings) as running:
            into = exchange.open(running.folder)
            answer = running.start_fault or self._ask(running, self._request(into, is_increment))
            if answer.get("error") == "lost":
                running.kill()
        if "error" in answer:
            raise self._fault(answer)
        return exchange.sql(into)

    def _fault(self, answer: Mapping[str, Any]) -> DependencyError:
        return fault_of_answer(self._model, self._path, answer, self._exchange.server, self._build_command)

    def _request(self, into: str, is_increment: bool) -> dict[str, Any]:
        return {
            "code": self._model.compiled_code,
            "path": self._path,
            "root": str(self._root),
            "packages": list(self._model.config.packages),
            "this": str(self._model.relation_name),
            "is_increment": is_increment,
            "is_empty": is_empty_run(),
            "into": into,
            "remote": self._exchange.server,
        }

    def _ask(self, running: process.Worker, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return running.ask(request, self._exchange.read)
        except process.EndedError as error:
            return {"error": "ended", "got": str(error)}

    def _python(self) -> Path:
        given = os.environ.get("PORTMESH_PYSPARK_PYTHON", "")
        python = Path(given).expanduser() if given else self._root / ENVIRONMENT / "bin" / "python"
        if not python.is_file():
            raise fault(
                self._model,
                "it is a Python model, and PySpark is not installed here",
                [("where", str(python))],
                "tools/environment.sh pyspark (or name a Python that has it in PORTMESH_PYSPARK_PYTHON), "
                f"then: {self._build_command()}",
            )
        return python
