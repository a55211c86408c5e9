"""Whenever a build is killed, consumers read a complete, audited version, and the next run needs no repair."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from portmesh.cli import main
from tests.engine import ENGINES
from tests.mesh import REPOSITORY, Mesh
from tests.test_increments import AT_LEAST_ONE, COLUMNS, SALES, publish_first_batch
from tests.test_output_port import EXEMPT

pytestmark = pytest.mark.thorough

FULL = pytest.param(["--full-refresh"], id="full", marks=pytest.mark.nightly)
INCREMENT = pytest.param([], id="increment")
FULL_AND_INCREMENT = pytest.mark.parametrize("flags", [FULL, INCREMENT])
MANY_ROWS = AT_LEAST_ONE.replace("250", "100000")
ONE_MORE_COLUMN = "- {name: more_{n}, data_type: bigint, description: One more.}"


@pytest.fixture
def sales(mesh: Mesh) -> Mesh:
    """The incremental port shop.sales with 100 rows, and the files with which the killing program reads and lands."""
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT, extra=MANY_ROWS)
    publish_first_batch(mesh, rows=100)
    newest = "(select max(landed_at) from raw.sales)"
    mesh.write(
        "land.sql",
        f"insert into raw.sales select i + 10 * (select count(*) from raw.sales), 2, '2', {newest} + interval 1 hour "
        "from range(7) t(i)",
    )
    for name, table in (("read", "shop.sales"), ("landed", "raw.sales")):
        mesh.write(f"{name}.sql", f"select count(*), count(distinct sale_id), sum(amount) from {table}")
    return mesh


def kill(mesh: Mesh, victim: str, *arguments: str) -> list[dict[str, Any]]:
    """Kill the client or the server of a build at each statement of the port. Returns one record per kill."""
    program = subprocess.run(
        [sys.executable, "-m", "tests.kill_builds", mesh.target, victim, str(mesh.folder), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert program.returncode == 0, program.stderr
    return [json.loads(line) for line in program.stdout.splitlines() if line.startswith("{")]


def assert_consumers_read_whole_versions(kills: list[dict[str, Any]], rerun_every: int = 3) -> None:
    for k in kills:
        assert k["after_kill"] in (k["before"], k["landed"]), k
    reruns = [k for k in kills if "rerun_ok" in k]
    assert len(reruns) == len(kills) // rerun_every > 0
    for k in reruns:
        assert k["rerun_ok"] is True, k
        assert k["after_rerun"] == k["landed"], k


def assert_what_is_left_can_be_cleared(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mesh.folder)
    with pytest.raises(SystemExit) as stop:
        main(["clean", "--older-than", "0h"])
    assert not stop.value.code
    assert mesh.engine.candidates("shop.sales") == []
    assert mesh.rows("select count(*) from shop.sales") == mesh.rows("select count(distinct sale_id) from shop.sales")


@pytest.mark.engines(*ENGINES)
@FULL_AND_INCREMENT
def test_a_kill_before_any_statement_leaves_a_whole_version(
    sales: Mesh, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = kill(sales, "client", "run", "--select", "sales", *flags)

    assert len(kills) >= 12
    killed_before = " ".join(k["statement"].lower() for k in kills)
    for step in sales.engine.steps_of_a_build:
        assert step in killed_before, step
    assert_consumers_read_whole_versions(kills)
    assert_what_is_left_can_be_cleared(sales, monkeypatch)


@pytest.mark.engines("emr", "athena")
def test_a_kill_while_a_version_adds_a_column(sales: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    add_column = SALES.replace("select\n", "select\n    cast({n} as bigint) as more_{n},\n", 1)
    sales.port("shop/sales", add_column, ONE_MORE_COLUMN + COLUMNS, meta=EXEMPT, extra=MANY_ROWS)
    for path in sales.folder.glob("domains/shop/models/output_ports/sales.*"):
        path.rename(f"{path}.growing")

    kills = kill(sales, "client", "run", "--select", "sales", "--full-refresh")

    killed_before = " ".join(k["statement"].lower() for k in kills)
    for step in sales.engine.steps_of_a_change:
        assert step in killed_before, step
    assert_consumers_read_whole_versions(kills, rerun_every=1)
    assert_what_is_left_can_be_cleared(sales, monkeypatch)


@pytest.mark.engines("emr", "athena")
@FULL_AND_INCREMENT
def test_a_kill_of_the_server_in_any_statement_leaves_a_whole_version(
    sales: Mesh, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = kill(sales, "server", "run", "--select", "sales", *flags)

    assert len(kills) >= 5
    assert_consumers_read_whole_versions(kills)
    assert_what_is_left_can_be_cleared(sales, monkeypatch)
