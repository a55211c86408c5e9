"""Measures how long somebody waits for dbt in a large mesh, with and without a focus: `python -m benchmarks.waiting`.

Writes the generated mesh to a temporary folder and runs dbt in a new process for each measurement: with nothing kept
from an earlier run (cold), after one line of a model changed (warm), and a build of that model. The same in the whole
mesh and with PORTMESH_FOCUS. Prints a Markdown table of wall and CPU seconds, medians of the rounds. The first line is
what a Python that only imports dbt takes: on a shared machine, compare with it.
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

from benchmarks.generated_mesh import Domain, write_mesh

DBT = [str(Path(sys.executable).with_name("dbt")), "--quiet"]


def seconds(folder: Path, focus: str, command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command in its own process, in the mesh's folder."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PORTMESH_FOCUS": focus}, capture_output=True, text=True, check=False
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(folder: Path, domain: Domain, focus: str) -> dict[str, tuple[float, float]]:
    """The three measurements: cold, warm, and a build."""
    model = next(model for model in domain.models if model.folder == "intermediate")
    file = folder / f"domains/{domain.name}/models/intermediate/{model.name}.sql"
    listing = [*DBT, "ls", "--select", f"package:{domain.name}"]
    shutil.rmtree(folder / "target", ignore_errors=True)
    found = {"cold: dbt ls": seconds(folder, focus, listing)}
    file.write_text(file.read_text() + f"-- changed at {time.time()}\n")
    found["warm, one model changed: dbt ls"] = seconds(folder, focus, listing)
    found["warm: dbt run of one model"] = seconds(folder, focus, [*DBT, "run", "--select", model.name])
    return found


def main() -> None:
    """Run the measurements and print their table."""
    options = argparse.ArgumentParser(description="Measures how long somebody waits for dbt.")
    options.add_argument("--domains", type=int, default=100)
    options.add_argument("--rounds", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        domain = write_mesh(folder, chosen.domains)[-chosen.domains // 4]
        subprocess.run([*DBT, "deps"], cwd=folder, check=True)
        imported = seconds(folder, "", [sys.executable, "-c", "import dbt.cli.main"])
        print("| | wall s | CPU s |\n|---|---|---|")
        print(f"| Python that imports dbt | {imported[0]:.1f} | {imported[1]:.1f} |")
        subprocess.run([*DBT, "run", "--select", f"+package:{domain.name}"], cwd=folder, check=True)
        for focus in ("", domain.name):
            rounds = [measure(folder, domain, focus) for _ in range(chosen.rounds)]
            for what in rounds[0]:
                wall, cpu = (statistics.median(each[what][part] for each in rounds) for part in (0, 1))
                print(f"| {'focus' if focus else 'whole mesh'}, {what} | {wall:.1f} | {cpu:.1f} |", flush=True)


if __name__ == "__main__":
    main()
