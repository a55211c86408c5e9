"""Measures what readers see while a table is replaced: `python -m benchmarks.readers emr|athena [--publications 100]`.

`dbt run` publishes a port of 50,000 rows repeatedly; every tenth candidate has a flaw that its checks find. Meanwhile
four processes read the port: on Spark and on Trino, as a scan and joined with itself. Then the same loop runs with
dbt's own materializations and `dbt build`. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.reading import READERS, Attempt, Read, Reader, tally, watch
from benchmarks.rigs import machine, rig_up, set_up, write_port
from tests.engine_glue import empty_lake
from tests.mesh import Mesh

# dbt's own materializations on each engine, and the engines whose readers can read their tables.
TRINO_ONLY = [reader for reader in READERS if reader.engine == "Trino"]
OWN: dict[str, dict[str, tuple[dict[str, Any], Sequence[Reader]]]] = {
    "emr": {"dbt's table, Iceberg (create or replace)": ({}, READERS)},
    "athena": {
        "dbt's table, Iceberg (rename)": ({}, READERS),
        "dbt's table, Hive (ha)": ({"+table_type": "hive", "+ha": True}, TRINO_ONLY),
    },
}
COLUMNS = """
- {name: n, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- {name: version, data_type: bigint, description: The version., data_tests: [not_null]}
- name: amount
  data_type: bigint
  description: An amount.
  data_tests: [{accepted_range: {arguments: {min_value: 0}}}]
"""
FLAWED_EVERY = 10


def write_version(mesh: Mesh, version: int, is_flawed: bool) -> None:
    """A model whose rows all have this version. With a flaw, one amount is negative."""
    amount = "case when n = 7 then -1 else n end" if is_flawed else "n"
    sql = (
        f"select cast(n as bigint) as n, cast({version} as bigint) as version, cast({amount} as bigint) as amount "
        "from {{ source('raw', 'numbers') }}"
    )
    write_port(mesh, "board", sql, COLUMNS)


def publish_first(mesh: Mesh, environment: str, own: Mapping[str, Any] | None = None) -> None:
    """Version 1 of the port `bench.board`. With `own`, it is a dbt table with these settings."""
    set_up(mesh, environment, ("numbers",), own)
    write_version(mesh, 1, is_flawed=False)
    assert mesh.dbt("deps", "--quiet").ok
    assert publisher(mesh, "build")(1)


def publisher(mesh: Mesh, command: str) -> Callable[[int], bool]:
    """Write a version with this dbt command. Returns whether all checks passed, which only flawed versions may not."""

    def publish(version: int) -> bool:
        is_flawed = version % FLAWED_EVERY == 0
        write_version(mesh, version, is_flawed)
        done = mesh.dbt("--quiet", command, "--select", "board")
        assert done.ok is not is_flawed, f"version {version}: {done.output}"
        return done.ok

    return publish


def lines(
    name: str, reads: Mapping[Reader, Sequence[Read]], attempts: Sequence[Attempt], seconds: Sequence[float], rows: int
) -> list[str]:
    """The rows of the table, one per reader, and a line for each kind of error."""
    bad = sum(not attempt.is_good for attempt in attempts)
    table, notes = [], []
    for reader, of_reader in reads.items():
        found = tally(of_reader, attempts, rows)
        table.append(
            f"| {name} | {len(seconds)} ({bad}) | {median(seconds):.1f} | {reader.name} | {found.reads:,} "
            f"| {found.errors.total()} | {found.mixed} | {found.stale} | {found.bad} | {found.seconds:.2f} |"
        )
        notes += [f"<!-- {name}: {reader.name}: {count} {kind} -->" for kind, count in found.errors.most_common(4)]
    return table + notes


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("engine", choices=sorted(OWN))
    options.add_argument("--publications", type=int, default=100)
    options.add_argument(
        "--comparisons", type=int, default=15, help="publications with each of dbt's own materializations"
    )
    options.add_argument("--reads", type=int, default=1000, help="reads of the port on each engine, at least")
    options.add_argument("--rows", type=int, default=50_000)
    options.add_argument("--pause", type=float, default=0.1, help="seconds between two reads of one reader")
    given = options.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with rig_up(), tempfile.TemporaryDirectory() as folder:
        empty_lake()
        mesh = Mesh(Path(folder), given.engine)
        mesh.land("numbers", f"select i as n from range({given.rows}) t(i)")
        print(f"{given.engine}, {given.rows:,} rows; {machine()}.\n")
        print("| | publications (flawed) | s each | reader | reads | errors | mixed | stale | bad | s a read |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        publish_first(mesh, "prod")
        found = watch("bench.board", publisher(mesh, "run"), given.publications, given.reads, READERS, given.pause)
        print(*lines("**port**", *found, given.rows), sep="\n")
        for place, (name, (settings, readers)) in enumerate(OWN[given.engine].items()):
            publish_first(mesh, f"own{place}", settings)
            table = f"own{place}__bench.board"
            found = watch(table, publisher(mesh, "build"), given.comparisons, 0, readers, given.pause)
            print(*lines(name, *found, given.rows), sep="\n")


if __name__ == "__main__":
    main()
