"""Compares a build of the whole demonstration mesh with plain dbt: `python -m demo.benchmarks.mesh [--rounds 3]`.

Builds the same models, contracts and tests in turn as ports and as tables with dbt's own tests, each from an empty
database on a landed lake. Prints a Markdown table of the medians of whole processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests.mesh import REPOSITORY

LINKS = ("domains", "macros", "docs", "selectors.yml", "packages.yml", "profiles.yml", "profiles", "seeds")


def plain_project(folder: Path) -> Path:
    """The repository's project with tables instead of ports, and without rules and records."""
    folder.mkdir()
    for name in LINKS:
        if (REPOSITORY / name).exists():
            (folder / name).symlink_to(REPOSITORY / name)
    project = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())
    for domain, settings in project["models"].items():
        if not domain.startswith("+"):
            settings["output_ports"] = {**settings["output_ports"], "+materialized": "table"}
    project["on-run-start"] = ["{{ create_records() }}", "{{ create_lake_functions() }}"]
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project, sort_keys=False))
    return folder


def build(project: Path, work: Path, fresh: bool) -> tuple[float, float]:
    """Wall and CPU seconds of `dbt build` in its own process, from an empty database if `fresh`."""
    database = work / "mesh.duckdb"
    if fresh:
        database.unlink(missing_ok=True)
    settings = {
        "PORTMESH_DATABASE": str(database), "PORTMESH_LAKE": str(work.parent / "lake"),
        "DBT_TARGET_PATH": str(work / "target"), "DBT_LOG_PATH": str(work / "logs"),
    }  # fmt: skip
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = ["dbt", "--quiet", "build", "--exclude", "file:*.py"]
    subprocess.run(command, cwd=project, env=os.environ | settings, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            ["portmesh", "demo", "land", "--lake", str(folder / "lake")],
            cwd=REPOSITORY,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        plain = plain_project(folder / "plain")
        for project in (plain, REPOSITORY):
            subprocess.run(["dbt", "--quiet", "deps"], cwd=project, check=True)
        ways = {
            "tables and dbt's tests": (plain, folder / "tables", True),
            "ports": (REPOSITORY, folder / "ports", True),
            "ports, nothing new": (REPOSITORY, folder / "ports", False),
        }
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _, work, _ in ways.values():
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
        for _ in range(rounds + 1):
            for way, (project, work, fresh) in ways.items():
                found[way].append(build(project, work, fresh))
    print(f"`dbt build` of the whole mesh, medians of {rounds} rounds after a warm-up, {os.cpu_count()} cores.\n")
    print("| | wall s | CPU s | wall | CPU |\n|---|---|---|---|---|")
    base = [statistics.median(column) for column in zip(*found["tables and dbt's tests"][1:], strict=True)]
    for way, measured in found.items():
        wall, cpu = (statistics.median(column) for column in zip(*measured[1:], strict=True))
        print(f"| {way} | {wall:.1f} | {cpu:.1f} | {wall / base[0]:.0%} | {cpu / base[1]:.0%} |")


if __name__ == "__main__":
    main()
