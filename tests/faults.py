"""Makes something go wrong at a chosen statement: a fault of the rig, or another run of the same port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient
from dbt.adapters.sql.connections import SQLConnectionManager

from tests.mesh import Mesh


def add_fault(**fault: object) -> None:
    """Inject a fault into the rig. Its keys are those of rig/endpoint/faults.py."""
    _call("PUT", json.dumps(fault).encode())


def clear_faults() -> None:
    """Clear all faults."""
    _call("DELETE")


def _call(method: str, body: bytes | None = None) -> None:
    url = f"{os.environ['AWS_ENDPOINT_URL']}/rig/faults"
    urllib.request.urlopen(urllib.request.Request(url, body, method=method)).close()


@contextmanager
def just_before(word: str, act: Callable[[], object]) -> Iterator[list[str]]:
    """Act once, before dbt sends the first statement that contains `word`. Yields that statement.

    A call that changes Glue's catalog counts as the statement `glue <operation> <parameters>`.
    """
    met: list[str] = []
    run_statement, call_aws = SQLConnectionManager.add_query, BaseClient._make_api_call  # type: ignore[attr-defined]

    def meet(statement: str) -> None:
        if not met and word in statement.lower():
            met.append(statement)
            act()

    def add_query(self: SQLConnectionManager, sql: str, *rest: Any, **named: Any) -> Any:
        meet(sql)
        return run_statement(self, sql, *rest, **named)

    def make_api_call(self: BaseClient, operation: str, parameters: Any) -> Any:
        meet(f"glue {operation} {parameters}")
        return call_aws(self, operation, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLConnectionManager, "add_query", add_query)
        patch.setattr(BaseClient, "_make_api_call", make_api_call)
        yield met


def build_in_another_process(mesh: Mesh, *arguments: str) -> str:
    """The output of another dbt run, which must succeed."""
    command = [sys.executable, "-m", "dbt.cli.main", "build", *arguments, "--no-use-colors"]
    done = subprocess.run(command, cwd=mesh.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout
