"""Other ways to write a port's YAML, and parts of it that dbt would silently ignore."""

from __future__ import annotations

import pytest

from tests.mesh import Mesh
from tests.test_rules import COLUMNS, PORT, said

pytestmark = pytest.mark.thorough

LINES = """
select
    cast(line_id as bigint) as line_id,
    cast(amount as double) as amount,
    cast(sold_on as date) as sold_on,
    cast(landed_at as {{ dbt.type_timestamp() }}) as landed_at
from {{ source('raw', 'lines') }}
"""
SOLD_ON = "- {name: sold_on, data_type: date, description: The day., data_tests: [TESTS]}"


@pytest.fixture
def shop(mesh: Mesh) -> Mesh:
    mesh.set_up("shop")
    mesh.land("lines", sold_on("2026-01-31"))
    return mesh


def sold_on(day: str) -> str:
    return f"select 1 as line_id, 2.5 as amount, date '{day}' as sold_on, now()::timestamp as landed_at"


def port(mesh: Mesh, columns: str, sql: str = LINES) -> None:
    mesh.port("shop/lines", sql, columns)
    if not (mesh.folder / "dbt_packages").exists():
        assert mesh.dbt("deps").ok


def range_of(bounds: str) -> str:
    return COLUMNS + SOLD_ON.replace("TESTS", f"{{accepted_range: {{arguments: {{{bounds}}}}}}}")


def test_types_are_the_same_in_capitals(shop: Mesh) -> None:
    port(shop, (COLUMNS + SOLD_ON).replace("bigint", "BIGINT").replace("timestamp", "Timestamp").replace("TESTS", ""))
    built = shop.dbt("build")
    assert built.ok, built.output
    described = dict(shop.rows("select column_name, data_type from duckdb_columns() where table_name = 'lines'"))
    assert described["line_id"] == "BIGINT"


def test_a_type_in_capitals_is_still_a_type(shop: Mesh) -> None:
    port(shop, (COLUMNS + SOLD_ON).replace("bigint", "INT").replace("TESTS", ""))
    refused = shop.dbt("build")
    assert "line_id int bigint cast(line_id as int)" in said(refused)
    port(shop, (COLUMNS + SOLD_ON).replace("bigint", "NUMBER").replace("TESTS", ""))
    assert "has types that do not exist on every engine." in said(shop.dbt("build"))


@pytest.mark.parametrize("bounds", ["min_value: 2026-01-01, max_value: 2026-01-31", "max_value: 2026-01-31 12:00:00"])
def test_a_bound_may_be_a_date_of_yaml(shop: Mesh, bounds: str) -> None:
    port(shop, range_of(bounds))
    built = shop.dbt("build")
    assert built.ok, built.output
    shop.land("lines", sold_on("2026-02-01"))
    refused = shop.dbt("build")
    assert refused.statuses["lines"] == "error"
    assert "shop.lines was not published." in refused.output
    assert "accepted_range" in refused.messages["lines"]
    assert "2026-02-01" in refused.messages["lines"]


def test_a_date_where_a_number_belongs_is_explained(shop: Mesh) -> None:
    port(shop, COLUMNS + SOLD_ON.replace("TESTS", ""))
    path = shop.folder / PORT
    path.write_text(
        path.read_text().replace(
            "    columns:", "    data_tests: [row_count_between: {arguments: {min_rows: 2026-01-01}}]\n    columns:"
        )
    )
    refused = said(shop.dbt("build"))
    assert "The check row_count_between cannot run: min_rows is 2026-01-01 (a date)." in refused
    assert "allowed a whole number of rows, 0 or more" in refused


def test_a_lost_promise_of_a_column_is_a_finding(shop: Mesh) -> None:
    first = COLUMNS.replace("description: Euro.", "description: Euro., constraints: [{type: not_null}]")
    port(
        shop,
        first
        + "- {name: amount, data_type: double, description: Euro.}"
        + SOLD_ON.replace("- ", "\n- ").replace("TESTS", ""),
    )
    refused = shop.dbt("build")
    assert "PM114 shop.lines: the column amount is declared twice; dbt keeps only the last declaration." in said(
        refused
    )
    assert not shop.has("shop.lines")


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ("[{include: all}, {name: amount, data_type: double, description: A.}]", ""),
        (
            "[{include: all}, {name: amount, data_type: double}, {name: amount, data_type: double}, {name: Amount}]",
            "PM114 shop.lines.v2: the column amount is declared 3 times",
        ),
    ],
)
def test_columns_of_a_version_are_seen(shop: Mesh, columns: str, problem: str) -> None:
    port(shop, COLUMNS + SOLD_ON.replace("TESTS", ""))
    path = shop.folder / PORT
    path.with_suffix(".sql").rename(path.with_name("lines_v1.sql"))
    path.with_name("lines_v2.sql").write_text(LINES)
    path.write_text(path.read_text() + f"    versions: [{{v: 1}}, {{v: 2, columns: {columns}}}]\n")
    compiled = shop.dbt("compile")
    assert compiled.ok == (not problem)
    assert problem in said(compiled)


@pytest.mark.parametrize(("number", "warned"), [("1.0.0", True), ("2.0.0", False)])
def test_two_versions_with_one_number_are_a_warning(shop: Mesh, number: str, warned: bool) -> None:
    port(shop, COLUMNS + SOLD_ON.replace("TESTS", ""))
    path = shop.folder / PORT
    path.with_suffix(".sql").rename(path.with_name("lines_v1.sql"))
    path.with_name("lines_v2.sql").write_text(LINES)
    path.write_text(path.read_text() + f"    versions: [{{v: 1}}, {{v: 2, config: {{meta: {{version: {number}}}}}}}]\n")
    built = shop.dbt("build")
    assert built.ok, built.output
    warning = "PM103 shop.lines.v2 has the same contract version as shop.lines.v1: 1.0.0."
    assert (warning in said(built)) == warned
