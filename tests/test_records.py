"""A domain's records are its own: no other domain's records are used for its ports (decision 0022)."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from typing import Any

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_increments import COLUMNS, SALES, contents, land, last_attempt, publish_first_batch, scopes
from tests.test_output_port import COLUMNS as LINES_COLUMNS
from tests.test_output_port import EXEMPT, LINES, good
from tests.test_status import run

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

Capsys = pytest.CaptureFixture[str]
OF_BATCH_TWO = "description: Batch., data_tests: [{accepted_values: {arguments: {values: ['2']}}}]}"


@pytest.fixture
def sales(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """The incremental port shop.sales with 100 rows of batch 1, and the port desk.notes, both published."""
    mesh.set_up("shop", "desk", sources=("sales",))
    mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT + "\nconsumers: [{name: desk, purpose: A test.}]")
    mesh.port("desk/notes", "select * from {{ ref('shop', 'sales') }}", COLUMNS, meta=EXEMPT)
    publish_first_batch(mesh, rows=100)
    monkeypatch.chdir(mesh.folder)
    return mesh


def tables(mesh: Mesh) -> list[str]:
    return mesh.engine.relations("portmesh")


def states(capsys: Capsys) -> dict[str, tuple[object, object]]:
    """The state and rows of each port, from `portmesh status`."""
    code, text = run(capsys, "status", "--json")
    assert code == 0, text
    return {f"{port['product']}.{port['port']}": (port["state"], port["rows"]) for port in json.loads(text)["ports"]}


# Only records of the port's own domain count as proof


def forge(mesh: Mesh, domain: str) -> None:
    """Write to a domain's records that today's checks of shop.sales found no failures."""
    definitions = mesh.value("select definitions from portmesh.publications__shop where verdict = 'refused'")
    version = "'sales__20991231_000000_abcdef'"
    forged = {"findings": "0", "definitions": f"'{definitions}'", "sequence": "99", "version": version}
    columns = [name for name, _ in mesh.engine.columns("portmesh.publications__shop") if not name.startswith("#")]
    mesh.execute(
        f"insert into portmesh.publications__{domain} ({', '.join(columns)}) "
        f"select {', '.join(forged.get(name, name) for name in columns)} "
        "from portmesh.publications__shop where verdict = 'published'"
    )


def ask_for_batch_two(mesh: Mesh) -> None:
    """Add a check to shop.sales that its published rows fail. The next build is refused."""
    columns = COLUMNS.replace("description: Batch.}", OF_BATCH_TWO)
    mesh.port("shop/sales", SALES, columns, meta=EXEMPT + "\nconsumers: [{name: desk, purpose: A test.}]")
    land(mesh, 100, 50, batch=2)
    assert mesh.dbt("build", "--select", "sales").statuses["sales"] == "error"


def test_another_domain_cannot_forge_a_proof(sales: Mesh, capsys: Capsys) -> None:
    ask_for_batch_two(sales)
    forge(sales, "desk")
    refused = sales.dbt("build", "--select", "sales")
    assert refused.statuses["sales"] == "error"
    assert "100 of" in refused.messages["sales"]
    assert last_attempt(sales) == ("increment", "refused", 150)
    assert contents(sales) == [("1", 100, 100)]
    assert states(capsys) == {"shop.sales": ("held back", 100), "desk.notes": ("waiting", 100)}


def test_what_a_domain_records_of_itself_is_believed(sales: Mesh) -> None:
    ask_for_batch_two(sales)
    forge(sales, "shop")
    built = sales.dbt("build", "--select", "sales")
    assert built.ok, built.output
    assert scopes(sales)["accepted_values"] == "rows"


def test_platform_reads_the_records_of_all_domains_and_what_each_says_of_itself(sales: Mesh) -> None:
    ask_for_batch_two(sales)
    forge(sales, "desk")
    sources = "{name: records, schema: portmesh, tables: [{name: publications, identifier: publications__platform}]}"
    sales.set_up("shop", "desk", "platform", sources=("sales",))
    sales.write("domains/platform/models/staging/_platform.yml", f"sources: [{sources}]")
    select = "select product, verdict from {{ mesh_records('publications') }}"
    sales.write("domains/platform/models/staging/stg_records__publications.sql", select)
    assert sales.dbt("deps").ok
    built = sales.dbt("build", "--select", "package:platform")
    assert built.ok, built.output
    told = sales.rows("select product, verdict from platform__internal.stg_records__publications order by 1, 2")
    assert told == [("desk", "published"), ("shop", "published"), ("shop", "refused")]


def test_platform_is_built_before_anything_is_recorded(mesh: Mesh) -> None:
    mesh.set_up("platform", sources=())
    sources = "{name: records, schema: portmesh, tables: [{name: publications, identifier: publications__platform}]}"
    mesh.write("domains/platform/models/staging/_platform.yml", f"sources: [{sources}]")
    select = "select product, sequence from {{ mesh_records('publications') }}"
    mesh.write("domains/platform/models/staging/stg_records__publications.sql", select)
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert mesh.rows("select * from platform__internal.stg_records__publications") == []


# Names


def test_names_of_domains_do_not_meet(mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    mesh.set_up("shop", "shop__north")
    mesh.port("shop/lines", LINES, LINES_COLUMNS, meta=EXEMPT + "\nconsumers: [{name: shop__north, purpose: A test.}]")
    mesh.port("shop__north/lines", "select * from {{ ref('shop', 'lines') }}", LINES_COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    monkeypatch.chdir(mesh.folder)
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    assert built.ok, built.output
    of_both = [f"{name}__{domain}" for name in ("measurements", "publications") for domain in ("shop", "shop__north")]
    assert tables(mesh) == of_both
    for domain in ("shop", "shop__north"):
        assert mesh.rows(f"select distinct product from portmesh.publications__{domain}") == [(domain,)]
    assert states(capsys) == {"shop.lines": ("published", 100), "shop__north.lines": ("published", 100)}


@pytest.mark.engines("local")
def test_a_domain_in_capitals_has_its_records(mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    mesh.set_up("Shop")
    mesh.port("Shop/lines", LINES, LINES_COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    monkeypatch.chdir(mesh.folder)
    assert mesh.dbt("deps").ok
    for _ in range(2):
        built = mesh.dbt("build")
        assert built.ok, built.output
    assert tables(mesh) == ["measurements__shop", "publications__shop"]
    assert states(capsys) == {"Shop.lines": ("published", 100)}
    for ending in ("sql", "yml"):
        mesh.remove(f"domains/Shop/models/output_ports/lines.{ending}")
    assert "Shop.lines   100 rows" in run(capsys, "status")[1]


# Records of an earlier release, which all domains shared


def literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamp '{value}'"
    return f"'{value.replace(chr(39), 2 * chr(39))}'" if isinstance(value, str) else str(value)


def as_an_earlier_release_had_them(mesh: Mesh, *domains: str) -> None:
    """Move these domains' records to one table of publications and one of measurements, which lack a column."""
    lacking = {"publications": "audit_bytes_billed", "measurements": "seconds"}
    for name, missing in lacking.items():
        found = mesh.engine.columns(f"portmesh.{name}__{domains[0]}")
        columns = {column: kind.removesuffix("_ntz") for column, kind in found if column != missing}
        rows = [
            row
            for domain in domains
            for row in mesh.rows(f"select {', '.join(columns)} from portmesh.{name}__{domain}")
        ]
        selects = [
            "select "
            + ", ".join(
                f"cast({literal(row[place])} as {kind}) as {c}" for place, (c, kind) in enumerate(columns.items())
            )
            for row in rows
        ]
        mesh.engine.make_table(f"portmesh.{name}", " union all ".join(selects))
        for domain in domains:
            mesh.execute(f"drop table portmesh.{name}__{domain}")


def test_records_of_an_earlier_release_are_taken_over_once(sales: Mesh, capsys: Capsys) -> None:
    sales.change_source("sales", "delete from raw.sales")
    as_an_earlier_release_had_them(sales, "shop", "desk")
    assert tables(sales) == ["measurements", "publications"]
    assert states(capsys) == {"shop.sales": ("published", 100), "desk.notes": ("published", 100)}

    for batch, rows in ((2, 150), (3, 200)):
        land(sales, rows - 50, 50, batch=batch)
        built = sales.dbt("build", "--select", "sales")
        assert built.ok, built.output
        assert last_attempt(sales) == ("increment", "published", rows)
        assert scopes(sales)["accepted_values"] == "rows"
    assert tables(sales) == ["measurements", "measurements__shop", "publications", "publications__shop"]
    assert sales.value("select count(*) from portmesh.publications__shop") == 3
    assert sales.value("select count(*) from portmesh.publications where product = 'shop'") == 1
    assert states(capsys) == {"shop.sales": ("published", 200), "desk.notes": ("published", 100)}
    for _ in range(2):
        outcome = sales.dbt("run-operation", "rollback", "--args", "{port: shop.sales}")
    assert contents(sales) == [("1", 100, 100)] or not outcome.ok


def test_a_rollback_is_recorded_before_any_build(sales: Mesh) -> None:
    land(sales, 100, 50, batch=2)
    assert sales.dbt("build").ok
    as_an_earlier_release_had_them(sales, "shop", "desk")
    back = sales.dbt("run-operation", "rollback", "--args", "{port: shop.sales}")
    assert back.ok, back.output
    assert contents(sales) == [("1", 100, 100)]
    recorded = sales.rows("select verdict from portmesh.publications__shop order by sequence")
    assert recorded == [("published",), ("published",), ("rolled_back",)]


def test_a_run_that_was_killed_between_two_tables_is_resumed(sales: Mesh) -> None:
    as_an_earlier_release_had_them(sales, "shop", "desk")
    assert sales.dbt("build", "--select", "notes").ok
    sales.execute("drop table portmesh.measurements__desk")
    taken_over = sales.value("select count(*) from portmesh.measurements where product = 'desk'")
    assert sales.dbt("compile").ok
    assert sales.dbt("build", "--empty", "--select", "notes").exit_code != 0, "production"
    built = sales.dbt("build", "--select", "notes")
    assert built.ok, built.output
    assert sales.value("select count(*) from portmesh.measurements__desk") == 2 * taken_over
    assert sales.value("select count(*) from portmesh.publications__desk") == 3


def test_a_deleted_domain_is_reported_and_retired_from_an_earlier_releases_records(sales: Mesh, capsys: Capsys) -> None:
    as_an_earlier_release_had_them(sales, "shop", "desk")
    shutil.rmtree(sales.folder / "domains/desk")
    shutil.rmtree(sales.folder / "dbt_packages")
    sales.set_up("shop", sources=("sales",))
    assert sales.dbt("deps").ok
    assert "  desk.notes   100 rows, published < 1 min ago" in run(capsys, "status")[1]
    code, text = run(capsys, "retire", "desk", "--yes")
    assert code == 0, text
    assert not sales.has("desk.notes")
    assert "no model builds" not in run(capsys, "status")[1]
    recorded = sales.rows("select verdict from portmesh.publications__desk order by sequence")
    assert recorded == [("published",), ("retired",)]
