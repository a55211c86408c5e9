"""The playbook's steps for a breaking change, in order: no reader breaks unexpectedly and no row is lost."""

from __future__ import annotations

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_identity import give_versions
from tests.test_increments import COLUMNS, SALES, land
from tests.test_output_port import EXEMPT
from tests.test_status import run

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

FOLDER = "domains/shop/models/output_ports"
CONSUMERS = "consumers: [{name: desk, purpose: Count sales., until: 2099-12-31}]"
SECOND = SALES.replace("cast(batch as {{ dbt.type_string() }}) as batch,", "")
V1 = f"      - {{v: 1, config: {{alias: sales, meta: {{{CONSUMERS}}}}}}}\n"
V1_ENDS = "      - {v: 1, deprecation_date: 2020-12-31, config: {alias: sales}}\n"
V2 = f"""\
      - v: 2
        config: {{meta: {{version: 2.0.0, starts_from: 1, {CONSUMERS}}}}}
        columns:
          - include: all
            exclude: [batch]
"""
V2_ALONE = V2.replace(", starts_from: 1", "")


def read_by_desk(mesh: Mesh, reference: str) -> None:
    """A model of another domain that counts sales through this reference."""
    mesh.write(
        "domains/desk/models/intermediate/int_desk__sales_counted.sql",
        f"{{{{ config(materialized='table') }}}} select count(*) as sales from {{{{ {reference} }}}}",
    )


def counted(mesh: Mesh) -> int:
    return int(mesh.value("select sales from desk__internal.int_desk__sales_counted"))


def set_latest(mesh: Mesh, version: int) -> None:
    path = mesh.folder / FOLDER / "sales.yml"
    text = path.read_text()
    for other in (1, 2):
        text = text.replace(f"latest_version: {other}", f"latest_version: {version}")
    path.write_text(text)


@pytest.mark.nightly
def test_a_breaking_change_from_the_first_step_to_the_last(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh.set_up("shop", "desk", sources=("sales",))
    mesh.port("shop/sales", SALES, COLUMNS, meta=f"{EXEMPT}\n{CONSUMERS}")
    read_by_desk(mesh, "ref('shop', 'sales')")
    mesh.land(
        "sales",
        "select i as sale_id, 1 as amount, '1' as batch, timestamp '2026-01-01' as landed_at from range(100) t(i)",
    )
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    mesh.change_source("sales", "delete from raw.sales")
    monkeypatch.chdir(mesh.folder)

    # 1. Both versions are published, each with its own consumers. Readers that name no version read the first.
    mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT)
    give_versions(mesh, "sales", {1: SALES, 2: SECOND}, V1 + V2)
    set_latest(mesh, 1)
    land(mesh, 100, 50, batch=2)
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert mesh.value("select count(*) from shop.sales") == 150
    assert mesh.value("select count(*) from shop.sales_v2") == 150
    assert [name for name, _ in mesh.engine.columns("shop.sales_v2")] == ["sale_id", "amount", "landed_at"]
    assert counted(mesh) == 150

    # 2. Readers name their version. The second version has a batch that the first does not have yet.
    read_by_desk(mesh, "ref('shop', 'sales', v=1)")
    land(mesh, 150, 10, batch=3)
    assert mesh.dbt("build", "--select", "sales.v2", "int_desk__sales_counted").ok
    assert counted(mesh) == 150

    # 3. The latest version changes. Readers that name a version are not affected.
    set_latest(mesh, 2)
    assert mesh.dbt("build", "--select", "int_desk__sales_counted").ok
    assert counted(mesh) == 150
    read_by_desk(mesh, "ref('shop', 'sales')")
    assert mesh.dbt("build", "--select", "int_desk__sales_counted").ok
    assert counted(mesh) == 160

    # 4. The first version has a deprecation date and no consumers. A rule names who still reads it.
    give_versions(mesh, "sales", {1: SALES, 2: SECOND}, V1_ENDS + V2)
    read_by_desk(mesh, "ref('shop', 'sales', v=1)")
    stopped = mesh.dbt("build")
    assert "desk reads shop.sales.v1 but is not one of its consumers" in " ".join(stopped.output.split())
    code, text = run(capsys, "retire", "shop.sales.v1", "--yes")
    assert (code, "desk.int_desk__sales_counted" in text) == (1, True), text
    read_by_desk(mesh, "ref('shop', 'sales', v=2)")
    built = mesh.dbt("build")
    assert built.ok, built.output

    # 5. The first version is removed: first its files, then the table that consumers read.
    mesh.remove(f"{FOLDER}/sales_v1.sql")
    give_versions(mesh, "sales", {2: SECOND}, V2_ALONE)
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert "portmesh retire shop.sales" in run(capsys, "status")[1]
    code, text = run(capsys, "retire", "shop.sales", "--yes")
    assert code == 0, text
    assert not mesh.has("shop.sales")
    land(mesh, 160, 10, batch=4)
    assert mesh.dbt("build").ok
    assert mesh.value("select count(*) from shop.sales_v2") == 170
    assert counted(mesh) == 170
