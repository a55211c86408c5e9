"""Ports in Python for the tests of ports: the same query, but run by the code of a Python model."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

PYTHON = Path(__file__).resolve().parents[1] / ".venv-pyspark/bin/python"
VARIABLE = "PORTMESH_PYSPARK_PYTHON"
IN_BOTH = pytest.mark.parametrize("shop", ["sql", pytest.param("python", marks=pytest.mark.thorough)], indirect=True)
"""Runs a test of the fixture `shop` with its port in SQL, and with its port in Python."""
TYPES = {"type_string": "string", "type_timestamp": "timestamp"}


def needs_pyspark(target: str = "local") -> None:
    """Let the meshes of the tests find PySpark, or skip the test. `make test` installs it.

    On the rig of EMR, it also needs Spark Connect, which a rig has only if it was started with it (rig/README.md).
    """
    if not PYTHON.is_file():
        pytest.skip("tools/environment.sh pyspark installs what runs Python models")
    if target == "athena":
        pytest.skip("Athena has no Python models")
    if target == "emr" and not _answers(os.environ.get("PORTMESH_SPARK_CONNECT", "")):
        pytest.skip("this rig was started without Spark Connect")
    os.environ[VARIABLE] = str(PYTHON)


def _answers(address: str) -> bool:
    host, _, port = address.removeprefix("sc://").partition(":")
    with socket.socket() as probe:
        return bool(port) and probe.connect_ex((host, int(port))) == 0


def as_python(sql: str) -> str:
    """A Python model that gives the rows of a query over source tables, which is SQL of a test's port."""
    sources = dict.fromkeys(re.findall(r"\{\{ source\('(\w+)', '(\w+)'\) \}\}", sql))
    query = re.sub(r"\{\{ source\('\w+', '(\w+)'\) \}\}", r"\1", sql)
    query = re.sub(r"\{\{ dbt\.(\w+)\(\) \}\}", lambda found: TYPES[found[1]], query)
    assert "{{" not in query
    views = [f'    dbt.source("{source}", "{table}").createOrReplaceTempView("{table}")' for source, table in sources]
    return "\n".join(["def model(dbt, session):", *views, f'    return session.sql("""{query}""")', ""])
