"""A renamed port, or a second version, keeps the published rows, although the lake no longer has them."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_identity import give_versions
from tests.test_increments import COLUMNS, SALES, land, last_attempt, publish_first_batch
from tests.test_output_port import EXEMPT
from tests.test_status import run

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

FOLDER = "domains/shop/models/output_ports"
Capsys = pytest.CaptureFixture[str]
KEPT = "\nstarts_from: sales"


@pytest.fixture
def sales(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """The incremental port shop.sales with the 100 rows of batch 1, which the source no longer has."""
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT)
    publish_first_batch(mesh, rows=100)
    mesh.change_source("sales", "delete from raw.sales")
    monkeypatch.chdir(mesh.folder)
    return mesh


def name_files(mesh: Mesh, new: str, sql: str = SALES, columns: str = COLUMNS, meta: str = "") -> None:
    """Rename the files of shop.sales."""
    for ending in ("sql", "yml"):
        mesh.remove(f"{FOLDER}/sales.{ending}")
    mesh.port(f"shop/{new}", sql, columns, meta=EXEMPT + meta)


def batches(mesh: Mesh, port: str) -> list[tuple[object, ...]]:
    return mesh.rows(f"select batch, count(*) from {port} group by 1 order by 1")


# By the command


def test_a_renamed_port_keeps_its_rows(sales: Mesh, capsys: Capsys) -> None:
    name_files(sales, "purchases")
    code, text = run(capsys, "rename", "shop.sales", "shop.purchases")
    assert code == 0, text
    assert "shop.sales would continue as shop.purchases (100 rows)." in text
    assert "portmesh rename shop.sales shop.purchases --yes" in text
    assert run(capsys, "rename", "shop.sales", "shop.purchases", "--yes", "--dry-run")[1] == text
    assert not sales.has("shop.purchases")

    code, text = run(capsys, "rename", "shop.sales", "shop.purchases", "--yes")
    assert code == 0, text
    assert "shop.sales continues as shop.purchases (100 rows)." in text
    assert "once they read the new name: portmesh retire shop.sales" in text
    assert batches(sales, "shop.purchases") == [("1", 100)]

    land(sales, 100, 50, batch=2)
    built = sales.dbt("build")
    assert built.ok, built.output
    assert last_attempt(sales) == ("increment", "published", 150)
    assert batches(sales, "shop.purchases") == [("1", 100), ("2", 50)]
    assert batches(sales, "shop.sales") == [("1", 100)]
    assert run(capsys, "rollback", "shop.purchases")[0] == 0
    assert batches(sales, "shop.purchases") == [("1", 100)]

    text = run(capsys, "status")[1]
    assert "  shop.sales   100 rows, published < 1 min ago and not since; renamed to shop.purchases" in text
    assert run(capsys, "retire", "shop.sales", "--yes")[0] == 0
    assert not sales.has("shop.sales")
    assert batches(sales, "shop.purchases") == [("1", 100)]


def test_rows_that_fail_todays_checks_are_not_renamed(sales: Mesh, capsys: Capsys) -> None:
    name_files(sales, "purchases", columns=COLUMNS.replace("[1, 2, 3]", "[2, 3]"))
    code, text = run(capsys, "rename", "shop.sales", "shop.purchases", "--yes")
    assert code == 1
    assert "shop.purchases was not published." in text
    assert "accepted_values" in text
    assert not sales.has("shop.purchases")
    assert batches(sales, "shop.sales") == [("1", 100)]


@pytest.mark.nightly
def test_what_cannot_be_renamed_says_why(sales: Mesh, capsys: Capsys) -> None:
    code, text = run(capsys, "rename", "shop.sales", "shop.purchases", "--yes")
    assert (code, text.startswith("shop.sales was not renamed: its model still has that name.")) == (1, True), text

    code, text = run(capsys, "rename", "shop.sale", "shop.purchases", "--yes")
    assert (code, text.startswith("There is no shop.sale to rename.")) == (1, True), text

    name_files(sales, "purchases")
    code, text = run(capsys, "rename", "shop.sale", "shop.purchases", "--yes")
    assert "Did you mean shop.sales?" in text
    code, text = run(capsys, "rename", "shop.sales", "shop.buys", "--yes")
    assert (code, "no model builds it: rename its files first" in text) == (1, True), text

    land(sales, 100, 50, batch=2)
    assert sales.dbt("build").ok
    code, text = run(capsys, "rename", "shop.sales", "shop.purchases", "--yes")
    assert (code, "it already has published rows (50), which would be lost" in text) == (1, True), text
    assert batches(sales, "shop.purchases") == [("2", 50)]

    assert "remove its files, run portmesh retire shop.purchases --yes, and restore the files" in text
    for ending in ("sql", "yml"):
        sales.remove(f"{FOLDER}/purchases.{ending}")
    assert run(capsys, "retire", "shop.purchases", "--yes")[0] == 0
    sales.port("shop/purchases", SALES, COLUMNS, meta=EXEMPT)
    assert run(capsys, "rename", "shop.sales", "shop.purchases", "--yes")[0] == 0
    assert batches(sales, "shop.purchases") == [("1", 100)]


def test_a_domain_is_renamed_with_all_its_ports(mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT)
    mesh.port("shop/others", SALES, COLUMNS, meta=EXEMPT)
    publish_first_batch(mesh, rows=100)
    mesh.change_source("sales", "delete from raw.sales")
    monkeypatch.chdir(mesh.folder)
    (mesh.folder / "domains/shop").rename(mesh.folder / "domains/store")
    (mesh.folder / "domains/store/models/shop.yml").unlink()
    shutil.rmtree(mesh.folder / "dbt_packages")
    mesh.set_up("store", sources=("sales",))
    assert mesh.dbt("deps").ok

    code, text = run(capsys, "rename", "shop", "store", "--yes")
    assert code == 0, text
    assert "shop.others continues as store.others (100 rows).\nshop.sales continues as store.sales (100 rows)." in text
    assert "portmesh retire shop" in text
    land(mesh, 100, 50, batch=2)
    assert mesh.dbt("build").ok
    assert batches(mesh, "store.sales") == [("1", 100), ("2", 50)]
    assert batches(mesh, "shop.sales") == [("1", 100)]
    unmade = json.loads(run(capsys, "status", "--json")[1])["unmade"]
    assert [(one["relation"], one["renamed_to"]) for one in unmade] == [
        ("shop.others", "store.others"),
        ("shop.sales", "store.sales"),
    ]
    assert run(capsys, "retire", "shop", "--yes")[0] == 0
    assert not mesh.has("shop.sales")


# By config.meta.starts_from, with a plain build


def test_a_renamed_port_starts_from_its_old_name_in_a_plain_build(sales: Mesh, capsys: Capsys) -> None:
    name_files(sales, "purchases", meta=KEPT)
    land(sales, 100, 50, batch=2)
    built = sales.dbt("build")
    assert built.ok, built.output
    assert sales.rows(
        "select kind, verdict, row_count from portmesh.publications__shop "
        "where reads_as = 'shop.purchases' order by sequence"
    ) == [("start", "published", 100), ("increment", "published", 150)]
    assert batches(sales, "shop.purchases") == [("1", 100), ("2", 50)]
    assert "renamed to shop.purchases" in run(capsys, "status")[1]
    land(sales, 150, 50, batch=3)
    assert sales.dbt("build").ok
    assert batches(sales, "shop.purchases") == [("1", 100), ("2", 50), ("3", 50)]


def test_a_full_refresh_starts_from_the_model_alone(sales: Mesh) -> None:
    name_files(sales, "purchases", meta=KEPT)
    land(sales, 100, 50, batch=2)
    assert sales.dbt("build", "--full-refresh").ok
    assert batches(sales, "shop.purchases") == [("2", 50)]


@pytest.mark.nightly
def test_a_second_version_starts_from_the_rows_of_the_first(sales: Mesh) -> None:
    """The new version drops one column and adds another; the first version still exists."""
    second = SALES.replace(
        "cast(amount as bigint) as amount", "cast(amount as bigint) as amount, cast(7 as int) as more"
    )
    entries = """\
      - {v: 1, config: {alias: sales}}
      - v: 2
        config: {meta: {starts_from: 1}}
        columns:
          - include: all
          - {name: more, data_type: int, description: More.}
"""
    give_versions(sales, "sales", {1: SALES, 2: second}, entries)
    land(sales, 100, 50, batch=2)
    built = sales.dbt("build")
    assert built.ok, built.output
    query = "select batch, count(*), count(more), sum(more) from shop.sales_v2 group by 1 order by 1"
    assert sales.rows(query) == [("1", 100, 0, None), ("2", 50, 50, 350)]
    assert batches(sales, "shop.sales") == [("1", 100), ("2", 50)]
    land(sales, 150, 50, batch=3)
    assert sales.dbt("build").ok
    assert sales.rows(query) == [("1", 100, 0, None), ("2", 50, 50, 350), ("3", 50, 50, 350)]


@pytest.mark.nightly
def test_a_column_of_another_type_is_explained_before_anything_is_written(sales: Mesh) -> None:
    columns = COLUMNS.replace("name: amount\n  data_type: bigint", "name: amount\n  data_type: int")
    name_files(sales, "purchases", SALES.replace("cast(amount as bigint)", "cast(amount as int)"), columns, KEPT)
    message = sales.dbt("build").messages["purchases"]
    assert "it starts from the rows of shop.sales, but a column has a different type there" in message
    assert "amount   int        bigint" in message
    assert not sales.has("shop.purchases")
    assert sales.dbt("build", "--full-refresh").ok


def test_a_new_column_that_may_not_be_null_is_refused(sales: Mesh) -> None:
    sql = SALES.replace("cast(amount as bigint) as amount", "cast(amount as bigint) as amount, cast(7 as int) as more")
    more = "- {name: more, data_type: int, description: More., data_tests: [not_null]}\n"
    name_files(sales, "purchases", sql, COLUMNS + more, KEPT)
    refused = sales.dbt("build")
    assert "not_null   more     100 rows   100 of 100" in refused.messages["purchases"]
    assert "These rows come from the version or old name that it starts from" in refused.messages["purchases"]
    assert not sales.has("shop.purchases")


@pytest.mark.parametrize(
    ("starts_from", "sql", "problem"),
    [
        (
            "other.sales",
            SALES,
            "starts_from is other.sales, which is neither a version of sales nor a table name in shop",
        ),
        ("9", SALES, "starts_from is 9, which is neither a version of sales nor a table name in shop"),
        ("sales", SALES, "starts_from names the port itself"),
        (
            "old",
            SALES.replace("{{ config(unique_key='sale_id') }}", ""),
            "starts_from is only for incremental ports (with unique_key)",
        ),
    ],
)
def test_what_a_port_cannot_start_from_is_a_finding(sales: Mesh, starts_from: str, sql: str, problem: str) -> None:
    sales.port("shop/sales", sql, COLUMNS, meta=f"{EXEMPT}\nstarts_from: {starts_from}")
    built = sales.dbt("build")
    assert not built.ok
    assert problem in " ".join(built.output.split()), built.output


def test_a_name_of_which_nothing_is_published_is_said(sales: Mesh) -> None:
    name_files(sales, "purchases", meta="\nstarts_from: sale")
    land(sales, 100, 50, batch=2)
    built = sales.dbt("build")
    assert built.ok, built.output
    assert (
        "starts from its model alone: shop.sale (config.meta.starts_from) has no published version here" in built.output
    )
    assert batches(sales, "shop.purchases") == [("2", 50)]


@pytest.mark.nightly
def test_the_increment_after_the_start_may_read_an_ephemeral_model(sales: Mesh) -> None:
    sales.write(
        "domains/shop/models/intermediate/int_shop__sold.sql",
        "{{ config(materialized='ephemeral') }} select * from {{ source('raw', 'sales') }}",
    )
    name_files(sales, "purchases", SALES.replace("source('raw', 'sales')", "ref('int_shop__sold')"), meta=KEPT)
    land(sales, 100, 50, batch=2)
    built = sales.dbt("build")
    assert built.ok, built.output
    assert batches(sales, "shop.purchases") == [("1", 100), ("2", 50)]


@pytest.mark.nightly
def test_an_increment_that_is_refused_leaves_the_rows_that_the_port_started_from(sales: Mesh) -> None:
    name_files(sales, "purchases", meta=KEPT)
    land(sales, 100, 50, batch=2, amount="9")
    refused = sales.dbt("build")
    assert "Consumers keep the version of " in refused.messages["purchases"]
    assert batches(sales, "shop.purchases") == [("1", 100)]
    land(sales, 150, 50, batch=3)
    sales.change_source("sales", "delete from raw.sales where amount = 9")
    assert sales.dbt("build").ok
    assert batches(sales, "shop.purchases") == [("1", 100), ("3", 50)]
