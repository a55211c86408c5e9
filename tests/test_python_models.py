"""A model in Python: its code gets tables as Spark's frames, and what it returns is built as a query's rows are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from dbt_portmesh.python_models import process, worker
from tests.mesh import REPOSITORY, Mesh, Outcome
from tests.python_port import PYTHON, VARIABLE, as_python, needs_pyspark
from tests.test_output_port import COLUMNS, EXEMPT, LINES

ALL_TYPES = """
select
    1::tinyint as tiny, 2::smallint as small, 3 as plain, 4::bigint as big, 5::hugeint as huge, 1.5::double as double,
    12345678901234567890123456.7890123456::decimal(36, 10) as exact, 'ö' as text, true as yes,
    date '0001-01-01' as first_day, timestamp '2026-03-29 02:30:00.123456' as no_zone,
    timestamptz '2026-03-29 02:30:00.123456+00' as zone, [1, null]::int[] as list,
    {'a': 1, 'b': [date '2026-01-01']} as nested,
    map {'k': 1.25::decimal(4, 2)} as pairs, '00ff'::blob as bytes
union all
select
    null, null, null, null, null, 'nan', null, null, null, date '9999-12-31', timestamp '1500-01-01',
    null, null, null, null, null
"""
# What the code of a step says, and what the error of its build says.
FAULTS = {
    "nothing": ("return dbt.source('raw', 'lines').show()", ["its code returned no DataFrame.", "got nothing"]),
    "number": ("return len([1])", ["got builtins.int allowed a DataFrame of Spark"]),
    "raises": ("x = 1\n    return x / 0", ["line 4, in model: return x / 0 got ZeroDivisionError: division by zero"]),
    "leaves": ("end = __import__('sys').exit('bye')\n    return end", ["got SystemExit: bye"]),
    "module": (
        "frame = __import__('not_there')\n    return frame",
        ["a Python package that is missing.", "got not_there"],
    ),
    "package": (
        "dbt.config(packages=['none==1'])\n    return 1",
        ["got none==1 next add it to requirements-pyspark.txt"],
    ),
    "table": ("return session.sql('select * from nowhere.x')", ["[TABLE_OR_VIEW_NOT_FOUND] The table or view"]),
    "twice": ("return session.sql('select 1 as a, 2 as A')", ["two columns of the same name.", "got A, a"]),
    "empty": ("return session.range(1).select()", ["its DataFrame has no columns."]),
    "cast": ("return session.sql(\"select cast('x' as int) as n\")", ["got [CAST_INVALID_INPUT] The value 'x'"]),
    "udf": (
        "from pyspark.sql.functions import udf\n    f = udf(lambda x: 1 / 0)\n    "
        "return session.range(1).select(f('id'))",
        ["line 4, in <lambda>: f = udf(lambda x: 1 / 0) got ZeroDivisionError: division by zero"],
    ),
    "pandas": (
        "import pandas as pd\n    return pd.DataFrame({'a': [object()]})",
        ["Spark cannot read the pandas DataFrame that it returned."],
    ),
    "ends": (
        "end = __import__('os')._exit(7)\n    return end",
        ["the process that ran its code ended.", "got exit code 7"],
    ),
    "stops": ("session.stop()\n    return session.range(1)", ["its code failed.", "leave out session.stop()"]),
    "stops_spark": ("session.sparkContext.stop()\n    return session.range(1)", ["its code failed."]),
    "microbatch": (
        "dbt.config(materialized='incremental', incremental_strategy='microbatch', event_time='x', begin='2026-01-01', "
        "batch_size='day')\n    return session.range(1)",
        ["a Python model has no batches"],
    ),
}
# Each of these statements fails if another model's code left what it makes.
KEEPS = """for statement in (
        "create table kept using parquet as select 1 as a, 'x' as b union all select 2, 'y'",
        "create view seen as select 1",
        "create database apart",
        "create table apart.kept using parquet as select 1",
        "create global temporary view all_see as select 1",
        "create function shout as 'some.Class'",
    ):
        session.sql(statement)
    return session.table('kept')"""
FRAMES = {
    "keeps_tables": KEEPS,
    "keeps_tables_too": KEEPS,
    "of_pandas": "import pandas as pd\n    return pd.DataFrame({'a': [1, 2], 'b': ['x', None]})",
    "of_pandas_on_spark": "import pyspark.pandas as ps\n    return ps.DataFrame({'a': [1, 2], 'b': ['x', None]})",
    "without_rows": "return session.createDataFrame([], 'a bigint, b string')",
    "wide": "return session.range(2).selectExpr('id as a', \"'x' as b\", *[f'{i} as c{i}' for i in range(1500)])",
    "untyped": "return session.sql('select 1 as a, null as b')",
}
GROWN = """
def model(dbt, session):
    dbt.config(materialized="incremental")
    lines = dbt.source("raw", "lines")
    if dbt.is_incremental:
        newest = session.sql(f"select max(line_id) from {dbt.this}").collect()[0][0]
        lines = lines.filter(lines.line_id > newest)
    print("a secret of", dbt.config.get("materialized"))
    return lines
"""


def step(mesh: Mesh, name: str, body: str) -> None:
    kind = "" if "materialized" in body else 'dbt.config(materialized="table")'
    mesh.write(
        f"domains/shop/models/intermediate/int_shop__{name}.py", f"def model(dbt, session):\n    {kind}\n    {body}\n"
    )


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """A domain with a step for each fault and each kind of frame, built once; `built` has the outcome."""
    needs_pyspark()
    mesh = Mesh(tmp_path_factory.mktemp("steps"))
    mesh.set_up("shop", sources=("lines", "types"))
    mesh.write("domains/shop/models/intermediate/int_shop__grown.py", GROWN)
    for name, (body, _) in FAULTS.items():
        step(mesh, name, body)
    for name, body in FRAMES.items():
        step(mesh, name, body)
    step(mesh, "types", "return dbt.source('raw', 'types')")
    mesh.write(
        "domains/shop/models/intermediate/int_shop__view.py",
        "def model(dbt, session):\n    dbt.config(materialized='view')\n    return session.range(1)\n",
    )
    mesh.write(
        "domains/shop/models/intermediate/int_shop__after.sql",
        "select count(*) as rows from {{ ref('int_shop__grown') }}",
    )
    mesh.land("lines", "select i as line_id from range(100) t(i)")
    mesh.land("types", ALL_TYPES)
    assert mesh.dbt("deps").ok
    return mesh


@pytest.fixture(scope="module")
def built(steps: Mesh) -> Outcome:
    return steps.dbt("run")


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_code_is_a_sentence(steps: Mesh, built: Outcome, name: str) -> None:
    message = built.messages[f"int_shop__{name}"]
    assert f"shop.int_shop__{name} was not built: " in message
    for text in FAULTS[name][1]:
        assert text in " ".join(message.split())
    assert "Traceback" not in message
    assert "> in macro" not in message
    assert not steps.has(f"shop__internal.int_shop__{name}")


@pytest.mark.parametrize("name", FRAMES)
def test_every_kind_of_frame_is_a_table(steps: Mesh, built: Outcome, name: str) -> None:
    assert built.statuses[f"int_shop__{name}"] == "success", built.messages
    rows = steps.value(f"select count(*) from shop__internal.int_shop__{name}")
    assert rows == {"without_rows": 0, "untyped": 1}.get(name, 2)
    columns = steps.engine.columns(f"shop__internal.int_shop__{name}")
    assert columns[0][1] in ("BIGINT", "INTEGER")
    assert columns[1] == ("b", "VARCHAR")


def test_types_and_values_come_back_as_they_were(steps: Mesh, built: Outcome) -> None:
    assert built.statuses["int_shop__types"] == "success", built.messages
    given, found = (dict(steps.engine.columns(name)) for name in ("raw.types", "shop__internal.int_shop__types"))
    assert found == given | {"huge": "DECIMAL(38,0)"}
    columns = ", ".join(name if name != "huge" else "huge::decimal(38, 0)" for name in given)
    for one, other in (
        ("raw.types", "shop__internal.int_shop__types"),
        ("shop__internal.int_shop__types", "raw.types"),
    ):
        assert steps.rows(f"select {columns} from {one} except all select {columns} from {other}") == []


def test_an_incremental_step_knows_its_rows(steps: Mesh, built: Outcome) -> None:
    assert built.statuses["int_shop__after"] == "success"
    steps.execute("insert into raw.lines values (100), (101), (5)")
    again = steps.dbt("run", "--select", "int_shop__grown+")
    assert again.ok, again.output
    assert steps.value("select rows from shop__internal.int_shop__after") == 102
    assert "secret" not in again.output


def test_nothing_of_the_code_stays(built: Outcome) -> None:
    assert built.exit_code == 1
    (running,) = [each for each in process._workers.values() if each.runs]
    assert running.folder.stat().st_mode & 0o077 == 0
    assert {each.name for each in running.folder.iterdir()} <= {"conf", "held", "spark", "warehouse"}


def test_without_pyspark_the_rest_is_built(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(mesh.folder / "none"))
    mesh.set_up("shop")
    mesh.port("shop/sales", as_python(LINES), COLUMNS, meta=EXEMPT)
    mesh.write("domains/shop/models/intermediate/int_shop__beside.sql", "select 1 as one")
    mesh.land("lines", "select 1 as line_id")
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    assert built.statuses["int_shop__beside"] == "success"
    message = built.messages["sales"]
    assert "shop.sales was not built: it is a Python model, and PySpark is not installed here." in message
    assert "next    tools/environment.sh pyspark (or name a Python that has it" in message
    assert "then: dbt build --select sales+" in message


def test_a_local_session_is_set_up_as_the_profile_sets_up_the_clusters() -> None:
    profile = yaml.safe_load((REPOSITORY / "profiles/profiles.yml").read_text())
    of_the_cluster = profile["portmesh"]["outputs"]["emr"]["server_side_parameters"]
    assert worker.SETTINGS
    for key, value in worker.SETTINGS.items():
        assert of_the_cluster[f"set:hiveconf:{key}"] == value


def test_the_code_gets_no_secret_of_dbts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name if name.startswith("AWS") else f"{name}_OF_A_TEST" for name in process.SECRETS]
    assert "AWS_SECRET_ACCESS_KEY" in names
    for name in (*names, "AWS_REGION"):
        monkeypatch.setenv(name, "of-a-test")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nenv > '{tmp_path}/seen'\n")
    python.chmod(0o700)
    process.Worker(python, "duckdb", {}).stop()
    seen = [line.partition("=")[0] for line in (tmp_path / "seen").read_text().splitlines()]
    assert "AWS_REGION" in seen
    assert [name for name in names if name in seen] == []


def test_the_folder_of_a_killed_process_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    killed, held = tmp_path / f"{process.PREFIX}killed", tmp_path / f"{process.PREFIX}held"
    for folder in (killed, held):
        folder.mkdir()
        os.close(process._hold(folder))
    lock = process._hold(held)
    process._remove_leftovers()
    assert [each for each in (killed, held) if each.exists()] == [held]
    os.close(lock)


def test_a_process_ends_with_its_dbt(tmp_path: Path) -> None:
    """Also if dbt is killed: then it removes its own folder."""
    needs_pyspark()
    code = f"""
import os, pathlib, signal, time
from dbt_portmesh.python_models import process
with process.worker(pathlib.Path({str(PYTHON)!r}), "remote", {{}}) as worker:
    print(worker.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    deadline = time.monotonic() + 30
    while Path(done.stdout.strip()).exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []
