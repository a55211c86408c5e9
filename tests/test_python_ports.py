"""What goes wrong in a port in Python publishes nothing, and the next run needs no repair, here and in the cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt_portmesh.python_models import process, worker
from tests.mesh import Mesh, Outcome
from tests.python_port import needs_pyspark
from tests.rig_client import Rig
from tests.test_increments import AT_LEAST_ONE, contents, land, last_attempt, publish_first_batch
from tests.test_increments import COLUMNS as SALES_COLUMNS
from tests.test_output_port import COLUMNS, EXEMPT, good

pytestmark = pytest.mark.engines("local", "emr")

SECRET = "a-secret-that-nobody-may-read"
LINES = """
import os
from pyspark.sql import functions as F

def model(dbt, session):
    lines = dbt.source("raw", "lines").selectExpr(
        "cast(line_id as bigint) as line_id", "cast(channel as string) as channel",
        "cast(amount as decimal(10, 2)) as amount", "cast(landed_at as timestamp_ntz) as landed_at",
    )
    BODY
    return lines
"""
# What dbt makes of a function's error in the cluster, which fails while SQL writes the rows.
OF_THE_CLUSTER = """Runtime Error
  Database Error
    org.apache.hive.service.cli.HiveSQLException: Error running query: org.apache.spark.SparkException: Job aborted: \
org.apache.spark.api.python.PythonException: Traceback (most recent call last):
      File "models/udf.py", line 2, in <lambda>
    ZeroDivisionError: integer division or modulo by zero

    \tat org.apache.spark.api.python.BasePythonRunner.handlePythonException(PythonRunner.scala:572)
    Caused by: org.apache.spark.api.python.PythonException: Traceback (most recent call last):
"""
SALES = """
def model(dbt, session):
    dbt.config(unique_key="sale_id")
    sales = dbt.source("raw", "sales").selectExpr(
        "cast(sale_id as bigint) as sale_id", "cast(amount as bigint) as amount", "batch", "landed_at"
    )
    if dbt.is_incremental:
        newest = session.table(str(dbt.this)).agg({"landed_at": "max"}).collect()[0][0]
        sales = sales.filter(sales.landed_at > newest)
    return sales
"""
# What the code does instead, and what the error of the port says.
FAULTS = {
    "refused": (
        "return lines.union(lines.limit(1))",
        ["shop.refused was not published. Consumers keep the version of ", "unique line_id 1 key"],
    ),
    "no_frame": ("return lines.count()", ["its code returned no DataFrame.", "allowed a DataFrame of Spark"]),
    "types": (
        "lines = lines.withColumn('amount', lines.amount.cast('double'))",
        ["shop.types was not written:", "amount decimal(10,2) double cast(amount as decimal(10,2))"],
    ),
    "fewer": ("lines = lines.drop('channel')", ["shop.fewer was not written:", "channel string missing select it"]),
    "raises": (
        "raise ValueError('no such price')",
        ["shop.raises was not built: its code failed.", ", in model: raise", "got ValueError: no such price"],
    ),
    "udf": (
        "lines = lines.withColumn('line_id', F.udf(lambda n: n // 0, 'bigint')('line_id'))",
        ["shop.udf was not built: its code failed.", "in <lambda>:", "got ZeroDivisionError"],
    ),
    "library": (
        "lines = lines.withColumn('channel', F.udf(lambda _: __import__('not_there').x)('channel'))",
        ["shop.library was not built: it needs a Python package that is missing.", "got not_there"],
    ),
    "value": (
        "lines = lines.withColumn('line_id', F.expr(\"cast('x1' as bigint)\"))",
        ["The value 'x1' of the type \"STRING\" cannot be cast"],
    ),
}


class Broken(NamedTuple):
    """A mesh whose ports in Python were published, then failed each in its own way, then were as before."""

    mesh: Mesh
    failed: Outcome
    rows_then: dict[str, int]
    next: Outcome


def write_port(mesh: Mesh, name: str, body: str = "") -> None:
    mesh.port(f"shop/{name}", LINES.replace("BODY", body), COLUMNS, meta=EXEMPT)


def rows(mesh: Mesh) -> dict[str, int]:
    return {name: mesh.value(f"select count(*) from shop.{name}") for name in FAULTS}


@pytest.fixture(scope="module")
def broken(new_mesh: Callable[[Path], Mesh], engine: str, tmp_path_factory: pytest.TempPathFactory) -> Broken:
    needs_pyspark(engine)
    mesh = new_mesh(tmp_path_factory.mktemp("broken"))
    mesh.set_up("shop")
    mesh.land("lines", good(100))
    for name in FAULTS:
        write_port(mesh, name)
    assert mesh.dbt("deps").ok
    first = mesh.dbt("run")
    assert first.ok, first.output
    for name, (body, _) in FAULTS.items():
        write_port(mesh, name, body)
    mesh.land("lines", good(101))
    failed = mesh.dbt("run")
    rows_then = rows(mesh)
    for name in FAULTS:
        write_port(mesh, name)
    return Broken(mesh, failed, rows_then, mesh.dbt("run"))


@pytest.mark.thorough
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.ci_cases(3)
def test_a_fault_publishes_nothing_and_needs_no_repair(broken: Broken, name: str) -> None:
    message = " ".join(broken.failed.messages[name].split())
    for text in FAULTS[name][1]:
        assert text in message
    # A value that cannot be cast is the cluster's own error, as for a port in SQL; the end of the run explains it.
    if "Database Error" in message:
        assert f"shop.{name} was not published: the run failed. Consumers read the version of " in broken.failed.output
        assert "the value 'x1' cannot be cast" in broken.failed.output
    else:
        assert f"shop.{name} was not " in message
        assert [word for word in ("Traceback", "org.apache", "> in macro") if word in message] == []
    assert broken.rows_then[name] == 100
    assert broken.next.statuses[name] == "success", broken.next.messages[name]
    assert broken.mesh.value(f"select count(*) from shop.{name}") == 101
    # What Spark had begun to write stays until `portmesh clean`, as for a port in SQL.
    assert broken.mesh.target == "emr" or broken.mesh.engine.candidates(f"shop.{name}") == []


def test_a_function_that_fails_in_the_cluster_is_told_in_its_own_words() -> None:
    worker.remember("\nF.udf(lambda n: n // 0)\n", "models/udf.py")
    answer = worker.fault_of(DbtRuntimeError(OF_THE_CLUSTER), "models/udf.py").answer
    assert answer["got"] == "ZeroDivisionError: integer division or modulo by zero"
    assert answer["lines"] == [(2, "<lambda>", "F.udf(lambda n: n // 0)")]


def test_an_increment_of_a_port_in_python(mesh: Mesh) -> None:
    needs_pyspark(mesh.target)
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES, SALES_COLUMNS, meta=EXEMPT, extra=AT_LEAST_ONE)
    publish_first_batch(mesh, rows=100)
    land(mesh, 100, 50, batch=2)
    assert mesh.dbt("build").ok
    assert last_attempt(mesh) == ("increment", "published", 150)
    assert contents(mesh) == [("1", 100, 100), ("2", 50, 50)]
    land(mesh, 150, 1, batch=3, amount="9")
    refused = mesh.dbt("build")
    assert "shop.sales was not published. Consumers keep the version of " in refused.messages["sales"]
    assert contents(mesh) == [("1", 100, 100), ("2", 50, 50)]


@pytest.mark.thorough
def test_what_the_code_prints_is_kept_nowhere(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_pyspark(mesh.target)
    while process._workers:
        process._workers.popitem()[1].stop()
    monkeypatch.setenv("TOKEN_OF_A_TEST", SECRET)
    monkeypatch.setenv("DBT_ENV_SECRET_OF_A_TEST", "hidden")
    monkeypatch.setenv("DBT_LOG_PATH", str(mesh.folder / "logs"))
    mesh.set_up("shop")
    mesh.land("lines", good(1))
    body = "print(os.environ['TOKEN_OF_A_TEST']); assert 'DBT_ENV_SECRET_OF_A_TEST' not in os.environ"
    write_port(mesh, "lines", body)
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert SECRET not in built.output
    texts = [file.read_bytes() for file in mesh.folder.rglob("*") if file.is_file() and not file.is_symlink()]
    assert len(texts) > 5
    assert [text for text in texts if SECRET.encode() in text] == []
    for table in ("publications__shop", "measurements__shop"):
        assert SECRET not in str(mesh.rows(f"select * from portmesh.{table}"))


@pytest.mark.thorough
def test_a_session_that_is_lost_in_the_middle(mesh: Mesh) -> None:
    needs_pyspark(mesh.target)
    mesh.set_up("shop")
    mesh.land("lines", good(100))
    write_port(mesh, "lines")
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    mesh.land("lines", good(101))
    pid = Rig.in_use().pid("emr") if mesh.target == "emr" else "session.sparkContext._gateway.proc.pid"
    write_port(mesh, "lines", f"os.kill({pid}, 9); lines.count()")
    lost = mesh.dbt("build")
    assert "shop.lines was not built: the session was lost while its code ran." in lost.messages["lines"]
    assert "nothing needs repair" in lost.messages["lines"]
    assert "debug_error_string" not in lost.messages["lines"]
    if mesh.target == "emr":
        Rig.in_use().command("restart", "emr")
    assert mesh.value("select count(*) from shop.lines") == 100
    write_port(mesh, "lines")
    again = mesh.dbt("build")
    assert again.ok, again.output
    assert mesh.value("select count(*) from shop.lines") == 101
    assert mesh.engine.candidates("shop.lines") == []
