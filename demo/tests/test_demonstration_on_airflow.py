"""The demonstration on a real Airflow of each version, as `make airflow` starts it: the first weeks of the year."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portmesh.schedule.schedule import SCHEDULE
from tests.airflow_mesh import AirflowOfMesh, Run, guards_of, is_running, kill, parent_of
from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import call

PRODUCTS = json.loads((REPOSITORY / SCHEDULE.path).read_text())["products"]
READERS_OF_ORDERS = {name for name, product in PRODUCTS.items() if "orders.order_lines" in product["inputs"]}
PATIENCE = 1800
"""A product takes minutes on a machine that does other things as well."""


class Demonstration:
    """The mesh of this repository on Airflow, with a lake and a database of its own."""

    def __init__(self, airflow: AirflowOfMesh, folder: Path) -> None:
        self.airflow = airflow
        self.mesh = Mesh(folder)

    def build(self, product: str, **parameters: Any) -> list[Run]:
        """Trigger a product: the runs that this started."""
        self.airflow.trigger(product, **parameters)
        return self.airflow.settled()

    def lines(self) -> dict[str, int]:
        """How many order lines consumers read, by batch."""
        return dict(self.mesh.rows("select _batch_id, count(*) from orders.order_lines group by all"))

    def publications(self) -> int:
        return int(self.mesh.value("select count(*) from portmesh.publications__orders where verdict = 'published'"))


@pytest.fixture(params=[3, 2], ids=["airflow3", "airflow2"])
def demonstration(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Demonstration]:
    subprocess.run([REPOSITORY / "tools/environment.sh", f"airflow{request.param}"], check=True)
    subprocess.run([REPOSITORY / "tools/environment.sh", "pyspark"], check=True)
    place = {
        "PORTMESH_DATABASE": str(tmp_path / "mesh.duckdb"),
        "PORTMESH_LAKE": str(tmp_path / "lake"),
        "DBT_TARGET_PATH": str(tmp_path / "target"),
        "DBT_LOG_PATH": str(tmp_path / "logs"),
    }
    monkeypatch.chdir(REPOSITORY)
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    land("--until", "2017-W02")
    airflow = AirflowOfMesh(request.param, REPOSITORY, tmp_path / "airflow", PATIENCE, **place)
    try:
        airflow.start()
        yield Demonstration(airflow, tmp_path)
    finally:
        airflow.airflow.stop()


def run_of(product: str, runs: list[Run]) -> Run:
    (run,) = [run for run in runs if run.dag == product]
    return run


def land(*arguments: str) -> None:
    assert call("demo", "land", *arguments) == 0


@pytest.mark.nightly
def test_the_demonstration_runs_on_airflow(demonstration: Demonstration) -> None:
    """It is told here as one story, because each product costs as much as the start of an Airflow."""
    airflow = demonstration.airflow

    # Airflow makes up for the times that it missed: products with a schedule start by themselves, and upkeep too.
    # What reads them is started by their events.
    runs = airflow.settled()
    assert {run.dag for run in runs} == {*PRODUCTS, *(f"{name}.upkeep" for name in PRODUCTS)}
    assert {(run.dag, run.state) for run in runs if run.state != "success"} == set()
    behaviour = [run for run in runs if run.dag == "customer_behaviour"]
    assert all(run.id.startswith(("asset_triggered", "dataset_triggered")) for run in behaviour)
    assert {port for port, _ in airflow.events()} == {port for each in PRODUCTS.values() for port in each["ports"]}
    before = demonstration.lines()
    assert set(before) == {"2017-W01", "2017-W02"}

    # A week with lines that were delivered twice is refused. Consumers keep what they had, and nothing starts.
    land("--flaw", "duplicates", "--batch", "2017-W03")
    (refused,) = demonstration.build("orders")
    assert (refused.dag, refused.state) == ("orders", "failed")
    log = airflow.log("orders", refused.id, attempt=refused.tasks["build"][1])
    end = log[log.rindex("AirflowFailException") :]
    assert "orders.order_lines was not published." in end
    assert "unique" in end
    assert demonstration.lines() == before

    # The week is delivered again. It is published, and what reads it follows.
    land("--replace", "transactions/2017-W03")
    runs = demonstration.build("orders")
    assert {run.state for run in runs} == {"success"}
    assert {run.dag for run in runs} >= READERS_OF_ORDERS
    assert set(demonstration.lines()) == {"2017-W01", "2017-W02", "2017-W03"}

    # The worker is killed in the middle of a week. The next try goes on, and publishes it once.
    land("--until", "2017-W04")
    published = demonstration.publications()
    airflow.trigger("orders")
    airflow.wait(lambda: airflow.is_told("orders", "START sql output_port model orders.order_lines"), "start of a port")
    (guard,) = guards_of(REPOSITORY)
    kill(parent_of(guard))
    airflow.wait(lambda: not is_running(guard), "end of the child")
    orders = run_of("orders", airflow.settled())
    assert (orders.state, orders.tasks["build"][0]) == ("success", "success")
    assert orders.tasks["build"][1] >= 2
    assert demonstration.publications() == published + 2
    assert "2017-W04" in demonstration.lines()

    # Two weeks are filled in, one by one: each is published once, and told in one event.
    land("--until", "2017-W06")
    runs = demonstration.build("orders", port="orders.order_lines", batches="2017-W05,2017-W06")
    assert run_of("orders", runs).state == "success"
    event = [extra for port, extra in airflow.events() if port == "orders.order_lines"][-1]
    assert (event["batches"], len(event["versions"])) == (["2017-W05", "2017-W06"], 2)
    assert {"2017-W05", "2017-W06"} <= set(demonstration.lines())
