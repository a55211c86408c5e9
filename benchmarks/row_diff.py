"""Measures the comparison of a port's rows: `python -m benchmarks.row_diff [--rows 20000000]`.

Generates order lines of 15 columns twice in a DuckDB file, with and without a difference in them, and runs the
statement of `portmesh diff --data` and a plain full outer join of the same tables that reads the same columns. Each
runs in a process of its own. Prints a Markdown table: CPU seconds, peak of memory, and the share of the join.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from contextlib import chdir
from pathlib import Path

import duckdb

from benchmarks.profile import LINES
from portmesh.dbt import run_operation
from tests.mesh import Mesh

QUIET = "set enable_progress_bar = false"
MAKING = f"{QUIET}; set memory_limit = '4GB'; set preserve_insertion_order = false"
KEY = ("order_id", "line_number")
FEW = """
    select * replace (
        case when hash(order_id, line_number, 1) % 200 = 0 then sales_value + 0.01 else sales_value end as sales_value,
        case when hash(order_id, line_number, 2) % 1000 = 0 then null else remark end as remark
    )
    from shop.lines
    where hash(order_id, line_number, 3) % 1000 > 0
    union all
    select * replace (order_id + 100000000 as order_id) from shop.lines where hash(order_id, line_number, 4) % 1000 = 0
"""
"""0.5 % of the rows have another value, 0.1 % another null, 0.1 % are gone and 0.1 % are new."""
ALL = "select * replace (sales_value + 1 as sales_value, quantity + 1 as quantity) from shop.lines"
BRANCHES = {"no row differs": "select * from shop.lines", "0.8 % of the rows differ": FEW, "every row differs": ALL}
PROBE = """
{% macro probe(built) %}
  {% set was = api.Relation.create(database=target.database, schema='shop', identifier='lines') %}
  {% set now = api.Relation.create(database=target.database, schema='shop', identifier=built) %}
  {% set columns = portmesh.pair_columns(portmesh.portable_columns(was), portmesh.portable_columns(now), []) %}
  {% set key = columns | selectattr('name', 'in', ['order_id', 'line_number']) | list %}
  {% do print(tojson(portmesh.sql_by_key(was, now, columns, key, 0, 3))) %}
{% endmacro %}
"""


def statement(mesh: Mesh, built: str) -> str:
    """The statement that `portmesh diff --data` sends for these tables."""
    with chdir(mesh.folder):
        (printed,) = run_operation("probe", f"{{built: {built}}}")
    mesh.engine.close()
    return str(duckdb.execute("select cast(? as json) ->> '$'", [printed]).fetchall()[0][0])


def plain_join(columns: list[str], built: str) -> str:
    """A full outer join that reads every column of both sides."""
    counts = ", ".join(f"count(was.{name}), count(now.{name})" for name in columns)
    condition = " and ".join(f"was.{name} = now.{name}" for name in KEY)
    return f"select {counts} from shop.lines as was full outer join shop.{built} as now on {condition}"


def measure(database: Path, sql: str) -> tuple[float, float, float]:
    """Wall and CPU seconds of a statement, and the peak of memory of its process in GB."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(QUIET)
        before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        connection.execute(sql).fetchall()
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="portmesh_bench_") as folder:
        mesh = Mesh(Path(folder))
        mesh.set_up("shop", environment="dev_ana", root={"macro-paths": ["macros", "probe"]})
        mesh.write("probe/probe.sql", PROBE)
        assert mesh.dbt("deps", "--quiet").ok
        with duckdb.connect(str(mesh.database)) as made:
            made.execute(f"{MAKING}; create schema shop")
            made.execute(f"create table shop.lines as {LINES.format(rows=rows)}")
            columns = [name for name, *_ in made.execute("describe shop.lines").fetchall()]
        print("| | wall s | CPU s | of the join's CPU | GB |\n|---|---|---|---|---|")
        for place, (what, select) in enumerate(BRANCHES.items()):
            with duckdb.connect(str(mesh.database)) as made:
                made.execute(MAKING)
                made.execute(f"create table shop.built_{place} as {select}")
            given = {
                "plain join": plain_join(columns, f"built_{place}"),
                "comparison": statement(mesh, f"built_{place}"),
            }
            whole = 0.0
            for name, sql in given.items():
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    wall, cpu, peak = pool.apply(measure, (mesh.database, sql))
                whole = whole or cpu
                print(f"| {what}: {name} | {wall:.1f} | {cpu:.1f} | {cpu / whole:.0%} | {peak:.1f} |", flush=True)
            with duckdb.connect(str(mesh.database)) as made:
                made.execute(f"drop table shop.built_{place}")
    print(f"\n{rows:,} rows. DuckDB {duckdb.__version__}, Python {sys.version.split()[0]}.")


if __name__ == "__main__":
    main()
