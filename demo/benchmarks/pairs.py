"""Compares customer_behaviour.product_pairs with the same port in SQL: `python -m demo.benchmarks.pairs [--rounds 3]`.

Lands the year in a copy of the repository and builds what both ports read. Then it builds each port in a dbt process of
its own, with contract, checks and publication. Prints a Markdown table. Fails if a row differs. Needs
tools/environment.sh pyspark.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.processes import Tree
from benchmarks.rigs import machine
from tests.mesh import REPOSITORY
from tests.python_port import PYTHON
from tests.repository import copy_repository

SQL = Path(__file__).with_name("product_pairs.sql")
PORTS = Path("domains/customer_behaviour/models/output_ports")
IN_PYTHON, IN_SQL = "product_pairs", "product_pairs_in_sql"
PORT, TWIN = f"customer_behaviour.{IN_PYTHON}", f"customer_behaviour.{IN_SQL}"


def write_twin(mesh: Path) -> None:
    """Add the port in SQL to a mesh, with the contract and the checks of the one in Python."""
    contract = (mesh / PORTS / f"{IN_PYTHON}.yml").read_text()
    contract = re.sub(r"\n *\{\{ doc\(.*", "", contract).replace(IN_PYTHON, IN_SQL)
    (mesh / PORTS / f"{IN_SQL}.yml").write_text(contract)
    (mesh / PORTS / f"{IN_SQL}.sql").write_text(SQL.read_text())


def compare(rows: Callable[[str], list[Any]], twin: str = TWIN) -> tuple[int, int]:
    """How many rows the port in Python has, and how many rows only one of the two has. `rows` runs a query."""
    python, sql = f"select * from {PORT}", f"select * from {twin}"
    ((found, missing, added),) = rows(
        f"select (select count(*) from ({python}) as p), (select count(*) from ({python} except all {sql}) as m), "
        f"(select count(*) from ({sql} except all {python}) as a)"
    )
    return found, missing + added


def run(mesh: Path, *command: str) -> tuple[float, float]:
    """Wall seconds of a command in the mesh, and CPU seconds of all processes that it starts."""
    program = str(Path(sys.executable).with_name(command[0]))
    settings = {
        "PORTMESH_DATABASE": str(mesh / "mesh.duckdb"), "PORTMESH_LAKE": str(mesh / ".lake"),
        "PORTMESH_PYSPARK_PYTHON": str(PYTHON), "DBT_TARGET_PATH": str(mesh / "target"),
        "DBT_LOG_PATH": str(mesh / "logs"),
    }  # fmt: skip
    tree = Tree()
    started, before = time.perf_counter(), tree.cpu_seconds()
    subprocess.run([program, *command[1:]], cwd=mesh, env=os.environ | settings, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started, tree.cpu_seconds() - before


def _seconds_of_port(mesh: Path, name: str) -> float:
    """What dbt says that the port took: in Python, that includes the start of Spark."""
    results = json.loads((mesh / "target/run_results.json").read_text())["results"]
    return next(float(one["execution_time"]) for one in results if one["unique_id"].endswith(f".{name}"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        mesh = Path(name) / "portmesh"
        copy_repository(mesh)
        write_twin(mesh)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY / "demo")])
        run(mesh, "portmesh", "demo", "land")
        run(mesh, "dbt", "--quiet", "deps")
        run(mesh, "dbt", "--quiet", "build", "--select", "+order_lines")
        measured: dict[str, list[tuple[float, float, float]]] = {IN_PYTHON: [], IN_SQL: []}
        for _ in range(rounds):
            for port, each in measured.items():
                each.append((*run(mesh, "dbt", "--quiet", "build", "--select", port), _seconds_of_port(mesh, port)))
        with duckdb.connect(str(mesh / "mesh.duckdb"), read_only=True) as connection:
            rows, differing = compare(lambda sql: connection.sql(sql).fetchall())
    assert differing == 0, f"{differing} of {rows} rows differ"
    print(f"{rows:,} pairs, the same in both; {machine()}; medians of {rounds}.\n")
    print("| | wall s | CPU s | of which the port, wall s |\n|---|---|---|---|")
    for label, port in (("PySpark", IN_PYTHON), ("SQL", IN_SQL)):
        wall, cpu, own = (statistics.median(column) for column in zip(*measured[port], strict=True))
        print(f"| {label} | {wall:.1f} | {cpu:.1f} | {own:.1f} |")


if __name__ == "__main__":
    main()
