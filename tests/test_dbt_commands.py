"""dbt's commands and flags work on ports as on tables."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, EXEMPT_WITH_HOOKS, LINES, good, verdicts

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

AFTER = "select line_id, count(*) as n from {{ ref('lines') }} group by line_id"


@pytest.fixture
def shop(shop: Mesh) -> Mesh:
    """shop.lines, and a table after it."""
    shop.write("domains/shop/models/intermediate/int_shop__after.sql", AFTER)
    return shop


def results(mesh: Mesh) -> dict[str, tuple[str, int | None]]:
    nodes = json.loads((mesh.folder / "target/run_results.json").read_text())["results"]
    return {n["unique_id"].split(".")[2]: (n["status"], n["failures"]) for n in nodes}


@pytest.mark.parametrize("flag", [["--empty"], ["--sample", "1 day"]], ids=["empty", "sample"])
@pytest.mark.ci_cases(1)
def test_a_partial_run_asserts_the_contract_and_publishes_no_rows(shop: Mesh, flag: list[str]) -> None:
    """Runs in a development environment, because production refuses it (test_partial_runs.py)."""
    shop.set_up("shop", environment="dev_ana")
    first = shop.dbt("run", *flag)
    assert first.ok, first.output
    assert first.messages["lines"] == "contract matches, nothing published"
    assert shop.value("select count(*) from dev_ana__shop.lines") == 0
    assert shop.dbt("build").ok
    assert shop.value("select count(*) from dev_ana__shop.lines") == 100
    assert shop.dbt("run", *flag).ok
    assert shop.value("select count(*) from dev_ana__shop.lines") == 100
    assert shop.rows("select verdict from dev_ana__portmesh.publications__shop") == [("published",)]
    shop.port("shop/lines", LINES.replace("as amount", "as total"), COLUMNS, meta=EXEMPT)
    assert "does not match its contract" in shop.dbt("run", *flag).messages["lines"]


def test_dbt_test_alone_measures_again(shop: Mesh) -> None:
    assert shop.dbt("build").ok
    shop.execute(f"insert into {shop.engine.stored_in('shop.lines')} select * from shop.lines where line_id = 7")
    tested = shop.dbt("test")
    assert tested.statuses["unique_lines_line_id"] == "fail"
    assert tested.failures["unique_lines_line_id"] == 1


def test_a_second_run_in_one_process_does_not_reuse_the_first(shop: Mesh) -> None:
    columns = COLUMNS.replace("[unique, not_null]", "[unique, {not_null: {config: {severity: warn}}}]")
    shop.port("shop/lines", LINES, columns, meta=EXEMPT)
    assert shop.dbt("build").statuses["not_null_lines_line_id"] == "pass"
    shop.land("lines", good() + " union all select null, 'web', 1, now()::timestamp")
    second = shop.dbt("build")
    assert second.statuses["not_null_lines_line_id"] == "warn"
    assert second.failures["not_null_lines_line_id"] == 1


@pytest.mark.writes_json
def test_dbts_test_nodes_do_not_scan_again(shop: Mesh) -> None:
    assert shop.dbt("build").ok
    nodes = json.loads((shop.folder / "target/run_results.json").read_text())["results"]
    codes = [n["adapter_response"].get("code") for n in nodes if n["unique_id"].startswith("test.")]
    assert codes == ["REUSED"] * 3


def test_store_failures_keeps_what_plain_dbt_keeps(shop: Mesh) -> None:
    assert shop.dbt("build", "--store-failures").ok
    assert shop.value("select count(*) from shop__internal.unique_lines_line_id") == 0
    shop.land("lines", good() + DUPLICATE)
    assert not shop.dbt("build", "--store-failures").ok
    assert shop.value("select count(*) from shop__internal.unique_lines_line_id") == 1


@pytest.mark.writes_json
def test_run_results_of_a_refused_port(shop: Mesh) -> None:
    shop.land("lines", good() + DUPLICATE)
    assert shop.dbt("build").exit_code == 1
    statuses = {name: status for name, (status, _) in results(shop).items() if not name.startswith("portmesh-")}
    assert statuses == {
        "lines": "error",
        "int_shop__after": "skipped",
        "unique_lines_line_id": "skipped",
        "not_null_lines_line_id": "skipped",
        "accepted_values_lines_channel__store__web": "skipped",
    }


@pytest.mark.writes_json
def test_retry_publishes_after_the_batch_is_fixed(shop: Mesh) -> None:
    shop.land("lines", good() + DUPLICATE)
    assert not shop.dbt("build").ok
    shop.land("lines", good())
    retried = shop.dbt("retry")
    assert retried.ok, retried.output
    assert retried.statuses["lines"] == "success"
    assert retried.statuses["int_shop__after"] == "success"


def test_fail_fast_stops_and_publishes_nothing_bad(shop: Mesh) -> None:
    shop.land("lines", good() + DUPLICATE)
    stopped = shop.dbt("build", "--fail-fast")
    assert not stopped.ok
    assert not shop.has("shop.lines")


def test_show_reads_a_port_without_publishing(shop: Mesh) -> None:
    assert shop.dbt("build").ok
    assert shop.dbt("show", "--select", "lines", "--limit", "1").ok
    assert verdicts(shop) == ["published"]


@pytest.mark.parametrize("selection", ["lines", "+lines", "lines+", "int_shop__after"])
@pytest.mark.ci_cases(2)
def test_a_port_selected_alone_or_with_its_neighbours(shop: Mesh, selection: str) -> None:
    if selection == "int_shop__after":
        assert shop.dbt("build").ok
    assert shop.dbt("build", "--select", selection).ok
    assert shop.value("select count(*) from shop.lines") == 100


@pytest.mark.writes_json
def test_a_branch_builds_one_domain_on_productions_ports(mesh: Mesh) -> None:
    mesh.set_up("shop", "reader")
    consumers = EXEMPT + "\nconsumers: [{name: reader, purpose: A test.}]"
    mesh.port("shop/lines", LINES, COLUMNS, meta=consumers)
    mesh.land("lines", good())
    related = "- relationships: {arguments: {to: \"ref('shop', 'lines')\", field: line_id}}"
    mesh.port(
        "reader/reads",
        "select line_id, landed_at from {{ ref('shop', 'lines') }}",
        f"- {{name: line_id, data_type: bigint, description: Key., data_tests: [unique, {related[2:]}]}}\n"
        "- {name: landed_at, data_type: timestamp, description: When.}",
        meta=EXEMPT,
    )
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    shutil.copytree(mesh.folder / "target", mesh.folder / "production")
    mesh.set_up("shop", "reader", environment="dev_ana")
    deferred = mesh.dbt("build", "--select", "package:reader", "--defer", "--state", str(mesh.folder / "production"))
    assert deferred.ok, deferred.output
    assert mesh.value("select count(*) from dev_ana__reader.reads") == 100
    assert mesh.engine.relations("dev_ana__shop") == []


@pytest.mark.writes_json
def test_clone_is_refused_where_it_would_take_a_published_version_away(shop: Mesh) -> None:
    assert shop.dbt("build").ok
    state = str(shop.folder / "production")
    shutil.copytree(shop.folder / "target", state)
    refused = shop.dbt("clone", "--full-refresh", "--state", state, "--select", "lines")
    assert "shop.lines was not cloned: production reads only its own tables" in refused.messages["lines"]
    assert shop.value("select count(*) from shop.lines") == 100

    shop.set_up("shop", environment="dev_ana")
    cloned = shop.dbt("clone", "--state", state, "--select", "lines")
    assert cloned.ok, cloned.output
    assert shop.value("select count(*) from dev_ana__shop.lines") == 100
    assert shop.dbt("build", "--select", "lines").ok
    refused = shop.dbt("clone", "--full-refresh", "--state", state, "--select", "lines")
    assert "shop.lines was not cloned: it is published here" in refused.messages["lines"]
    assert shop.value("select count(*) from dev_ana__shop.lines") == 100


@pytest.mark.writes_json
def test_production_reads_no_other_environment(shop: Mesh) -> None:
    shop.set_up("shop", environment="dev_ana")
    assert shop.dbt("build").ok
    state = shutil.copytree(shop.folder / "target", shop.folder / "state")
    shop.set_up("shop")
    for command in (["clone"], ["build", "--defer", "--favor-state"]):
        refused = shop.dbt(*command, "--state", str(state))
        assert "production reads only its own tables" in refused.output
        assert not shop.has("shop.lines")


def test_unit_tests_of_a_port(shop: Mesh) -> None:
    shop.write(
        "domains/shop/models/output_ports/unit.yml",
        """
        unit_tests:
          - name: amounts_are_cast
            model: lines
            given:
              - input: source('raw', 'lines')
                rows: [{line_id: 1, channel: web, amount: 1.5, landed_at: 2026-01-01}]
            expect:
              rows: [{line_id: 1, amount: 1.5}]
        """,
    )
    built = shop.dbt("build")
    assert built.ok, built.output
    assert built.statuses["amounts_are_cast"] == "pass"
    shop.write("domains/shop/models/output_ports/lines.sql", LINES.replace("cast(amount", "cast(2 * amount"))
    assert shop.dbt("build").statuses["lines"] == "skipped"


def test_hooks_and_persisted_docs(shop: Mesh) -> None:
    hooks = (
        "{{ config("
        "pre_hook='insert into raw.hooks select 1, count(*) from raw.lines', "
        "post_hook='insert into raw.hooks select 2, count(*) from {{ this }}', "
        "persist_docs={'relation': true, 'columns': true}) }}"
    )
    shop.land("hooks", "select 0::bigint as step, 0::bigint as n")
    shop.port("shop/lines", hooks + LINES, COLUMNS, meta=EXEMPT_WITH_HOOKS)
    built = shop.dbt("build")
    assert built.ok, built.output
    assert shop.rows("select step, n from raw.hooks order by step") == [(0, 0), (1, 100), (2, 100)]
    assert shop.engine.comment("shop.lines") == "One row per line of lines."


@pytest.mark.writes_json
@pytest.mark.engines("local")
def test_show_says_what_is_not_built_in_a_new_database(shop: Mesh) -> None:
    """dbt runs no hooks before this command."""
    shop.write("domains/shop/models/intermediate/int_shop__after.sql", "select count(*) as n from {{ ref('lines') }}")
    shop.write("domains/shop/models/intermediate/int_shop__last.sql", "select n from {{ ref('int_shop__after') }}")
    for arguments, label in (
        (["--select", "int_shop__last"], "shop.int_shop__last"),
        (["--inline", "select * from {{ ref('shop', 'int_shop__last') }}"], "The query"),
    ):
        refused = shop.dbt("show", *arguments)
        assert f"{label} cannot be shown: it reads relations that are not built here." in refused.output
        assert "  missing   shop.int_shop__" in refused.output
        assert "  next      dbt build --select +int_shop__" in refused.output
        assert "> in macro" not in refused.output
    compiled = shop.dbt("compile", "--select", "int_shop__last")
    assert compiled.ok, compiled.output
    assert shop.dbt("build").ok
    shown = shop.dbt("show", "--select", "int_shop__last", "--limit", "1")
    assert shown.ok
    assert "100" in shown.output


@pytest.mark.nightly
def test_many_ports_on_several_threads(mesh: Mesh) -> None:
    mesh.set_up("shop")
    for i in range(12):
        mesh.port(f"shop/port_{i}", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    for _ in range(3):
        built = mesh.dbt("build", "--threads", "8")
        assert built.ok, built.output
    assert mesh.value("select count(*) from portmesh.publications__shop where verdict = 'published'") == 36


def test_another_table_with_the_ports_name_is_kept(shop: Mesh) -> None:
    shop.engine.make_table("shop.lines", "select 1 as old")
    assert "not created by Portmesh, already has the name shop.lines" in shop.dbt("build").messages["lines"]
    assert shop.rows("select old from shop.lines") == [(1,)]


@pytest.mark.engines("local")
def test_another_view_with_the_ports_name_is_kept(shop: Mesh) -> None:
    shop.execute("create schema shop; create view shop.lines as select 1 as old from raw.lines")
    refused = shop.dbt("build").messages["lines"]
    assert "shop.lines was not written: another view, not created by Portmesh, already has the name shop.l" in refused
    assert shop.value("select distinct old from shop.lines") == 1
    shop.execute("drop view shop.lines")
    assert shop.dbt("build").ok


@pytest.mark.engines("local")
def test_a_view_of_portmesh_without_a_record_gives_way(shop: Mesh) -> None:
    assert shop.dbt("build").ok
    for view in (None, "select * from raw.lines"):
        shop.execute("drop schema portmesh cascade")
        if view:
            shop.execute(f"create or replace view shop.lines as {view}")
        built = shop.dbt("build")
        assert built.ok, built.output


def test_another_environment_has_tables_of_its_own(shop: Mesh) -> None:
    assert shop.dbt("build").ok
    shop.set_up("shop", environment="pr_123")
    shop.land("lines", good(7))
    assert shop.dbt("build").ok
    assert shop.value("select count(*) from shop.lines") == 100
    assert shop.value("select count(*) from pr_123__shop.lines") == 7
    assert shop.value("select count(*) from pr_123__portmesh.publications__shop") == 1
