"""Attempts to get bad rows past the gate, and good rows that the gate must not refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.mesh import Mesh
from tests.test_increments import COLUMNS, SALES, contents, land, last_attempt, publish_first_batch, rollback
from tests.test_output_port import EXEMPT

pytestmark = [pytest.mark.engines("local"), pytest.mark.thorough]

NOTHING_NEW = SALES[: SALES.index("where")] + "where false{% endif %}"
INT_SALES = SALES.replace("cast(amount as bigint)", "cast(amount as int)")
INT_COLUMNS = COLUMNS.replace("name: amount\n  data_type: bigint", "name: amount\n  data_type: int")
MORE_SALES = SALES.replace("as amount,", "as amount, cast(7 as int) as more,")
MORE_COLUMNS = COLUMNS + "- {name: more, data_type: int, description: More.}\n"


@pytest.fixture
def sales(mesh: Mesh) -> Mesh:
    """The incremental port shop.sales with the 100 rows of batch 1 published."""
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT)
    publish_first_batch(mesh, rows=100)
    return mesh


def check_also(mesh: Mesh, *tests: dict[str, Any], columns: str = COLUMNS) -> None:
    """Add these checks to shop.sales and build it twice, the second time with an increment."""
    mesh.port("shop/sales", SALES, columns, meta=EXEMPT, extra=f"data_tests: {json.dumps(tests)}")
    for batch in (2, 3):
        land(mesh, 100 * batch, 5, batch)
        built = mesh.dbt("build")
        assert built.ok, built.output


def scopes_by_name(mesh: Mesh) -> dict[str, str]:
    newest = "(select invocation_id from portmesh.publications__shop order by sequence desc limit 1)"
    return dict(mesh.rows(f"select check_name, scope from portmesh.measurements__shop where invocation_id = {newest}"))


# Checks that are proved instead of measured


def test_what_only_looks_as_if_it_stayed_the_same_is_measured_on_the_whole(sales: Mesh) -> None:
    sales.execute("create table batch as select 'zz' as b; create macro é() as 1")
    clock = "landed_at < now()::timestamp"
    expressions = {
        "comments": f"amount > 0 /* ' */ and {clock} /* ' */",
        "line_comments": f"amount > 0 -- '\nand {clock} -- '\n",
        "escapes": f"E'\\'' <> '' and {clock} and E'\\'' <> ''",
        "dollars": f"$$'$$ <> '' and {clock} and $$'$$ <> ''",
        "a_table_named_like_a_column": "batch <> all (from batch)",
        "a_name_of_one_letter": "é() is not null",
    }
    key = ["case when landed_at < current_date then sale_id end", "batch"]
    values = {"column_name": "amount", "values": ["year(current_date) - year(current_date) + 1"], "quote": False}
    expressions_in_all = expressions | {"stays": "amount < 5 and batch not in ('it''s', 'x')"}
    check_also(
        sales,
        *({"expression_is_true": {"name": n, "arguments": {"expression": e}}} for n, e in expressions_in_all.items()),
        {"unique_combination": {"name": "combination", "arguments": {"columns": key}}},
        {"accepted_values": {"name": "values", "arguments": values}},
    )
    found = scopes_by_name(sales)
    assert found["stays"] == "rows"
    names = [*expressions, "combination", "values"]
    assert {name: found[name] for name in names} == dict.fromkeys(names, "whole")


def test_columns_of_a_key_may_be_given_by_jinja(sales: Mesh) -> None:
    keys: dict[str, Any] = {
        "one": ["{{ var('k', 'amount') }}", "sale_id"],
        "all": "{{ var('k', ['batch', 'landed_at', 'sale_id']) }}",
        "other": ["{{ var('k', 'landed_at') }}", "sale_id + 1"],
    }
    check_also(sales, *({"unique_combination": {"name": n, "arguments": {"columns": c}}} for n, c in keys.items()))
    assert [scopes_by_name(sales)[name] for name in ("one", "all", "other")] == ["keys"] * 3


def test_jinja_of_literals_is_a_text_as_dbt_has_it(sales: Mesh) -> None:
    """dbt's own test cannot run either. If the text were taken for a list, the check would pass in the audit only."""
    values = {"accepted_values": {"name": "values", "arguments": {"column_name": "batch", "values": "{{ ['1'] }}"}}}
    sales.port("shop/sales", SALES, COLUMNS, meta=EXEMPT, extra=f"data_tests: {json.dumps([values])}")
    assert "its check values could not be run" in sales.dbt("build").output
    assert sales.dbt("test", "--select", "values").statuses["values"] == "error"


# Rollbacks


def test_a_rollback_takes_back_what_an_increment_did_to_the_columns(mesh: Mesh) -> None:
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", INT_SALES, INT_COLUMNS, meta=EXEMPT)
    publish_first_batch(mesh, rows=100)
    before = mesh.engine.columns("shop.sales")
    mesh.port("shop/sales", MORE_SALES, MORE_COLUMNS, meta=EXEMPT)
    land(mesh, 90, 40, batch=2, amount="2")
    assert mesh.dbt("build").ok
    wider = mesh.engine.columns("shop.sales")

    refused = mesh.dbt("run-operation", "rollback", "--args", "{port: shop.sales}")
    assert "undo the change to the contract first" in refused.output
    assert mesh.engine.columns("shop.sales") == wider
    assert contents(mesh) == [("1", 90, 90), ("2", 40, 80)]

    mesh.port("shop/sales", INT_SALES, INT_COLUMNS, meta=EXEMPT)
    rollback(mesh)
    assert mesh.engine.columns("shop.sales") == before
    assert contents(mesh) == [("1", 100, 100)]
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert mesh.engine.columns("shop.sales") == before

    mesh.port("shop/sales", MORE_SALES, MORE_COLUMNS, meta=EXEMPT)
    land(mesh, 200, 5, batch=3)
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert mesh.engine.columns("shop.sales") == wider
    assert mesh.rows("select batch, count(more) from shop.sales group by batch order by 1") == [
        ("1", 0),
        ("2", 0),
        ("3", 5),
    ]


def test_a_rollback_narrows_a_column_whose_large_values_it_takes_back(mesh: Mesh) -> None:
    narrow, wide = (text.replace("[1, 2, 3]", "[1, 3000000000]") for text in (INT_COLUMNS, MORE_COLUMNS))
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", INT_SALES, narrow, meta=EXEMPT)
    publish_first_batch(mesh, rows=10)
    before = mesh.engine.columns("shop.sales")
    mesh.port("shop/sales", MORE_SALES, wide, meta=EXEMPT)
    row = "select {} as sale_id, 3000000000 as amount, '2' as batch, timestamp '2026-01-02' as landed_at"
    mesh.land("sales", f"{row.format(5)} union all {row.format(10)}")
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert contents(mesh) == [("1", 9, 9), ("2", 2, 6_000_000_000)]
    mesh.port("shop/sales", INT_SALES, narrow, meta=EXEMPT)
    rollback(mesh)
    assert mesh.engine.columns("shop.sales") == before
    assert contents(mesh) == [("1", 10, 10)]


REPLACED = (
    "create or replace view shop.sales as select 1::bigint as sale_id, 9::bigint as amount, 'x' as batch, now() as t"
)


@pytest.mark.parametrize("statement", ["drop view shop.sales", REPLACED], ids=["dropped", "replaced"])
@pytest.mark.ci_cases(1)
def test_nothing_new_is_said_of_a_port_that_can_be_read(sales: Mesh, statement: str) -> None:
    sales.port("shop/sales", NOTHING_NEW, COLUMNS, meta=EXEMPT)
    sales.execute(statement)
    built = sales.dbt("build")
    assert built.ok, built.output
    assert last_attempt(sales) == ("increment", "unchanged", 100)
    assert contents(sales) == [("1", 100, 100)]


def test_a_rollback_goes_to_the_newest_record_where_consumers_read_something_else(sales: Mesh) -> None:
    land(sales, 100, 5, batch=2)
    assert sales.dbt("build").ok
    sales.execute(REPLACED)
    rollback(sales)
    assert contents(sales) == [("1", 100, 100), ("2", 5, 5)]


def test_a_key_whose_columns_come_in_another_order_is_the_same(mesh: Mesh) -> None:
    mesh.set_up("shop", sources=("sales",))
    for columns in ("sale_id, batch", "batch, sale_id"):
        key = f"constraints: [{{type: primary_key, columns: [{columns}]}}]"
        mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT, extra=key)
        if columns.startswith("sale"):
            publish_first_batch(mesh, rows=10)
    built = mesh.dbt("build")
    assert built.ok, built.output


# The port's own rows


@pytest.mark.parametrize("config", [{}, {"where": "amount > 0"}], ids=["all", "where"])
@pytest.mark.ci_cases(1)
def test_an_increment_that_takes_a_row_from_under_another_is_refused(mesh: Mesh, config: dict[str, str]) -> None:
    mesh.set_up("shop", sources=("sales",))
    related = {"column_name": "above", "to": "ref('sales')", "field": "code"}
    mesh.port(
        "shop/sales",
        SALES.replace("as amount,", "as amount, cast(above as bigint) as above, cast(code as bigint) as code,"),
        COLUMNS
        + "- {name: above, data_type: bigint, description: A.}\n- {name: code, data_type: bigint, description: C.}",
        meta=EXEMPT,
        extra=f"data_tests: {json.dumps([{'relationships': {'arguments': related, 'config': config}}])}",
    )
    row = "select {} as sale_id, 1 as amount, {} as above, {} as code, '1' as batch, "
    row += "timestamp '2026-01-0{}' as landed_at"
    mesh.land("sales", row.format(3, 3, 3, 1) + " union all " + row.format(50, 3, 50, 1))
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    assert built.ok, built.output
    mesh.execute("insert into raw.sales " + row.format(3, 77, 77, 2))
    assert "relationships" in mesh.dbt("build").messages["sales"]
    assert mesh.rows("select above, code from shop.sales order by code") == [(3, 3), (3, 50)]


# Messages


def test_a_columns_name_from_data_stays_in_its_line(sales: Mesh) -> None:
    sql = SALES.replace("as landed_at", 'as landed_at, 1 as "a\x1b[2J\nb"', 1)
    sales.port("shop/sales", sql, COLUMNS, meta=EXEMPT)
    message = sales.dbt("build").messages["sales"]
    assert "a\\x1b[2j\\nb   not declared" in message
    assert "\x1b" not in message


def test_a_model_that_is_only_named_like_the_folder_of_ports_is_internal(shop: Mesh) -> None:
    shop.write("domains/shop/models/staging/output_ports.sql", "select 1 as one")
    assert shop.dbt("build").ok
    assert shop.has("shop__internal.output_ports")
    assert not shop.has("shop.output_ports")
