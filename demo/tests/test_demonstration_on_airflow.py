"""The demonstration mesh on a real Airflow, as `make airflow` starts it: on the first two weeks of its real data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from portmesh.schedule.schedule import SCHEDULE
from tests.airflow_mesh import AirflowOfMesh, Run
from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import call

PRODUCTS = json.loads((REPOSITORY / SCHEDULE.path).read_text())["products"]
READERS = {"customers", "customer_behaviour"}
"""The products that read ports of orders."""


@pytest.fixture(scope="module", params=[3, 2], ids=["airflow3", "airflow2"])
def airflow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowOfMesh]:
    subprocess.run([REPOSITORY / "tools/environment.sh", f"airflow{request.param}"], check=True)
    folder = tmp_path_factory.mktemp("demonstration")
    place = {
        "PORTMESH_DATABASE": str(folder / "mesh.duckdb"),
        "PORTMESH_LAKE": str(folder / "lake"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    airflow = AirflowOfMesh(request.param, REPOSITORY, folder / "airflow", **place)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        for name, value in place.items():
            patch.setenv(name, value)
        land("--until", "2017-W02")
        try:
            airflow.start()
            yield airflow
        finally:
            airflow.airflow.stop()


def land(*arguments: str) -> None:
    assert call("demo", "land", *arguments) == 0


def states(runs: list[Run], dag: str) -> list[str]:
    return [run.state for run in runs if run.dag == dag]


def mesh_of(airflow: AirflowOfMesh) -> Mesh:
    return Mesh(airflow.airflow.home.parent)


@pytest.mark.nightly
def test_the_demonstration_runs_on_airflow(airflow: AirflowOfMesh) -> None:
    # Airflow makes up for the times that it missed: the products with a schedule start by themselves, and upkeep too.
    runs = airflow.settled()
    assert {run.dag for run in runs} == {*PRODUCTS, *(f"{name}.upkeep" for name in PRODUCTS)}
    assert {run.state for run in runs} == {"success"}
    # Tasks are products: nothing was built again for a port whose product does not read it.
    behaviour = [run for run in runs if run.dag == "customer_behaviour"]
    assert all(run.id.startswith(("asset_triggered", "dataset_triggered")) for run in behaviour)
    published = {port for port, _ in airflow.events()}
    assert published == {port for product in PRODUCTS.values() for port in product["ports"]}
    mesh = mesh_of(airflow)
    before = mesh.value("select count(*) from orders.order_lines")
    assert before > 0

    # A week with lines that were delivered twice is refused. Consumers keep what they had, and nothing starts.
    land("--flaw", "duplicates", "--batch", "2017-W03")
    airflow.trigger("orders")
    (run,) = airflow.settled()
    assert (run.dag, run.state) == ("orders", "failed")
    log = airflow.log("orders", run.id, attempt=run.tasks["build"][1])
    end = log[log.rindex("AirflowFailException") :]
    assert "orders.order_lines was not published." in end
    assert "unique" in end
    assert mesh.value("select count(*) from orders.order_lines") == before

    # The week is delivered again. It is published, and what reads it follows.
    land("--until", "2017-W03")
    airflow.trigger("orders")
    runs = airflow.settled()
    assert {run.state for run in runs} == {"success"}
    assert {run.dag for run in runs} >= READERS
    assert mesh.value("select count(*) from orders.order_lines") > before
