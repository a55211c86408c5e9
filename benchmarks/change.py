"""Measures what a change selects in the generated mesh: `python -m benchmarks.change [--state FILE] [--each 5]`.

Compiles the mesh of 100 domains once; FILE keeps it for the next time. Then it changes one model at a time, in its SQL:
an expression, a filter, a join, and two changes that say the same as before, a comment and another name of a CTE.
For each kind, it prints the share of the mesh's nodes (models and tests) that `portmesh plan` selects, beside that of
dbt's `state:modified+`, and the CPU seconds of the comparison. Finally it removes a column from a port, and
prints whom `portmesh diff` names.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.generated_mesh import write_mesh
from portmesh.contracts.diff.readers import REACHED
from portmesh.contracts.diff.report import Report, report
from portmesh.dbt import install_packages
from portmesh.lineage import read_lineage
from portmesh.planning.plan import plan
from portmesh.state import MeshState, current_state

Node = Mapping[str, Any]
Manifest = Mapping[str, Any]
Edit = Callable[[str], str]


def expression(sql: str) -> str:
    """Another expression of one measure."""
    lines = [line for line in sql.splitlines() if line.startswith("        ") and ") as " in line and "measure" in line]
    line = lines[-1] if lines else ""
    value, _, name = line.strip().rpartition(" as ")
    return sql.replace(line, f"        2 * {value} as {name}", 1) if line else sql


def a_filter(sql: str) -> str:
    """A filter at the end."""
    return f"{sql.rstrip()}\nwhere landed_at is not null\n" if "landed_at" in sql else sql


def a_join(sql: str) -> str:
    """An inner join instead of the first left join."""
    return sql.replace("left join", "inner join", 1)


def comment(sql: str) -> str:
    """A comment."""
    return f"-- Reviewed in November.\n{sql}"


def other_name(sql: str) -> str:
    """Another name of the last CTE."""
    name = sql.split()[-1]
    return f"{sql.rstrip().removesuffix(name)}the_end\n".replace(f"{name} as (", "the_end as (")


EDITS: dict[str, Edit] = {
    "an expression": expression, "a filter": a_filter, "a join": a_join,
    "a comment": comment, "a CTE's name": other_name,
}  # fmt: skip


def models_of(manifest: Manifest) -> list[Node]:
    """The models of the mesh."""
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def replaced(manifest: Manifest, node: Node, **values: object) -> Manifest:
    """The manifest with other values in one node."""
    new = {**node, **values, "checksum": {"name": "sha256", "checksum": "another"}}
    return {**manifest, "nodes": {**manifest["nodes"], node["unique_id"]: new}}


def edited(manifest: Manifest, node: Node, edit: Edit) -> Manifest:
    """The manifest with another SQL of a model."""
    return replaced(manifest, node, raw_code=edit(node["raw_code"]), compiled_code=edit(node["compiled_code"]))


def downstream(manifest: Manifest, id_: str) -> set[str]:
    """What dbt's `state:modified+` selects: the node and everything that depends on it, exposures not counted."""
    found, ahead = set(), [id_]
    while ahead:
        if (one := ahead.pop()) not in found:
            found.add(one)
            ahead += manifest["child_map"].get(one, [])
    return {one for one in found if not one.startswith("exposure.")}


def broken(manifest: Manifest) -> tuple[Node, str, str, Manifest]:
    """A port, a column of it, a domain that reads this column, and the mesh without the column in the port."""
    for reader in models_of(manifest):
        for id_ in reader["depends_on"]["nodes"]:
            port = manifest["nodes"].get(id_)
            if port and port["package_name"] != reader["package_name"]:
                column = next((name for name in port["columns"] if f"sum({name})" in reader["compiled_code"]), "")
                if column:
                    return port, column, reader["package_name"], without(manifest, port, column)
    raise AssertionError("no model reads a column of another domain's port")


def without(manifest: Manifest, port: Node, column: str) -> Manifest:
    """The mesh after a column was removed from a port: from its SQL, its contract and its checks."""
    sql = "\n".join(line for line in port["compiled_code"].splitlines() if not line.endswith(f" as {column},"))
    columns = {name: each for name, each in port["columns"].items() if name != column}
    after = replaced(manifest, port, raw_code=sql, compiled_code=sql, columns=columns)
    nodes = {
        id_: node
        for id_, node in after["nodes"].items()
        if (node.get("attached_node"), node.get("column_name")) != (port["unique_id"], column)
    }
    return {**after, "nodes": nodes}


def measure(before: MeshState, each: int, cache: Path) -> Iterator[str]:
    """A row of the table for each kind of change."""
    random = Random(0)
    total = len(before.mesh.nodes)
    read_lineage(before.manifest, cache)
    for what, edit in EDITS.items():
        nodes = [node for node in models_of(before.manifest) if edit(node["compiled_code"]) != node["compiled_code"]]
        planned, selected, seconds = [], [], []
        for node in random.sample(nodes, each):
            after = MeshState("after", edited(before.manifest, node, edit))
            started = time.process_time()
            planned.append(100 * len(plan(before, after, cache).nodes) / total)
            seconds.append(time.process_time() - started)
            selected.append(100 * len(downstream(before.manifest, node["unique_id"])) / total)
        shares = " | ".join(f"{statistics.median(found):.2f} % | {max(found):.2f} %" for found in (planned, selected))
        yield f"| {what} | {len(nodes)} | {shares} | {statistics.median(seconds):.1f} |"


def readers(found: Report, port: str) -> list[str]:
    """Those whom a change of a port reaches."""
    return [
        reader.name
        for one in found.ports
        for reader in one.readers
        if one.change.label == port and reader.state == REACHED
    ]


def state_of(kept: Path | None) -> MeshState:
    """The compiled mesh, from the file if there is one."""
    if kept and kept.is_file():
        return MeshState("before", json.loads(kept.read_text()))
    with tempfile.TemporaryDirectory() as place, chdir(place):
        os.environ["PORTMESH_ENVIRONMENT"] = "prod"
        folder = Path(place) / "mesh"
        write_mesh(folder)
        with chdir(folder):
            install_packages()
            state = current_state()
    if kept:
        kept.write_text(json.dumps(state.manifest, default=str))
    return state


def main() -> None:
    """Run the measurements and print them."""
    options = argparse.ArgumentParser(description="Measures what a change selects.")
    options.add_argument("--state", type=Path)
    options.add_argument("--each", type=int, default=5)
    chosen = options.parse_args()
    before = state_of(chosen.state)
    with tempfile.TemporaryDirectory() as place:
        cache = Path(place, "lineage.sqlite")
        print("| change | models | plan: median | largest | state:modified+: median | largest | CPU s |")
        print("|---|---|---|---|---|---|---|")
        for row in measure(before, chosen.each, cache):
            print(row, flush=True)
        port, column, reader, after = broken(before.manifest)
        label = f"{port['package_name']}.{port['name']}"
        started = time.process_time()
        found = report(before, MeshState("after", after), cache)
        print(f"\n{column} is removed from {label}, {reader} reads it; diff ({time.process_time() - started:.1f} s):")
        print(f"{found.verdict}; reaches {', '.join(readers(found, label))}")
        assert reader in readers(found, label)


if __name__ == "__main__":
    main()
