"""A port that no model builds any more is reported, stays readable until it is retired, and is dropped as a whole."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good
from tests.test_status import run

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

FOLDER = "domains/shop/models/output_ports"
Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def shop(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """shop.lines and shop.others, both published with 100 rows."""
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.port("shop/others", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def delete(mesh: Mesh, port: str) -> None:
    """Delete the files of a port of shop."""
    for ending in ("sql", "yml"):
        mesh.remove(f"{FOLDER}/{port}.{ending}")


def beside(mesh: Mesh, port: str) -> list[str]:
    """What is left of a port, other than what consumers read."""
    return [name for name in mesh.engine.relations("shop__internal") if port in name]


def test_a_deleted_port_stays_readable_and_status_and_clean_report_it(shop: Mesh, capsys: Capsys) -> None:
    assert "no model builds" not in run(capsys, "status")[1]
    delete(shop, "lines")
    assert shop.dbt("build").ok
    text = run(capsys, "status")[1]
    assert "1 port: 1 published." in text
    assert "1 relation that no model builds any more can still be read." in text
    assert "  shop.lines   100 rows, published < 1 min ago and not since" in text
    assert "portmesh retire shop.lines" in text
    (unmade,) = json.loads(run(capsys, "status", "--json")[1])["unmade"]
    assert (unmade["relation"], unmade["rows"]) == ("shop.lines", 100)

    code, text = run(capsys, "clean", "--older-than", "0h")
    assert code == 0
    assert "Kept 1 relation that no model builds any more: consumers may still read it." in text
    assert "portmesh retire shop.lines" in text
    assert json.loads(run(capsys, "clean", "--json")[1])["unmade"][0]["relation"] == "shop.lines"
    assert shop.value("select count(*) from shop.lines") == 100


def test_a_port_that_a_model_makes_is_not_retired(shop: Mesh, capsys: Capsys) -> None:
    meta = f"{EXEMPT}\nconsumers: [{{name: desk, purpose: A test., until: 2099-06-30}}]"
    shop.port("shop/lines", LINES, COLUMNS, meta=meta, extra="deprecation_date: 2099-03-31")
    shop.port("shop/after", "select * from {{ ref('lines') }}", COLUMNS, meta=EXEMPT)
    code, text = run(capsys, "retire", "shop.lines", "--yes")
    text = " ".join(text.split())
    assert (code, text.startswith("shop.lines was not retired: models in the mesh still build it.")) == (1, True), text
    assert "shop.lines 2099-03-31 shop.after domains/shop/models/output_ports/after.sql is removed" in text
    assert "shop.lines 2099-03-31 desk 2099-06-30" in text
    assert "next once nobody reads it, delete the port's files, then: portmesh retire shop.lines" in text
    assert run(capsys, "retire", "shop", "--yes")[0] == 1
    assert shop.value("select count(*) from shop.lines") == 100


def test_a_port_without_a_model_is_retired_with_everything_that_belongs_to_it(shop: Mesh, capsys: Capsys) -> None:
    shop.land("lines", good() + DUPLICATE)
    assert not shop.dbt("build", "--select", "lines").ok
    assert any("unique" in name for name in beside(shop, "lines"))
    delete(shop, "lines")

    code, text = run(capsys, "retire", "shop.lines")
    assert code == 0, text
    assert "shop.lines would be retired" in text
    assert "unique_lines_line_id" in text
    assert "Nothing was changed." in text
    assert "portmesh retire shop.lines --yes" in text
    assert run(capsys, "retire", "shop.lines", "--yes", "--dry-run")[1] == text
    assert shop.value("select count(*) from shop.lines") == 100

    code, text = run(capsys, "retire", "shop.lines", "--yes")
    assert code == 0, text
    assert "shop.lines was retired. Deleted:" in text
    assert not shop.has("shop.lines")
    assert beside(shop, "lines") == []
    assert shop.value("select count(*) from shop.others") == 100
    assert "no model builds" not in run(capsys, "status")[1]
    code, text = run(capsys, "retire", "shop.lines", "--yes")
    assert (code, text.startswith("There is no shop.lines to retire.")) == (1, True), text


@pytest.mark.nightly
def test_a_retired_name_starts_a_new_history(shop: Mesh, capsys: Capsys) -> None:
    delete(shop, "lines")
    assert run(capsys, "retire", "shop.lines", "--yes")[0] == 0
    shop.port("shop/lines", LINES.replace("as channel", "as place"), COLUMNS.replace("channel", "place"), meta=EXEMPT)
    states = {port["port"]: port["state"] for port in json.loads(run(capsys, "status", "--json")[1])["ports"]}
    assert states["lines"] == "not built"
    built = shop.dbt("build")
    assert built.ok, built.output
    assert shop.rows(
        "select verdict, kind, sequence from portmesh.publications__shop "
        "where reads_as = 'shop.lines' order by sequence"
    ) == [("published", "full", 1), ("retired", "retirement", 2), ("published", "full", 3)]
    assert run(capsys, "rollback", "shop.lines")[0] == 1


@pytest.mark.nightly
def test_consumers_and_the_date_of_the_last_version_are_waited_for(shop: Mesh, capsys: Capsys) -> None:
    consumers = "consumers: [{name: desk, purpose: A test.}, {name: board, purpose: Another., until: 2099-06-30}]"
    shop.port("shop/lines", LINES, COLUMNS, meta=f"{EXEMPT}\n{consumers}", extra="deprecation_date: 2099-03-31")
    assert shop.dbt("build").ok
    delete(shop, "lines")
    code, text = run(capsys, "retire", "shop.lines", "--yes")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert code == 1
    assert "shop.lines desk no end ask them: they were listed when it was last built" in lines, text
    assert "shop.lines board 2099-06-30 ask them: they were listed when it was last built" in lines, text
    assert "shop.lines anyone who relies on its deprecation_date 2099-03-31 wait until that date" in lines, text
    assert "to retire early portmesh retire shop.lines --early --yes" in lines, text
    assert shop.value("select count(*) from shop.lines") == 100
    assert run(capsys, "retire", "shop.lines", "--early", "--yes")[0] == 0
    assert not shop.has("shop.lines")


def test_a_date_that_is_over_holds_nothing_up(shop: Mesh, capsys: Capsys) -> None:
    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT, extra="deprecation_date: 2020-03-31")
    assert shop.dbt("build").ok
    delete(shop, "lines")
    assert run(capsys, "retire", "shop.lines", "--yes")[0] == 0


@pytest.mark.engines("local")
@pytest.mark.parametrize(
    "sql", ["select * from {stored}", "select * from shop.lines", "select 1 from (select 1) as one, shop.lines"]
)
@pytest.mark.ci_cases(1)
def test_a_port_that_a_view_reads_is_not_dropped(shop: Mesh, capsys: Capsys, sql: str) -> None:
    shop.execute(
        f"create schema desk; create view desk.of_a_reader as {sql.format(stored=shop.engine.stored_in('shop.lines'))}"
    )
    delete(shop, "lines")
    code, text = run(capsys, "retire", "shop.lines", "--early", "--yes")
    assert code == 1
    assert "the view desk.of_a_reader" in text
    assert shop.value("select count(*) from desk.of_a_reader") == 100
    assert shop.value("select count(*) from shop.lines") == 100
    shop.execute("drop view desk.of_a_reader")
    assert run(capsys, "retire", "shop.lines", "--early", "--yes")[0] == 0


@pytest.mark.engines("local")
def test_a_view_that_only_has_the_name_holds_nothing_up(shop: Mesh, capsys: Capsys) -> None:
    shop.execute(
        "create schema desk; create table desk.lines as select 1 as one;"
        "create view desk.of_others as with lines as (select * from desk.lines) select one as shop from lines"
    )
    delete(shop, "lines")
    assert run(capsys, "retire", "shop.lines", "--yes")[0] == 0
    assert shop.value("select shop from desk.of_others") == 1


def test_a_source_of_the_mesh_on_it_holds_it_up(shop: Mesh, capsys: Capsys) -> None:
    delete(shop, "lines")
    shop.write(
        "domains/shop/models/staging/_old.yml",
        "sources: [{name: old, schema: shop, tables: [{name: lines}]}]",
    )
    code, text = run(capsys, "retire", "shop.lines", "--early", "--yes")
    assert code == 1
    assert "the source shop.old.lines" in text


@pytest.mark.nightly
def test_what_another_model_makes_now_is_not_retired(shop: Mesh, capsys: Capsys) -> None:
    """A model with another name but the same alias builds the same relation."""
    path = shop.folder / FOLDER / "lines.yml"
    text = path.read_text().replace("name: lines\n", "name: baskets\n").replace("meta:", "alias: lines\n      meta:", 1)
    delete(shop, "lines")
    shop.write(f"{FOLDER}/baskets.sql", LINES)
    (shop.folder / FOLDER / "baskets.yml").write_text(text)
    assert shop.dbt("build").ok
    assert "no model builds" not in run(capsys, "status")[1]
    code, text = run(capsys, "retire", "shop.lines", "--yes")
    assert (code, "models in the mesh still build it" in text) == (1, True), text
    assert shop.value("select count(*) from shop.lines") == 100


@pytest.mark.nightly
def test_the_name_of_a_model_that_is_read_under_another_may_be_retired(shop: Mesh, capsys: Capsys) -> None:
    path = shop.folder / FOLDER / "lines.yml"
    path.write_text(path.read_text().replace("meta:", "alias: baskets\n      meta:", 1))
    assert shop.dbt("build").ok
    assert "  shop.lines   100 rows" in run(capsys, "status")[1]
    assert run(capsys, "retire", "shop.lines", "--yes")[0] == 0
    assert not shop.has("shop.lines")
    assert shop.value("select count(*) from shop.baskets") == 100
    assert run(capsys, "retire", "shop.lines", "--yes")[0] == 1


def test_a_whole_domain_is_retired_in_one_step(mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    mesh.set_up("till", "shop")
    mesh.port("shop/lines", LINES.replace("source('raw', 'lines')", "ref('till', 'lines')"), COLUMNS, meta=EXEMPT)
    mesh.port("shop/more", "select * from {{ ref('lines') }}", COLUMNS, meta=EXEMPT)
    mesh.port("till/lines", LINES, COLUMNS, meta=EXEMPT + "\nconsumers: [{name: shop, purpose: A test.}]")
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    assert built.ok, built.output
    monkeypatch.chdir(mesh.folder)
    shutil.rmtree(mesh.folder / "domains/shop")
    shutil.rmtree(mesh.folder / "dbt_packages")
    mesh.set_up("till")
    assert mesh.dbt("deps").ok
    text = run(capsys, "status")[1]
    assert "2 relations that no model builds any more can still be read." in text
    code, text = run(capsys, "retire", "shop")
    assert code == 0, text
    assert "portmesh retire shop --yes" in text
    assert run(capsys, "retire", "shop", "--yes")[0] == 0
    assert not mesh.has("shop.lines")
    assert not mesh.has("shop.more")
    assert beside(mesh, "") == []
    assert mesh.value("select count(*) from till.lines") == 100
    assert "no model builds" not in run(capsys, "status")[1]


def test_a_near_name_is_given(shop: Mesh, capsys: Capsys) -> None:
    delete(shop, "lines")
    code, text = run(capsys, "retire", "shop.line", "--yes")
    assert (code, text.startswith("There is no shop.line to retire. Did you mean shop.lines?")) == (1, True), text
