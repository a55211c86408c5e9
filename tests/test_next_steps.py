"""The command after `next` in a message publishes the current rows, whatever models are before the port."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, UNKNOWN_CHANNEL, good

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

STAGING = "domains/shop/models/staging"
INTERMEDIATE = "domains/shop/models/intermediate"
SQL = LINES.replace("source('raw', 'lines')", "ref('int_shop__lines')")


def write_models(mesh: Mesh, staging: str = "view", intermediate: str = "view") -> None:
    """shop.lines reads a chain of two models on the source. It contains words that Spark redacts as secrets."""
    mesh.write(
        f"{STAGING}/stg_raw__lines.sql",
        f"{{{{ config(materialized='{staging}') }}}}\n"
        "select *, 'password, url' as token from {{ source('raw', 'lines') }}",
    )
    mesh.write(
        f"{INTERMEDIATE}/int_shop__lines.sql",
        f"{{{{ config(materialized='{intermediate}') }}}}\nselect * from {{{{ ref('stg_raw__lines') }}}}",
    )
    mesh.port("shop/lines", SQL, COLUMNS, meta=EXEMPT)


def commands(text: str) -> list[list[str]]:
    """The arguments of each dbt command after `next` in a message."""
    found = re.findall(r"^ +next.*?dbt ((?:build|run) [^;,\n]*)", text, re.MULTILINE)
    return [shlex.split(command) for command in found]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("staging", "intermediate"),
    [("view", "view"), ("view", "ephemeral"), ("table", "view"), ("view", "table"), ("ephemeral", "table")],
)
def test_what_a_refusal_prints_reads_the_batch_that_replaced_the_bad_one(
    shop: Mesh, staging: str, intermediate: str
) -> None:
    write_models(shop, staging, intermediate)
    assert shop.dbt("build").ok
    shop.land("lines", good() + DUPLICATE)
    refused = shop.dbt("build")
    assert refused.statuses["lines"] == "error"
    shop.land("lines", good(120))
    (command,) = commands(refused.messages["lines"])
    mended = shop.dbt(*command)
    assert mended.ok, mended.output
    assert shop.value("select count(*) from shop.lines") == 120


@pytest.mark.parametrize(
    ("staging", "intermediate"),
    [("view", "view"), ("view", "ephemeral"), ("table", "view"), ("view", "table"), ("ephemeral", "table")],
)
@pytest.mark.parametrize("fixed", ["stg_raw__lines", "int_shop__lines"])
@pytest.mark.ci_cases(2)
def test_what_a_refusal_prints_reads_the_model_that_was_fixed(
    shop: Mesh, staging: str, intermediate: str, fixed: str
) -> None:
    write_models(shop, staging, intermediate)
    shop.land("lines", good() + UNKNOWN_CHANNEL)
    refused = shop.dbt("build")
    assert refused.statuses["lines"] == "error"
    file = shop.folder / (STAGING if fixed.startswith("stg") else INTERMEDIATE) / f"{fixed}.sql"
    file.write_text(f"{file.read_text()}\nwhere channel <> 'fax'")
    (command,) = commands(refused.messages["lines"])
    built = shop.dbt(*command)
    assert built.ok, built.output
    assert shop.value("select count(*) from shop.lines") == 100


@pytest.mark.writes_json
@pytest.mark.parametrize("command", [["build", "--select", "lines"], ["run", "--select", "lines+"], ["retry"]])
@pytest.mark.ci_cases(1)
def test_a_view_gives_the_rows_of_now_whatever_the_run_builds(shop: Mesh, command: list[str]) -> None:
    write_models(shop)
    assert shop.dbt("build").ok
    shop.land("lines", good() + DUPLICATE)
    assert not shop.dbt("build").ok
    shop.land("lines", good(120))
    done = shop.dbt(*command)
    assert done.ok, done.output
    assert shop.value("select count(*) from shop.lines") == 120


def test_a_model_between_reads_the_rows_of_now_too(shop: Mesh) -> None:
    write_models(shop, intermediate="table")
    assert shop.dbt("build").ok
    shop.land("lines", good(120))
    assert shop.dbt("run", "--select", "int_shop__lines").ok
    assert shop.value("select count(*) from shop__internal.int_shop__lines") == 120


def test_a_full_refresh_that_is_asked_for_reads_the_rows_of_now(shop: Mesh) -> None:
    write_models(shop, staging="table")
    keyed = "{{ config(unique_key='line_id') }}\n" + SQL
    shop.port("shop/lines", keyed, COLUMNS, meta=EXEMPT)
    assert shop.dbt("build").ok
    shop.port(
        "shop/lines",
        keyed.replace("decimal(10, 2)", "int"),
        COLUMNS.replace('"decimal(10,2)"', "int"),
        meta=EXEMPT + "\nagreements: [{from: 1.0.0, with: [], reason: Nobody reads it.}]",
    )
    path = shop.folder / "domains/shop/models/output_ports/lines.yml"
    path.write_text(path.read_text().replace("version: 1.0.0", "version: 2.0.0"))
    shop.land("lines", good(120))
    (command,) = commands(shop.dbt("build", "--select", "lines").messages["lines"])
    assert command[:2] == ["build", "--full-refresh"]
    assert shop.dbt(*command).ok
    assert shop.value("select count(*) from shop.lines") == 120


def test_a_rollback_names_what_has_to_be_built(shop: Mesh) -> None:
    write_models(shop, staging="table")
    assert shop.dbt("build").ok
    refused = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert not refused.ok
    shop.land("lines", good(120))
    (command,) = re.findall(r"dbt (build --select .*)", refused.output)
    assert shop.dbt(*shlex.split(command)).ok
    assert shop.value("select count(*) from shop.lines") == 120


def test_two_ports_in_one_run_read_the_current_rows_of_one_view(shop: Mesh) -> None:
    write_models(shop)
    shop.port("shop/lines_too", SQL, COLUMNS, meta=EXEMPT)
    assert shop.dbt("build").ok
    for rows in (120, 140):
        shop.land("lines", good(rows))
        built = shop.dbt("build", "--threads", "2", "--select", "lines", "lines_too")
        assert built.ok, built.output
        for port in ("lines", "lines_too"):
            assert shop.value(f"select count(*) from shop.{port}") == rows


@pytest.mark.engines("emr")
def test_a_table_that_keeps_no_sql_of_its_view_is_not_read(shop: Mesh) -> None:
    write_models(shop, staging="table")
    assert shop.dbt("build").ok
    write_models(shop)
    refused = shop.dbt("build", "--select", "lines")
    assert not refused.ok
    assert "the table stored for the view stg_raw__lines does not contain the view's SQL" in refused.messages["lines"]
    (command,) = commands(refused.messages["lines"])
    assert shop.dbt(*command).ok


@pytest.mark.engines("emr")
def test_a_view_that_became_a_table_keeps_no_sql_of_before(shop: Mesh) -> None:
    """`create or replace table` keeps a property that it does not name."""
    write_models(shop, intermediate="ephemeral")
    assert shop.dbt("build").ok
    write_models(shop, staging="table", intermediate="ephemeral")
    assert shop.dbt("build").ok
    write_models(shop, intermediate="ephemeral")
    refused = shop.dbt("build", "--select", "lines")
    assert "the table stored for the view stg_raw__lines does not contain the view's SQL" in refused.messages["lines"]


@pytest.mark.engines("emr")
def test_what_a_fault_of_a_view_prints_builds_the_view(shop: Mesh) -> None:
    columns, source = "line_id, channel, amount, landed_at", "{{ source('raw', 'lines') }}"
    write_models(shop)
    shop.write(f"{STAGING}/stg_raw__lines.sql", f"select {columns} from {source}")
    assert shop.dbt("build").ok
    shop.land("lines", good(120).replace("as channel", "as outlet"))
    broken = shop.dbt("build", "--select", "lines")
    assert "step    view stg_raw__lines\n" in broken.output, broken.output
    shop.write(
        f"{STAGING}/stg_raw__lines.sql",
        f"select {columns.replace('channel', 'outlet as channel')} from {source}",
    )
    (command,) = commands(broken.output)
    mended = shop.dbt(*command)
    assert mended.ok, mended.output
    assert shop.value("select count(*) from shop.lines") == 120


def test_a_rollback_is_audited_with_the_rows_of_now_of_a_view(shop: Mesh) -> None:
    known = "relationships: {arguments: {column_name: line_id, to: ref('stg_raw__ids'), field: line_id}}"
    shop.write(f"{STAGING}/stg_raw__ids.sql", "select line_id from {{ source('raw', 'lines') }}")
    sql = "-- depends_on: {{ ref('stg_raw__ids') }}\n" + LINES
    shop.port("shop/lines", sql, COLUMNS, meta=EXEMPT, extra=f"data_tests: [{{{known}}}]")
    for rows in (100, 90):
        shop.land("lines", good(rows))
        assert shop.dbt("build").ok
    shop.land("lines", good(100))
    back = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert back.ok, back.output
    assert shop.value("select count(*) from shop.lines") == 100
