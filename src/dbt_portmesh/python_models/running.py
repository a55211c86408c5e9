"""Runs the code of one Python model."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbt.adapters.base.impl import BaseAdapter
from dbt.contracts.graph.nodes import ModelNode

from dbt_portmesh.python_models import process
from dbt_portmesh.python_models.exchange import KINDS, is_empty_run
from dbt_portmesh.python_models.faults import ENVIRONMENT, fault, fault_of_answer, path_of


class PythonRun:
    """A run of a model's code. What it leaves for dbt's SQL is removed at the end of the `with` block."""

    def __init__(self, model: ModelNode, adapter: BaseAdapter, build_command: Callable[[], str]) -> None:
        self._model, self._build_command = model, build_command
        self._root = Path(adapter.config.project_root)
        self._path = path_of(model, adapter.config.project_name)
        self._exchange = KINDS[adapter.type()](model, adapter)

    def __enter__(self) -> PythonRun:
        return self

    def __exit__(self, *_: object) -> None:
        self._exchange.close()

    def rows(self, is_increment: bool) -> str:
        """Run the code. Returns the SQL that reads its rows.

        Raises DependencyError if there are none, and dbt's own error for a table that cannot be read.
        """
        exchange = self._exchange
        with process.worker(self._python(), exchange.engine, exchange.settings) as worker:
            into = exchange.open(worker.folder)
            answer = worker.start_fault or self._ask(worker, self._request(into, is_increment))
        if "error" in answer:
            raise fault_of_answer(self._model, self._path, answer, exchange.server, self._build_command)
        return exchange.sql(into)

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

    def _ask(self, worker: process.Worker, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return worker.ask(request, self._exchange.read)
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
