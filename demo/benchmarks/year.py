"""Builds the whole year of the demonstration on each engine: `python -m demo.benchmarks.year`.

Lands all weeks in a lake in Glue and in a folder. Builds the whole mesh with `dbt build` on DuckDB, Spark and Athena,
and with `portmesh build`, each domain on its own engine. Prints a Markdown table. Fails if a node fails, or if a port
has a different number of rows than on DuckDB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.rigs import machine, rig_up
from tests.engine import engine_at
from tests.engine_glue import empty_lake
from tests.mesh import REPOSITORY

DBT, PORTMESH = (str(Path(sys.executable).parent / name) for name in ("dbt", "portmesh"))
IN_SQL = ("--exclude", "file:*.py")
WAYS = {
    "local": [DBT, "--quiet", "build", "--target", "local", *IN_SQL],
    "emr": [DBT, "--quiet", "build", "--target", "emr", *IN_SQL],
    "athena": [DBT, "--quiet", "build", "--target", "athena", *IN_SQL],
    "own": [PORTMESH, "build", "--target", "athena", *IN_SQL],
}
"""Athena runs no Python models, and the rig's Spark only with Spark Connect."""
OF_THE_RUN = "platform"
"""The domain whose rows describe the runs themselves."""


def run(command: list[str], settings: dict[str, str]) -> float:
    """The seconds that a command takes in the repository. It must succeed."""
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return time.perf_counter() - started


def statuses(folder: Path) -> Counter[str]:
    """The number of nodes by status, from the artifacts of a run. `portmesh build` writes them per step."""
    files = list(folder.rglob("run_results_*.json")) or folder.rglob("run_results.json")
    results = [one for file in files for one in json.loads(file.read_text())["results"]]
    return Counter(one["status"] for one in results if not one["unique_id"].startswith("operation."))


def rows_by_port(way: str, folder: Path) -> dict[str, int]:
    """The number of rows that consumers read from each port."""
    engine = engine_at("local" if way == "local" else "athena", folder)
    prefix = f"on_{way}__"
    records = engine.records("publications", f"{prefix}portmesh")
    published = engine.rows(f"select distinct product, port from {records} where product <> '{OF_THE_RUN}'")
    return {
        f"{product}.{port}": engine.rows(f"select count(*) from {prefix}{product}.{port}")[0][0]
        for product, port in published
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--until", help="the last week to land, such as 2017-W12 (default: the whole year)")
    given = options.parse_args()
    until = ["--until", given.until] if given.until else []
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ["RIG_TRINO_SPILLS"] = "true"
    with rig_up(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty_lake()
        run([DBT, "--quiet", "deps"], {})
        shared = {"PORTMESH_DATABASE": str(folder / "mesh.duckdb"), "PORTMESH_LAKE": str(folder / "lake")}
        for target in ("local", "emr"):
            run([PORTMESH, "demo", "land", "--target", target, *until], shared)
        print(f"The whole mesh, {given.until or 'all weeks'}; {machine()}.\n")
        print("| | seconds | nodes | rows of ports |\n|---|---|---|---|")
        expected: dict[str, int] = {}
        for way, command in WAYS.items():
            artifacts = folder / way
            settings = {
                "PORTMESH_ENVIRONMENT": f"on_{way}", "DBT_TARGET_PATH": str(artifacts), "DBT_LOG_PATH": str(artifacts),
            }  # fmt: skip
            seconds = run(command, shared | settings)
            rows = rows_by_port(way, folder)
            expected = expected or rows
            assert rows == expected, f"{way}: {rows}, but on DuckDB {expected}"
            ended = ", ".join(f"{count} {status}" for status, count in sorted(statuses(artifacts).items()))
            shown = " ".join(word if "/" not in word else Path(word).name for word in command)
            print(f"| `{shown}` | {seconds:.0f} | {ended} | {sum(rows.values()):,} in {len(rows)} ports |")


if __name__ == "__main__":
    main()
