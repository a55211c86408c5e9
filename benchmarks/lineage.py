"""Measures the lineage of a large mesh: nothing kept, nothing changed, one model changed.

    python -m benchmarks.generated_mesh FOLDER && (cd FOLDER && dbt deps)
    python -m benchmarks.lineage FOLDER

FOLDER may also be a manifest.json with compiled SQL. Prints seconds of CPU for reading the lineage from the manifest,
the median of three; dbt's time for the manifest itself does not count.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

from portmesh.lineage import Lineage, read_lineage
from portmesh.state import current_state

RUNS = 3


def manifest_of(place: Path) -> dict[str, Any]:
    if place.is_file():
        found: dict[str, Any] = json.loads(place.read_text())
        return found
    with chdir(place):
        return dict(current_state().manifest)


def seconds(read: Callable[[], Lineage]) -> float:
    started = time.process_time()
    read()
    return time.process_time() - started


def main() -> None:
    options = argparse.ArgumentParser(description="Measures the lineage of a mesh.")
    options.add_argument("place", type=Path, help="the folder of a mesh, or a manifest with compiled SQL")
    manifest = manifest_of(options.parse_args().place)
    models = [id_ for id_, node in manifest["nodes"].items() if node["resource_type"] == "model"]
    cold, warm, changed = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(RUNS):
            file = Path(folder) / f"{run}.sqlite"
            cold.append(seconds(lambda file=file: read_lineage(manifest, file)))  # type: ignore[misc]
            warm.append(seconds(lambda file=file: read_lineage(manifest, file)))  # type: ignore[misc]
            node = manifest["nodes"][models[run]]
            node["compiled_code"] = f"select *, 1 as added from ({node['compiled_code']}) as before"
            changed.append(seconds(lambda file=file: read_lineage(manifest, file)))  # type: ignore[misc]
    lineage = read_lineage(manifest)
    columns = sum(len(node.columns) for id_, node in lineage.nodes.items() if id_ in manifest["nodes"])
    unknown = sum(bool(node.unknown) for node in lineage.nodes.values())
    print(f"{len(models):,} models, {columns:,} columns, {unknown} of unknown lineage; seconds of CPU:")
    for name, times in (("nothing kept", cold), ("nothing changed", warm), ("one model changed", changed)):
        print(f"  {name:<18} {statistics.median(times):6.2f}")


if __name__ == "__main__":
    main()
