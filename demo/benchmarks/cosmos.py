"""Compares our DAGs with astronomer-cosmos and with plain dbt, on the demonstration.

    python -m demo.benchmarks.cosmos [--ways dbt,portmesh,watcher,local] [--environment .venv-cosmos] [--keep FOLDER]
    python -m demo.benchmarks.cosmos --target athena [--until 2017-W04]

Needs tools/environment.sh pyspark. Builds the whole mesh in each way from an empty database on a landed lake: `dbt
build` alone, our DAGs, and the two modes of cosmos that need no cluster. All DAGs run on the same Airflow, in the
environment that is made from cosmos_requirements.txt. CPU and memory are those of all processes that it starts. Prints
a Markdown table. On `athena`, a rig's Trino builds the first weeks, without Python models, by `dbt build` and our DAGs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.processes import Tree
from benchmarks.rigs import rig_up
from orchestration.local import LocalAirflow
from tests.engine_glue import empty_lake
from tests.mesh import REPOSITORY
from tests.python_port import PYTHON as PYSPARK_PYTHON
from tests.repository import copy_repository

HERE = Path(__file__).parent
PYTHON = Path(sys.executable)
DBT = PYTHON.parent / "dbt"
ROWS = {
    "dbt": "`dbt build`",
    "portmesh": "our DAGs",
    "watcher": "cosmos WATCHER",
    "local": "cosmos LOCAL",
}
HEAD = (
    "| | tasks | failed | wall s | tasks' own s | CPU s | peak memory | Airflow alone, idle |\n"
    "|---|---|---|---|---|---|---|---|"
)
WAYS_ON_ATHENA = ("dbt", "portmesh")
LONGEST_SECONDS = 3 * 3600
DONE = ("success", "failed", "upstream_failed")


@dataclass(frozen=True)
class Result:
    """What one way took. `task_seconds` is the sum over its tasks, without what they waited for.

    Memory is the highest sum over the processes, each with its share of shared pages.
    """

    tasks: int
    seconds: float
    task_seconds: float
    cpu_seconds: float
    peak_bytes: int
    idle_bytes: int
    failed: int = 0

    def row(self, name: str) -> str:
        """A row of the table."""
        sizes = (f"{size / 1e6:,.0f} MB" for size in (self.peak_bytes, self.idle_bytes))
        times = (f"{each:,.1f}" for each in (self.seconds, self.task_seconds, self.cpu_seconds))
        return f"| {name} | {self.tasks} | {self.failed} | {' | '.join((*times, *sizes))} |"


class Airflow(LocalAirflow):
    """The same Airflow for every way: with cosmos installed, and with what its waiting tasks need."""

    def __init__(self, environment: Path, home: Path, dags: Path, variables: Mapping[str, str]) -> None:
        super().__init__(3, home, dags, variables)
        self.python = environment / "bin/python"
        quiet = {
            "DO_NOT_TRACK": "true",
            "SCARF_NO_ANALYTICS": "true",
            "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        }
        self.environment |= quiet | {"PATH": f"{self.python.parent}:{os.environ['PATH']}"}

    def _commands(self) -> list[tuple[str, ...]]:
        return [*super()._commands(), ("triggerer", "--skip-serve-logs")]

    def count(self, sql: str) -> int:
        return int(self.rows(sql)[0][0])

    def wait(self, what: str, is_done: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not is_done():
            if time.monotonic() > until:
                raise SystemExit(f"{what}: not done after {seconds:,.0f} s. The logs are in {self.home}.")
            if broken := self.rows("select stacktrace from import_error"):
                raise SystemExit(f"{what}: Airflow cannot import the DAGs.\n{broken[0][0]}")
            time.sleep(1)


def of_dbt(mesh: Path, target: str, settings: Mapping[str, str]) -> Result:
    with Tree().watched() as tree:
        before, started = tree.cpu_seconds(), time.perf_counter()
        build = [DBT, "--quiet", "build", "--target", target]
        done = subprocess.run(build, cwd=mesh, env=os.environ | settings, check=False)
        seconds = time.perf_counter() - started
        return Result(1, seconds, seconds, tree.cpu_seconds() - before, tree.peak_bytes, 0, done.returncode)


@contextmanager
def stopped_at_the_end(airflow: Airflow) -> Iterator[None]:
    try:
        airflow.start()
        yield
    finally:
        airflow.stop()


def of_airflow(airflow: Airflow, started_by_hand: list[str], dags: list[str]) -> Result:
    """Trigger these DAGs, and wait until each of `dags` ran and nothing runs any more."""
    with stopped_at_the_end(airflow):
        known = f"select count(distinct dag_id) from serialized_dag where dag_id in ({', '.join(map(repr, dags))})"
        airflow.wait("Reading the DAGs", lambda: airflow.count(known) == len(dags), 300)
        time.sleep(10)
        idle = Tree().bytes()
        with Tree().watched() as tree:
            before = tree.cpu_seconds()
            for dag in started_by_hand:
                airflow.trigger(dag)
            ended = "select count(distinct dag_id) from dag_run where state in ('success', 'failed')"
            active = "select count(*) from dag_run where state in ('queued', 'running')"
            waiting = "select count(*) from asset_dag_run_queue"
            airflow.wait(
                "The runs",
                lambda: airflow.count(ended) == len(dags) and not airflow.count(active) and not airflow.count(waiting),
                LONGEST_SECONDS,
            )
            cpu = tree.cpu_seconds() - before
        ((first, last),) = airflow.rows("select min(queued_at), max(end_date) from dag_run")
        seconds = (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
        ((days,),) = airflow.rows("select sum(julianday(end_date) - julianday(start_date)) from task_instance")
        counted = "select state, count(*) from task_instance where operator <> 'EmptyOperator' group by state"
        by_state = dict(airflow.rows(counted))
        failed = sum(number for state, number in by_state.items() if state in DONE[1:])
        return Result(by_state.get("success", 0) + failed, seconds, days * 86_400, cpu, tree.peak_bytes, idle, failed)


def of_portmesh(environment: Path, home: Path, mesh: Path, target: str, settings: Mapping[str, str]) -> Result:
    place = {"PORTMESH_HOME": str(mesh), "PORTMESH_PYTHON": str(PYTHON), "PORTMESH_TARGET": target}
    source, dags = mesh / "orchestration/dags", home / "dags"
    dags.mkdir()
    shutil.copy(source / "portmesh_dags.py", dags)
    schedule = json.loads((source / "portmesh_schedule.json").read_text())
    products = schedule["products"]
    # A DAG with a schedule starts when Airflow does, and so does upkeep, which the others have not.
    for product in products.values():
        product |= {"schedule": None, "upkeep": None}
    (dags / "portmesh_schedule.json").write_text(json.dumps(schedule))
    by_hand = [name for name, product in products.items() if not product["on_inputs"]]
    return of_airflow(Airflow(environment, home, dags, {**settings, **place}), by_hand, list(products))


def of_cosmos(mode: str, environment: Path, home: Path, mesh: Path, settings: Mapping[str, str]) -> Result:
    dags = home / "dags"
    dags.mkdir(parents=True)
    shutil.copy(HERE / "cosmos_dags.py", dags)
    target = home / "parsed"
    parse = [DBT, "--quiet", "parse", "--target-path", str(target)]
    subprocess.run(parse, cwd=mesh, env=os.environ | settings, check=True)
    place = {
        "PORTMESH_HOME": str(mesh),
        "COSMOS_MODE": mode,
        "COSMOS_DBT": str(DBT),
        "COSMOS_MANIFEST": str(target / "manifest.json"),
        "AIRFLOW__COSMOS__CACHE_DIR": str(home / "cache"),
    }
    return of_airflow(Airflow(environment, home, dags, {**settings, **place}), [mode], [mode])


def make_environment(folder: Path) -> None:
    """Airflow and cosmos with Amazon's constraints for this version."""
    if (folder / "bin/airflow").exists():
        return
    constraints = REPOSITORY / "orchestration/constraints/airflow_constraints-3.3.1.txt"
    wanted = ["-r", str(HERE / "cosmos_requirements.txt"), "-c", str(constraints)]
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", *wanted], check=True)


def land(folder: Path, target: str, until: str) -> dict[str, str]:
    """The settings with which dbt finds the landed batches: of an empty lake of the rig, or of a folder."""
    lake = folder / "lake"
    settings = {"PORTMESH_LAKE": str(lake)}
    if target == "athena":
        empty_lake()
    if target == "athena" or not lake.exists():
        command = [PYTHON, "-m", "portmesh", "demo", "land", "--target", target, *(["--until", until] if until else [])]
        subprocess.run(command, cwd=REPOSITORY, env=os.environ | settings, check=True, stdout=subprocess.DEVNULL)
    return settings


def move_to_athena(mesh: Path) -> None:
    """Build every product of a copy of the repository on Athena, without its Python models: Athena runs none."""
    for model in mesh.glob("domains/*/models/**/*.py"):
        model.with_suffix(".yml").unlink()
        model.unlink()
    for group in mesh.glob("domains/*/models/*.yml"):
        group.write_text(group.read_text().replace("engine: emr", "engine: athena"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--ways", help="default: all; dbt,portmesh on athena")
    options.add_argument("--target", choices=("local", "athena"), default="local")
    options.add_argument("--until", help="the last week to land (default: all; 2017-W04 on athena)")
    options.add_argument("--environment", type=Path, default=REPOSITORY / ".venv-cosmos")
    options.add_argument("--keep", type=Path, help="Keep databases and logs in this folder.")
    given = options.parse_args()
    on_athena = given.target == "athena"
    known = WAYS_ON_ATHENA if on_athena else tuple(ROWS)
    ways = given.ways.split(",") if given.ways else known
    if unknown := sorted(set(ways) - set(known)):
        options.error(f"--ways: {', '.join(unknown)} is none of {', '.join(known)}")
    make_environment(given.environment)
    with tempfile.TemporaryDirectory() as temporary, rig_up() if on_athena else nullcontext():
        compare(ways, given.target, given.until or ("2017-W04" if on_athena else ""), given.environment,
            given.keep or Path(temporary))  # fmt: skip


def compare(ways: Sequence[str], target: str, until: str, environment: Path, folder: Path) -> None:
    """Build the mesh in each way, and print a row for each."""
    mesh = folder / "mesh"
    shutil.rmtree(mesh, ignore_errors=True)
    copy_repository(mesh)
    if target == "athena":
        move_to_athena(mesh)
    subprocess.run([DBT, "--quiet", "deps"], cwd=mesh, check=True)
    print(HEAD)
    for way in ways:
        home = folder / way
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        settings = land(folder, target, until) | {
            "PORTMESH_DATABASE": str(home / "mesh.duckdb"), "PORTMESH_PYSPARK_PYTHON": str(PYSPARK_PYTHON)
        }  # fmt: skip
        if way == "dbt":
            own = {"DBT_TARGET_PATH": str(home / "target"), "DBT_LOG_PATH": str(home / "logs")}
            found = of_dbt(mesh, target, settings | own)
        elif way == "portmesh":
            found = of_portmesh(environment, home, mesh, target, settings)
        else:
            found = of_cosmos(way, environment, home, mesh, settings)
        print(found.row(ROWS[way]), flush=True)


if __name__ == "__main__":
    main()
