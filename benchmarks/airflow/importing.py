"""Measures how long Airflow reads the DAGs of a mesh of 100 products: all of them, and in a worker the one it runs.

    python -m benchmarks.airflow.importing [products]

For each Airflow that is installed (tools/environment.sh airflow3, airflow2), in CPU seconds: its own modules, which
a scheduler or a worker has read before; then portmesh_dags.py with all products; then as a worker reads it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from orchestration.local import LocalAirflow

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "orchestration/dags"
RUNS = 5
PORTS = 5
TIMED = """
import importlib.util, os, statistics, sys, time
started = time.process_time()
import airflow
try:
    import airflow.sdk
    for name in ("DAG", "Asset", "AssetOrTimeSchedule", "BaseOperator", "CronTriggerTimetable", "Param"):
        getattr(airflow.sdk, name)
    import airflow.providers.standard.operators.empty
except ImportError:
    import airflow.operators.empty, airflow.datasets, airflow.timetables.datasets
print("airflow", airflow.__version__, time.process_time() - started)

def read():
    started = time.process_time()
    spec = importlib.util.spec_from_file_location("dags", "portmesh_dags.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return time.process_time() - started, sum(isinstance(each, module.DAG) for each in vars(module).values())

def median(name):
    runs = [read() for _ in range(RUNS)]
    print(name, runs[0][1], statistics.median(seconds for seconds, _ in runs))

median("all")
os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = "product_7"
median("worker")
"""


def schedule_of(products: int) -> dict[str, object]:
    """A schedule of this many products, made from the repository's. Each reads two others."""
    found = json.loads((DAGS / "portmesh_schedule.json").read_text())
    one = next(iter(found["products"].values()))
    port = next(iter(one["ports"].values()))
    made = {
        f"product_{number}": one
        | {
            "ports": {f"product_{number}.port_{each}": port for each in range(PORTS)},
            "inputs": [f"product_{number // 2}.port_0", f"product_{number // 3}.port_1"] if number else [],
            "on_inputs": number > 0,
            "schedule": "0 6 * * *",
            "upkeep": None,
        }
        for number in range(products)
    }
    return found | {"products": made}


def measure(major: int, folder: Path) -> list[str]:
    """The lines that TIMED prints."""
    airflow = LocalAirflow(major, folder / "home", folder, {})
    code = TIMED.replace("RUNS", str(RUNS))
    done = subprocess.run(
        [airflow.python, "-W", "ignore", "-c", code],
        cwd=folder,
        env=airflow.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if line.startswith(("airflow ", "all ", "worker "))]


def main(products: int = 100) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(DAGS / "portmesh_dags.py", folder)
        (folder / "portmesh_schedule.json").write_text(json.dumps(schedule_of(products)))
        for major in (3, 2):
            if (ROOT / f".venv-airflow{major}/bin/python").exists():
                own, everything, worker = (line.split() for line in measure(major, folder))
                print(
                    f"Airflow {own[1]}: own modules {float(own[2]):.2f} s; {everything[1]} DAGs "
                    f"{float(everything[2]):.2f} s; in a worker {worker[1]} DAG {float(worker[2]) * 1000:.0f} ms"
                )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
