"""A run that is stopped at its start says so, leaves a record for `dbt retry`, and builds nothing."""

from __future__ import annotations

import json

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh, Outcome
from tests.test_output_port import COLUMNS, EXEMPT, LINES, good

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.writes_json, pytest.mark.thorough]

AFTER = "select line_id, count(*) as n from {{ ref('lines') }} group by line_id"
EXPOSURE = """
exposures:
  - {name: board, type: dashboard, owner: {email: board@example.com}, depends_on: ["ref('int_shop__after')"]}
"""


@pytest.fixture
def shop(shop: Mesh) -> Mesh:
    """shop.lines and a view on it, built once."""
    shop.write("domains/shop/models/intermediate/int_shop__after.sql", AFTER)
    assert shop.dbt("build").ok
    return shop


def break_a_rule(mesh: Mesh) -> None:
    port = mesh.folder / "domains/shop/models/output_ports/lines.yml"
    port.write_text(port.read_text().replace("One row per line of lines.", "' '"))


def repair(mesh: Mesh) -> None:
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)


def statuses(mesh: Mesh) -> dict[str, str]:
    nodes = json.loads((mesh.folder / "target/run_results.json").read_text())["results"]
    return {n["unique_id"].split(".")[2]: n["status"] for n in nodes if not n["unique_id"].startswith("operation.")}


def assert_stopped(stopped: Outcome) -> None:
    assert stopped.exit_code == 1, stopped.output
    assert "1 finding; nothing was built." in stopped.output
    assert "shop.lines has no description." in stopped.output


def test_a_broken_rule_leaves_a_record_that_retry_reads(shop: Mesh) -> None:
    break_a_rule(shop)
    shop.land("lines", good(7))
    assert_stopped(shop.dbt("build"))
    assert set(statuses(shop).values()) == {"skipped"}
    assert len(statuses(shop)) == 5
    assert_stopped(shop.dbt("retry"))
    assert shop.value("select count(*) from shop.lines") == 100
    repair(shop)
    retried = shop.dbt("retry")
    assert retried.ok, retried.output
    assert shop.value("select count(*) from shop.lines") == 7


@pytest.mark.engines("local")
@pytest.mark.parametrize("command", ["run", "test", "seed"])
@pytest.mark.ci_cases(1)
def test_every_command_leaves_one(shop: Mesh, command: str) -> None:
    shop.write("domains/shop/seeds/colours.csv", "colour\nred\n")
    break_a_rule(shop)
    assert_stopped(shop.dbt(command))
    assert_stopped(shop.dbt("retry"))
    repair(shop)
    assert shop.dbt("retry").ok


def test_with_an_exposure_too(shop: Mesh) -> None:
    """dbt cannot skip an exposure after a failing hook."""
    shop.write("domains/shop/models/_shop__exposures.yml", EXPOSURE)
    break_a_rule(shop)
    shop.land("lines", good(7))
    stopped = shop.dbt("build")
    assert_stopped(stopped)
    assert stopped.messages["lines"].endswith(
        "shop.lines was not built: the run was stopped at its start, for the reason shown there."
    )
    assert stopped.statuses["int_shop__after"] == "skipped"
    assert not shop.dbt("retry").ok
    assert shop.value("select count(*) from shop.lines") == 100
    repair(shop)
    assert shop.dbt("retry").ok
    assert shop.value("select count(*) from shop.lines") == 7


def test_a_message_with_quotes_and_backslashes_arrives_whole(shop: Mesh) -> None:
    project = shop.folder / "domains/shop/dbt_project.yml"
    project.write_text(project.read_text() + 'models: {"+it\'s\\\\odd": 1}\n')
    assert "shop.lines sets it's\\odd, which is not a setting of output ports." in shop.dbt("build").output


def test_compiling_asks_the_database_for_nothing(shop: Mesh) -> None:
    compiled = shop.dbt("compile", "--no-introspect")
    assert compiled.ok, compiled.output
    break_a_rule(shop)
    assert "shop.lines has no description." in shop.dbt("compile", "--no-introspect").output


@pytest.mark.engines("local")
def test_the_freshness_of_sources_is_stopped_by_a_rule_too(shop: Mesh) -> None:
    path = shop.folder / "domains/shop/models/staging/_sources.yml"
    config = "{loaded_at_field: landed_at, freshness: {warn_after: {count: 9999, period: day}}}"
    path.write_text(path.read_text().replace("  schema: raw", f"  schema: raw\n  config: {config}"))
    fresh = shop.dbt("source", "freshness")
    assert fresh.ok, fresh.output
    assert "lines" in fresh.output
    break_a_rule(shop)
    stopped = shop.dbt("source", "freshness")
    assert stopped.exit_code == 2
    assert "shop.lines has no description." in stopped.output
    assert "> in macro" not in stopped.output


def test_compiling_an_incremental_port_asks_for_nothing(shop: Mesh) -> None:
    filtered = LINES + "{% if is_incremental() %}where line_id > 3{% endif %}"
    shop.port("shop/lines", "{{ config(unique_key='line_id') }}" + filtered, COLUMNS, meta=EXEMPT)
    assert shop.dbt("compile", "--no-introspect").ok


@pytest.mark.engines("local")
def test_full_refresh_false_is_kept(shop: Mesh) -> None:
    config = "{{ config(unique_key='line_id', full_refresh=false) }}"
    shop.port(
        "shop/kept", config + LINES + "{% if is_incremental() %}where line_id > 99{% endif %}", COLUMNS, meta=EXEMPT
    )
    assert shop.dbt("build", "--select", "kept").ok
    shop.land("lines", "select * from raw.lines where line_id > 90")
    assert shop.dbt("build", "--select", "kept", "--full-refresh").ok
    assert shop.value("select count(*) from shop.kept") == 100
