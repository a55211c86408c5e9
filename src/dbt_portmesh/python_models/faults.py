"""What people read when a Python model cannot run: what happened, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbt.contracts.graph.nodes import ModelNode
from dbt.exceptions import DependencyError

from portmesh.errors import FindingsError

ENVIRONMENT = ".venv-pyspark"
"""The folder in the mesh's root that has PySpark, unless PORTMESH_PYSPARK_PYTHON names another Python."""


def label_of(model: ModelNode) -> str:
    """The name by which people know a model: orders.order_lines.v2."""
    return ".".join([model.package_name, model.name, *([f"v{model.version}"] if model.version else [])])


def path_of(model: ModelNode, root_project: str) -> str:
    """The file of a model, from the mesh's root."""
    own = model.original_file_path
    return own if model.package_name == root_project else f"domains/{model.package_name}/{own}"


def assert_can_run(model: ModelNode, engine: str) -> None:
    """Raise DependencyError for an engine or a strategy that has no Python models."""
    if engine not in ("duckdb", "spark"):
        raise fault(
            model,
            f"it is a Python model, which {engine.title()} does not run",
            [("allowed", "the targets local and emr")],
            f"state engine: emr in the group of {model.package_name} (config.meta), and build it with --target emr",
        )
    if str(model.config.incremental_strategy) == "microbatch":
        raise fault(
            model,
            "a Python model has no batches of dbt's",
            [("got", "incremental_strategy: microbatch")],
            "ask dbt.is_incremental in its code, and give it a unique_key",
        )


def fault(model: ModelNode, why: str, facts: list[tuple[str, str]], next_step: str) -> DependencyError:
    """A refusal of one model, in dbt's own error that shows no macros."""
    return DependencyError(str(FindingsError(f"{label_of(model)} was not built: {why}.", facts, next_step)))


def fault_of_answer(
    model: ModelNode, path: str, answer: Mapping[str, Any], server: str, build: Callable[[], str]
) -> DependencyError:
    """The error for an answer of the worker. `server` is the cluster's address; empty on this machine."""
    where, then = [("where", path)], f"then: {build()}"
    got = ("got", str(answer.get("got") or "nothing"))
    match answer["error"]:
        case "not_started":
            return fault(model, "Spark did not start", [got], f"tools/environment.sh pyspark, {then}")
        case "no_session":
            return fault(
                model,
                "there is no session in the cluster",
                [("where", server), got],
                f"start Spark Connect there, or set PORTMESH_SPARK_CONNECT (docs/running-on-aws.md), {then}",
            )
        case "lost":
            return fault(
                model,
                "the session was lost while its code ran",
                [*where, ("server", server or "this machine"), got],
                f"check that Spark runs, {then}; nothing needs repair",
            )
        case "no_package" | "no_module":
            return fault(
                model, "it needs a Python package that is missing", [*_lines(path, answer), got], _install(server, then)
            )
        case "no_frame":
            allowed = ("allowed", "a DataFrame of Spark, of pandas on Spark, or of pandas")
            return fault(model, "its code returned no DataFrame", [*where, got, allowed], f"return one, {then}")
        case "not_converted":
            return fault(
                model,
                "Spark cannot read the pandas DataFrame that it returned",
                [*where, got],
                f"return session.createDataFrame(frame, 'name type, …'), {then}",
            )
        case "columns":
            return _fault_of_columns(model, where, str(answer["got"]), then)
        case "interrupted":
            return fault(model, "its code was interrupted", where, build())
        case "ended":
            return fault(
                model,
                "the process that ran its code ended",
                [*where, got],
                f"see what it printed; for more memory: PORTMESH_PYSPARK_SETTINGS=spark.driver.memory=4g; {then}",
            )
    return fault(model, "its code failed", [*_lines(path, answer), got], f"fix the code, {then}")


def _fault_of_columns(model: ModelNode, where: list[tuple[str, str]], twice: str, then: str) -> DependencyError:
    if twice:
        got = [*where, ("got", twice)]
        return fault(model, "its DataFrame has two columns of the same name", got, f"rename or drop one, {then}")
    return fault(model, "its DataFrame has no columns", where, f"select the columns of its contract, {then}")


def _lines(path: str, answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    lines = [f"line {number}{f', in {name}' if name else ''}: {text}" for number, name, text in answer.get("lines", ())]
    return [("where", "\n".join([path, *lines]))]


def _install(server: str, then: str) -> str:
    local = "add it to requirements-pyspark.txt, run tools/environment.sh pyspark"
    return f"{local} (and install it in the cluster if a UDF uses it), {then}" if server else f"{local}, {then}"
