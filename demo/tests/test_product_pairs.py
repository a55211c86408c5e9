"""The demonstration's port in PySpark has the rows that SQL computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.benchmarks.pairs import IN_PYTHON, IN_SQL, compare, write_twin
from portmesh.cli import main
from tests.mesh import Mesh
from tests.python_port import needs_pyspark
from tests.repository import copy_repository


@pytest.mark.thorough
def test_every_row_is_that_of_the_port_in_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_pyspark()
    mesh = Mesh(tmp_path / "mesh")
    copy_repository(mesh.folder)
    write_twin(mesh.folder)
    monkeypatch.chdir(mesh.folder)
    for name, value in {
        "PORTMESH_DATABASE": "mesh.duckdb",
        "PORTMESH_LAKE": ".lake",
        "DBT_TARGET_PATH": "target",
    }.items():
        monkeypatch.setenv(name, str(mesh.folder / value))
    with pytest.raises(SystemExit) as landed:
        main(["demo", "land", "--until", "2017-W05"])
    assert not landed.value.code
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build", "--select", f"+{IN_PYTHON}", f"+{IN_SQL}")
    assert built.ok, built.output
    rows, differing = compare(mesh.database)
    assert rows > 30
    assert differing == 0
    others = f"select * replace (lift + 1e-9 as lift) from customer_behaviour.{IN_PYTHON}"
    mesh.execute(f"create or replace view customer_behaviour.{IN_SQL} as {others}")
    mesh.engine.close()
    assert compare(mesh.database) == (rows, 2 * rows)
