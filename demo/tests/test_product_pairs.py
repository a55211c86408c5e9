"""The demonstration's port in PySpark has the rows that SQL computes, here and in the cluster."""

from __future__ import annotations

import pytest

from demo.benchmarks.pairs import IN_PYTHON, IN_SQL, TWIN, compare, write_twin
from tests.mesh import Mesh
from tests.portmesh_call import call
from tests.python_port import needs_pyspark
from tests.repository import copy_repository


@pytest.mark.engines("local", "emr")
@pytest.mark.thorough
def test_every_row_is_that_of_the_port_in_sql(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_pyspark(mesh.target)
    copy_repository(mesh.folder)
    write_twin(mesh.folder)
    monkeypatch.chdir(mesh.folder)
    for name, value in {
        "PORTMESH_DATABASE": "mesh.duckdb",
        "PORTMESH_LAKE": ".lake",
        "DBT_TARGET_PATH": "target",
    }.items():
        monkeypatch.setenv(name, str(mesh.folder / value))
    target = ("--target", mesh.target)
    assert call("demo", "land", "--until", "2017-W05", *target) == 0
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build", *target, "--select", f"+{IN_PYTHON}", f"+{IN_SQL}")
    assert built.ok, built.output
    assert verdicts(mesh, IN_PYTHON) == verdicts(mesh, IN_SQL) != set()
    rows, differing = compare(mesh.rows)
    assert rows > 30
    assert differing == 0
    columns = [name for name, _ in mesh.engine.columns(TWIN)]
    others = ", ".join("lift + 1e-9 as lift" if name == "lift" else name for name in columns)
    assert compare(mesh.rows, f"(select {others} from {TWIN}) as others") == (rows, 2 * rows)


def verdicts(mesh: Mesh, port: str) -> set[tuple[str, str, str]]:
    """Each check that the audit of a published port measured: its kind, column and status."""
    published = (
        "select invocation_id from portmesh.publications__customer_behaviour "
        f"where port = '{port}' and verdict = 'published'"
    )
    return set(
        mesh.rows(
            "select kind, column_name, status from portmesh.measurements__customer_behaviour "
            f"where port_id like '%.{port}' and invocation_id in ({published})"
        )
    )
