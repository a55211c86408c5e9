"""Whenever a build is killed, consumers read a whole, audited version, and the next run needs no repair."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.mesh import REPOSITORY, Mesh
from tests.test_increments import AT_LEAST_ONE, COLUMNS, SALES, publish_first_batch
from tests.test_output_port import EXEMPT


def kill(mesh: Mesh, *arguments: str) -> list[dict[str, Any]]:
    """Kill a build before each statement of the port; one record per kill."""
    program = subprocess.run(
        [sys.executable, "-m", "tests.kill_builds", str(mesh.folder), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert program.returncode == 0, program.stderr
    return [json.loads(line) for line in program.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("flags", [["--full-refresh"], []], ids=["full", "increment"])
def test_a_kill_at_any_statement_leaves_a_whole_version(mesh: Mesh, flags: list[str]) -> None:
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT, extra=AT_LEAST_ONE.replace("250", "100000"))
    publish_first_batch(mesh, rows=100)
    assert mesh.dbt("build").ok
    newest = "(select max(landed_at) from raw.sales)"
    mesh.write(
        "land.sql",
        f"insert into raw.sales select i + 10 * (select count(*) from raw.sales), 2, '2', {newest} + interval 1 hour "
        "from range(7) t(i); select count(*) from raw.sales",
    )
    mesh.write(
        "read.sql",
        "select count(*) || ' rows, ' || count(distinct sale_id) || ' keys, ' || sum(amount) from shop.sales",
    )
    mesh.write(
        "landed.sql",
        "select count(*) || ' rows, ' || count(distinct sale_id) || ' keys, ' || sum(amount) from raw.sales",
    )

    kills = kill(mesh, "run", "--select", "sales", *flags)

    assert len(kills) >= 20
    killed_before = " ".join(k["statement"].lower() for k in kills)
    for step in ("create table", "failures", "publications", "drop table"):
        assert step in killed_before, step
    for k in kills:
        assert k["after_kill"] in (k["before"], k["landed"]), k
    reruns = [k for k in kills if "rerun_ok" in k]
    assert len(reruns) >= 6
    for k in reruns:
        assert k["rerun_ok"] is True, k
        assert k["after_rerun"] == k["landed"], k
    versions = mesh.rows("select table_name from duckdb_tables() where table_name like 'sales\\_\\_%' escape '\\'")
    assert len(versions) <= 5, versions
