"""Lets a domain write models in Python, whose session is Spark, on the targets local and emr (decision 0045).

dbt compiles such a model to Python. Just before dbt builds it, the code becomes SQL that reads what the code returned,
so that every materialization of SQL, and the gate of a port, does what it does for a model in SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from dbt.artifacts.resources.types import ModelLanguage
from dbt.contracts.graph.nodes import ModelNode
from dbt.parser.schemas import ModelPatchParser
from dbt.task.run import MicrobatchModelRunner, ModelRunner

from dbt_portmesh.python_models.faults import assert_can_run
from dbt_portmesh.python_models.running import PythonRun


class RowsOfPython:
    """Stands where dbt has the SQL of a model. The code runs when this becomes text, which is after the pre-hooks."""

    def __init__(self, run: Callable[[bool], str], is_increment: bool = False) -> None:
        self._run, self._is_increment, self._sql = run, is_increment, ""

    def __str__(self) -> str:
        self._sql = self._sql or self._run(self._is_increment)
        return self._sql

    def as_increment(self) -> RowsOfPython:
        """The same code, told that its table has rows."""
        return RowsOfPython(self._run, is_increment=True)


def add_python_models() -> None:
    """Change how dbt reads and builds a Python model, once in a process."""
    if not hasattr(ModelPatchParser._validate_constraint_prerequisites, "__wrapped__"):
        ModelPatchParser._validate_constraint_prerequisites = _in_any_language(  # type: ignore[method-assign]
            ModelPatchParser._validate_constraint_prerequisites
        )
    if not hasattr(ModelRunner._execute_model, "__wrapped__"):
        ModelRunner._execute_model = _with_spark(ModelRunner._execute_model)  # type: ignore[method-assign]
        MicrobatchModelRunner.execute = _refused(MicrobatchModelRunner.execute)  # type: ignore[method-assign]


def _in_any_language(check: Any) -> Any:
    """dbt refuses a contract for a Python model, because dbt could not check it. The gate can."""

    @wraps(check)
    def check_contract(parser: ModelPatchParser, model: ModelNode) -> None:
        language, model.language = model.language, str(ModelLanguage.sql)
        try:
            check(parser, model)
        finally:
            model.language = language

    return check_contract


def _refused(build: Any) -> Any:
    """A model that dbt builds batch by batch runs in as many nodes."""

    @wraps(build)
    def build_batches(runner: MicrobatchModelRunner, model: ModelNode, *arguments: Any) -> Any:
        if model.language == ModelLanguage.python:
            assert_can_run(model, runner.adapter.type())
        return build(runner, model, *arguments)

    return build_batches


def _with_spark(build: Any) -> Any:
    @wraps(build)
    def build_model(
        runner: ModelRunner, hooks: Any, config: Any, model: ModelNode, context: dict[str, Any], macro: Any
    ) -> Any:
        if model.language != ModelLanguage.python:
            return build(runner, hooks, config, model, context, macro)
        assert_can_run(model, runner.adapter.type())
        with PythonRun(model, runner.adapter, lambda: str(context["build_command"](context["model"]))) as run:
            context["model"]["language"] = str(ModelLanguage.sql)
            context["compiled_code"] = context["sql"] = RowsOfPython(run.rows)
            return build(runner, hooks, config, model, context, macro)

    return build_model
