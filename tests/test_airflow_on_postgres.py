"""Airflow on PostgreSQL, as MWAA has it: its database goes away, and two schedulers share it."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.local import SCHEDULER
from tests.airflow_mesh import AirflowOfMesh, is_running
from tests.mesh import REPOSITORY
from tests.postgres import Postgres, skip_without_postgres
from tests.test_airflow import Scene, make_mesh

IMPATIENCE = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "3",
}
"""Airflow gives a task up after 20 seconds without a sign of life, not after 5 minutes."""
A_QUARTER_OF_A_MINUTE = 4000
"""The rows of work that keep the slow port busy for so long on an idle machine."""


class SceneOnPostgres(Scene):
    def __init__(self, airflow: AirflowOfMesh, folder: Path, postgres: Postgres) -> None:
        super().__init__(make_mesh(folder), airflow)
        self.postgres = postgres


@pytest.fixture(params=[3, 2], ids=["airflow3", "airflow2"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SceneOnPostgres]:
    subprocess.run([REPOSITORY / "tools/environment.sh", f"airflow{request.param}"], check=True)
    skip_without_postgres()
    postgres, folder = Postgres(), tmp_path / "mesh"
    folder.mkdir()
    airflow = AirflowOfMesh(request.param, folder, tmp_path / "airflow", postgres=postgres, **IMPATIENCE)
    try:
        postgres.start()
        made = SceneOnPostgres(airflow, folder, postgres)
        airflow.start()
        yield made
    finally:
        airflow.airflow.stop()
        postgres.remove()


@pytest.mark.nightly
def test_airflows_database_goes_away_while_a_product_is_built(scene: SceneOnPostgres) -> None:
    airflow = scene.airflow
    guard = scene.slow_run(A_QUARTER_OF_A_MINUTE)
    airflow.is_watched = True
    scene.postgres.stop()
    airflow.wait(lambda: not is_running(guard), "end of the build")
    scene.make_fast()
    scene.postgres.start()

    runs = airflow.settled()
    assert {run.state for run in runs} == {"success"}
    (shop,) = [run for run in runs if run.dag == "shop"]
    assert shop.tasks["build"][0] == "success"
    of_shop = ["shop.lines", "shop.sales", "shop.slow"]
    assert [port for port in scene.announced() if port.startswith("shop.")] == of_shop
    assert {port: scene.published[port] for port in of_shop} == dict.fromkeys(of_shop, 1)

    # The next run needs no repair.
    airflow.trigger("shop")
    assert {run.state for run in airflow.settled()} == {"success"}
    assert [port for port in scene.announced() if port.startswith("shop.")] == ["shop.lines", "shop.slow"]


@pytest.mark.nightly
def test_two_schedulers_start_each_run_once(scene: SceneOnPostgres) -> None:
    airflow = scene.airflow
    airflow.airflow.launch(*SCHEDULER)
    working = "select id from job where job_type = 'SchedulerJob' and state = 'running'"
    airflow.wait(lambda: len(airflow.airflow.rows(working)) == 2, "second scheduler")
    for _ in range(4):
        airflow.trigger("shop")
    runs = airflow.settled()
    assert {run.state for run in runs} == {"success"}
    assert Counter(run.dag for run in runs)["shop"] == 4
    assert {run.tasks["build"] for run in runs} == {("success", 1)}
    begun = Counter((run.dag, airflow.log(run.dag, run.id).count("portmesh build ")) for run in runs)
    assert {times for _, times in begun} == {1}
    assert scene.published["shop.lines"] == 4
    assert Counter(scene.announced())["shop.lines"] == 4
    # Each event started the reader at most once.
    consumed = airflow.airflow.rows(f"select event_id from dagrun_{airflow.asset}_event")
    assert set(Counter(consumed).values()) == {1}
    assert len(airflow.airflow.rows(working)) == 2
