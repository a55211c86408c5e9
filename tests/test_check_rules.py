"""Every rule of `portmesh check` refuses and accepts, on manifests in memory. No dbt runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from portmesh.keys import EXEMPTIBLE_RULES
from portmesh.rules.checking import RULES, find_findings
from portmesh.rules.finding import Finding
from portmesh.rules.texts import needs_dbt
from tests.mesh import REPOSITORY
from tests.rules_manifest import PORT, Nodes, check, macro, mesh, node, other, port, singular, source

READER = "model.desk.int_desk__lines"
LINES = '"mesh"."shop"."lines"'
INTERNAL = node("shop.int_shop__lines", "select 1 as line_id")
RAW = source("raw.lines", "shop", '"mesh"."raw"."lines"')
FILES = source("tills.lines", "shop", "landed('lines')")


def reader(sql: str, parents: tuple[str, ...] = (PORT,), **more: Any) -> Nodes:
    return node("desk.int_desk__lines", sql, parents, **more)


def hook(sql: str, name: str = "post-hook") -> Nodes:
    config: dict[str, Any] = {"sql_header": sql} if name == "sql_header" else {name: [{"sql": sql}]}
    return reader(f"select line_id from {LINES}", config=config)


def amount(data_type: str) -> Nodes:
    return port("shop.lines", contract={"line_id": "bigint", "amount": data_type})


def python(code: str) -> Nodes:
    return reader("", (), language="python", raw_code=code, original_file_path="models/intermediate/int_desk__lines.py")


def writes(code: str) -> Nodes:
    return python(f"def model(dbt, session):\n    lines = dbt.ref('shop', 'lines')\n    {code}\n    return lines\n")


def sends(code: str) -> Nodes:
    """A model whose Jinja sends a statement. dbt has compiled it already."""
    return reader(f"select line_id from {LINES}", raw_code=code + "select line_id from {{ ref('shop', 'lines') }}")


ENFORCED = {"contract": {"enforced": True}}
LINES_WITH_AMOUNT = port("shop.lines", contract={"line_id": "bigint", "amount": "double"}, config=ENFORCED)
STEP = node("shop.int_shop__lines", "select line_id from raw.lines", ("source.shop.raw.lines",))


def declares(
    rows: object = None, amount: object = None, language: str = "python", parents: tuple[str, ...] = (PORT,)
) -> Nodes:
    """A port with a declared lineage, which reads shop.lines: line_id and amount."""
    made = port("shop.pairs", "def model(dbt, session): ...", parents, contract={"amount": "double"}, language=language)
    (found,) = made.values()
    found["config"]["meta"] = {"rows_from": rows}
    found["columns"]["amount"]["config"] = {"meta": {"computed_from": amount}}
    return made | LINES_WITH_AMOUNT


SPARK = port("shop.lines", adapter_type="spark")
ATHENA = port("shop.lines", adapter_type="athena")
SELF_NAMED = "with int_shop__lines as (select * from shop__internal.int_shop__lines) select 1 as x"
HIDDEN_BY_CTE = f"with orders as (select line_id from {LINES}) select line_id from orders"

BROKEN: list[tuple[str, tuple[Nodes, ...], Mapping[str, Any], str]] = [
    (
        "PM201",
        (reader("select line_id from shop.lines", ()),),
        {},
        "The model desk.int_desk__lines reads an output port of shop by its name, shop.lines.\n"
        "Read it with ref('shop', 'lines')",
    ),
    ("PM201", (INTERNAL, reader('select 1 from "SHOP__internal".INT_shop__lines', ())), {}, "reads a model of shop"),
    ("PM201", (INTERNAL, reader(SELF_NAMED, ())), {}, "shop__internal.int_shop__lines"),
    ("PM201", (reader("select 1 from other.shop.lines", ()),), {}, "by its name, other.shop.lines"),
    ("PM201", (reader("select 1 from pr_7__shop.lines", ()),), {}, "a table of shop by its name, pr_7__shop.lines"),
    ("PM201", (reader("select 1 where exists (select 1 from shop.lines)", ()),), {}, "shop.lines"),
    ("PM201", (reader("select (from shop.lines select max(line_id)) as x", ()),), {}, "shop.lines"),
    ("PM201", (reader("select 1 from portmesh.publications", ()),), {}, "reads the records by its name"),
    ("PM201", (RAW, reader("select 1 from raw.lines", ())), {}, "reads a source of shop by its name, raw.lines"),
    (
        "PM201",
        (reader("select 1 from glue.shop.lines.snapshots", (), adapter_type="spark"),),
        {},
        "glue.shop.lines.snapshots",
    ),
    ("PM201", (reader('select 1 from "shop"."lines$files"', (), adapter_type="athena"),), {}, "shop.lines"),
    ("PM201", (singular("desk.assert_lines", "select 1 from shop.lines"),), {}, "The singular test desk.assert_lines"),
    (
        "PM201",
        (check("expression_is_true", READER, expression="line_id in (select line_id from shop.lines)"),),
        {},
        "The check desk.expression_is_true_int_desk__lines reads",
    ),
    ("PM201", (check("unique", READER, where="line_id in (select 1 from shop.lines)"),), {}, "The check desk.unique_"),
    (
        "PM201",
        (check("mine", READER, sql="select 1 from shop.lines"),),
        {"macros": macro("desk.test_mine", "{% test mine(model) %}select 1 from shop.lines{% endtest %}")},
        "The check desk.mine_int_desk__lines reads",
    ),
    (
        "PM201",
        (
            reader(
                f"select line_id from {LINES}",
                constraints=[{"type": "check", "expression": "line_id in (select 1 from shop.lines_old)"}],
            ),
        ),
        {},
        "The constraint of desk.int_desk__lines reads a table of shop",
    ),
    (
        "PM201",
        (other("unit_test", "desk.case", given=[{"format": "sql", "rows": "select * from shop.lines"}]),),
        {},
        "The unit test desk.case reads",
    ),
    (
        "PM201",
        (other("function", "desk.newest", raw_code="(select 1 from shop.lines)"),),
        {},
        "The function desk.newest",
    ),
    (
        "PM201",
        (source("crm.lines", "desk", '"mesh"."crm"."lines"', loaded_at_query="select max(x) from shop.lines"),),
        {},
        "The loaded_at_query of desk.crm.lines reads",
    ),
    ("PM201", (python("def model(dbt, session):\n    return session.table('shop.lines')\n"),), {}, "shop.lines"),
    ("PM201", (python("def model(dbt, s):\n    return s.sql('select 1 from shop.lines')\n"),), {}, "shop.lines"),
    (
        "PM201",
        (
            reader(
                f"select line_id from {LINES}",
                raw_code="select 1 from {{ ref('shop', 'lines') }} {% if is_incremental() %}, shop.old{% endif %}",
            ),
        ),
        {},
        "by its name, shop.old",
    ),
    (
        "PM201",
        (
            reader(
                f"select line_id from {LINES}",
                raw_code="select 1 from {{ 'shop' ~ '.old' if target.type == 'athena' else ref('shop', 'lines') }}",
            ),
        ),
        {},
        "by its name, shop.old",
    ),
    (
        "PM202",
        (reader("select 1 from desk__internal.days", ()),),
        {},
        "The model desk.int_desk__lines reads a table by its name, desk__internal.days.\n"
        "Declare it as a source, and read it with source()",
    ),
    (
        "PM202",
        (INTERNAL, node("shop.more", "select 1 from shop__internal.int_shop__lines")),
        {},
        "The model shop.more reads shop.int_shop__lines by its name, shop__internal.int_shop__lines.\n"
        "Read it with ref('int_shop__lines')",
    ),
    (
        "PM202",
        (RAW, node("shop.more", "select 1 from raw.lines")),
        {},
        "Read it with source('raw', 'lines')",
    ),
    ("PM202", (reader("select 1 from crm.tickets", ()),), {}, "reads a table by its name, crm.tickets"),
    ("PM202", (reader("select 1 from tickets", ()),), {}, "reads a table by its name, tickets"),
    ("PM202", (reader("with tickets as (select 1 from tickets) select 1 as x", ()),), {}, "by its name, tickets"),
    (
        "PM203",
        (reader("select 1 from read_parquet('.lake/shop/lines.parquet')", ()),),
        {},
        "The model desk.int_desk__lines reads READ_PARQUET('.lake/shop/lines.parquet'), which no source declares.",
    ),
    ("PM203", (reader("select 1 from '.lake/shop/lines.parquet'", ()),), {}, '".lake/shop/lines.parquet"'),
    ("PM203", (reader("select 1 from query_table('shop.' || 'lines')", ()),), {}, "QUERY_TABLE("),
    ("PM203", (reader("select 1 from postgres_scan('a', 'b', 'c')", ()),), {}, "POSTGRES_SCAN("),
    ("PM203", (reader("select 1 from landed('lines')", ()),), {}, "LANDED('lines'), which no source declares"),
    (
        "PM203",
        (reader("select 1 from parquet.`s3://lake/shop/lines`", (), adapter_type="spark"),),
        {},
        "parquet.`s3://lake/shop/lines`",
    ),
    (
        "PM203",
        (reader("select 1 from identifier('shop.' || 'lines')", (), adapter_type="spark"),),
        {},
        "IDENTIFIER(",
    ),
    (
        "PM203",
        (reader("select 1 from table(system.query(query => 'x'))", (), adapter_type="athena"),),
        {},
        "TABLE(system.query(",
    ),
    (
        "PM203",
        (FILES, source("copied.lines", "desk", "landed('lines')")),
        {},
        "The source desk.copied.lines is the same table as shop.tills.lines.",
    ),
    (
        "PM204",
        (sends("{% set x = run_query('select max(line_id) from shop.old') %}"),),
        {},
        "The statement that model desk.int_desk__lines sends reads a table of shop: shop.old.",
    ),
    (
        "PM204",
        (sends("{% set x = run_query('select 1 from ' ~ ['shop', 'old'] | join('.')) %}"),),
        {},
        "reads a table of shop: shop.old.",
    ),
    (
        "PM204",
        (sends("{% call statement('x') %}select 1 from shop.old{% endcall %}"),),
        {},
        "reads a table of shop: shop.old.",
    ),
    ("PM204", (sends("{% do adapter.execute('select 1 from shop.old') %}"),), {}, "shop.old"),
    (
        "PM204",
        (sends("{% do run_query('select 1 from ' ~ api.Relation.create(schema='shop', identifier='old')) %}"),),
        {},
        "shop.old",
    ),
    (
        "PM204",
        (sends("{% do run_query('select 1 from ' ~ this.incorporate(path={'schema': 'shop'})) %}"),),
        {},
        "shop.",
    ),
    ("PM204", (sends("{% do run_query(\"select 1 from read_parquet('x')\") %}"),), {}, "READ_PARQUET('x')"),
    (
        "PM204",
        (sends("{% set t = run_query('select 1 as x').columns[0][0] %}{% do run_query('select 1 from ' ~ t) %}"),),
        {},
        "reads a table whose name is known only when it runs.",
    ),
    ("PM204", (sends("{% do run_query(\"execute immediate 'select 1'\") %}"),), {}, "cannot be read"),
    (
        "PM204",
        (sends("{{ newest('shop.old') }}"),),
        {"macros": macro("desk.newest", "{% macro newest(t) %}{{ run_query('select 1 from ' ~ t) }}{% endmacro %}")},
        "The statement that model desk.int_desk__lines sends reads a table of shop: shop.old.",
    ),
    (
        "PM204",
        (),
        {"macros": macro("desk.copy", "{% macro copy(a) %}{{ run_query('select * from shop.lines') }}{% endmacro %}")},
        "The statement that the macro desk.copy sends reads an output port of shop: shop.lines.",
    ),
    (
        "PM204",
        (hook("create table desk__internal.x as select * from shop.old"),),
        {},
        "Post-hook of desk.int_desk__lines reads a table of shop: shop.old.",
    ),
    ("PM204", (hook("delete from {{ this.schema | replace('desk', 'shop') }}.old"),), {}, "shop__internal.old"),
    ("PM204", (hook("attach 'x.db' as y; select 1 from shop.old", "sql_header"),), {}, "shop.old"),
    (
        "PM205",
        (reader(f"select * from {LINES}"),),
        {},
        "The model desk.int_desk__lines makes all columns of shop.lines its own columns, including those that it will "
        "have.\nName the columns that you need in a select",
    ),
    (
        "PM205",
        (reader(f"with a as (select * from {LINES}), b as (select a.*, 1 as x from a) select * from b"),),
        {},
        "",
    ),
    ("PM205", (reader(f"select 1 as x from (select * from {LINES} union all select * from {LINES})"),), {}, "a union"),
    ("PM205", (reader(f"select count(*) as x from (select distinct * from {LINES})"),), {}, "columns of a distinct"),
    ("PM205", (reader(f"select 1 as x from {LINES} natural join {LINES} as other"),), {}, "columns of a natural join"),
    ("PM205", (reader(f"select * exclude (line_id) from {LINES}"),), {}, "its own columns"),
    ("PM205", (reader(f"select columns('.*') from {LINES}"),), {}, "its own columns"),
    (
        "PM206",
        (check("expression_is_true", expression="amount >= 0 or amount < 0"),),
        {},
        "The check expression_is_true_lines of shop.lines can never fail: amount >= 0 or amount < 0 is true for every",
    ),
    (
        "PM206",
        (check("expression_is_true", expression="coalesce(amount, 0) > 1 or true"),),
        {},
        "is true for every row",
    ),
    (
        "PM206",
        (check("expression_is_true", expression="amount is null or amount is not null"),),
        {},
        "is true for every",
    ),
    (
        "PM206",
        (check("expression_is_true", where="amount > 0", expression="amount >= 0"),),
        {},
        "amount >= 0 is true for every row with amount > 0",
    ),
    ("PM206", (check("unique", where="amount > 5 and amount < 3"),), {}, "no row meets its where"),
    ("PM206", (check("unique", where="channel = 'web' and channel = 'shop'"),), {}, "no row meets its where"),
    (
        "PM206",
        (check("unique", where="channel in ('web', 'app') and not channel in ('web', 'app')"),),
        {},
        "no row meets",
    ),
    ("PM206", (check("unique", where="date '2026-01-01' > date '2026-02-01'"),), {}, "no row meets its where"),
    (
        "PM206",
        (check("not_null", column_name="amount", where="amount is not null"),),
        {},
        "no row with amount is not null fails it",
    ),
    (
        "PM206",
        (amount("tinyint"), check("accepted_range", column_name="amount", min_value=-200, max_value=127)),
        {},
        "tinyint has no value outside -200 to 127",
    ),
    (
        "PM206",
        (amount("decimal(4,2)"), check("accepted_range", column_name="amount", max_value="1000 * 10")),
        {},
        "decimal(4,2) has no value above 1000 * 10",
    ),
    (
        "PM206",
        (amount("boolean"), check("accepted_values", column_name="amount", values=[True, False], quote=False)),
        {},
        "a boolean has no other value than false, true",
    ),
    ("PM206", (check("matches_pattern", column_name="channel", pattern=".*"),), {}, "every text matches .*"),
    ("PM206", (singular("shop.assert_all", f"select 1 from {LINES} where 1 = 2", (PORT,)),), {}, "returns no row"),
    ("PM206", (singular("shop.assert_all", f"select 1 from {LINES} limit 0", (PORT,)),), {}, "returns no row"),
    (
        "PM206",
        (check("mine", sql=f"select 1 from {LINES} group by 1 having count(*) > 5 and count(*) < 2"),),
        {"macros": macro("shop.test_mine", "{% test mine(model) %}select 1{% endtest %}")},
        "The check mine_lines of shop.lines can never fail: its query returns no row",
    ),
    (
        "PM206",
        (port("shop.lines", constraints=[{"type": "check", "expression": "line_id = 1 or line_id <> 1"}]),),
        {},
        "The constraint line_id = 1 or line_id <> 1 of shop.lines can never fail",
    ),
    (
        "PM207",
        (reader("select 1 as x", ()),),
        {},
        "No other domain, exposure or application reads shop.lines: desk may, but has no model that does.",
    ),
    (
        "PM207",
        (
            port("shop.lines", meta={}),
            reader("select 1 as x", ()),
            node("shop.more", f"select 1 from {LINES}", (PORT,)),
        ),
        {},
        "No other domain, exposure or application reads shop.lines.\nMove it to intermediate/",
    ),
    (
        "PM207",
        (port("shop.lines", version=1, latest_version=2), reader("select 1 as x", ())),
        {},
        "No other domain, exposure or application reads shop.lines",
    ),
    (
        "PM208",
        (port("shop.lines", meta={"consumers": [{"name": "desk", "until": "2026-10-31"}]}),),
        {},
        "desk's access to shop.lines ended on 2026-10-31, and desk is still among its consumers.",
    ),
    (
        "PM208",
        (port("shop.lines", deprecation_date="2026-06-30T00:00:00+00:00"),),
        {},
        "shop.lines was to end on 2026-06-30, and is still built.\nRetire it with portmesh retire shop.lines",
    ),
    (
        "PM209",
        (other("group", "shop.shop", owner={"github": "@example/shop"}),),
        {"CODEOWNERS": "* @example/platform\n/domains/shop/ @example/shop\n*.sql @example/sql\n"},
        "@example/shop owns shop, but CODEOWNERS names @example/sql for domains/shop/models/output_ports/lines.sql.",
    ),
    (
        "PM209",
        (other("group", "shop.shop", owner={"github": "@example/shop"}),),
        {"CODEOWNERS": "/domains/shop/ @example/shop\n", ".github/CODEOWNERS": "/domains/desk/ @example/desk\n"},
        ".github/CODEOWNERS names nobody for domains/shop/models/output_ports/lines.sql and 2 more.",
    ),
    (
        "PM210",
        (
            port("desk.tickets", meta={"consumers": [{"name": "shop"}]}),
            node("shop.more", 'select 1 from "mesh"."desk"."tickets"', ("model.desk.tickets",)),
        ),
        {},
        "desk and shop read each other in a cycle: desk.int_desk__lines reads shop.lines, shop.more reads ",
    ),
    ("PM211", (reader("select 1 frm shop.old"),), {}, "The model desk.int_desk__lines cannot be read: "),
    ("PM211", (reader(f"select line_id from {LINES}; drop table {LINES}"),), {}, "it has 2 statements, not one query"),
    ("PM211", (reader(f"delete from {LINES}"),), {}, "it is a delete, not a query"),
    ("PM211", (python("def model(:"),), {}, "cannot be read: "),
    (
        "PM212",
        (declares(["shop.lines.lineid"]),),
        {},
        "shop.pairs: its rows_from names shop.lines.lineid, and shop.lines has no column lineid.\n"
        "Write shop.lines.line_id, or another column of shop.lines: line_id, amount",
    ),
    (
        "PM212",
        (declares(amount=["desk.days.day", "shop.lines.amount"]), node("desk.days", "select 1 as day")),
        {},
        "shop.pairs: its computed_from of amount names desk.days.day, which is nothing that its code reads.\n"
        "Name a column of what it reads: shop.lines",
    ),
    ("PM212", (declares(["shop.lines_old"]),), {}, "names shop.lines_old, which is nothing that its code reads."),
    ("PM212", (declares(amount="shop.lines.amount"),), {}, "is 'shop.lines.amount', which is no list of names."),
    ("PM212", (declares([{"shop.lines": "amount"}]),), {}, "which is no list of names.\nWrite names like [orders."),
    (
        "PM212",
        (RAW, STEP, declares(["shop.int_shop__lines.amount"], parents=("model.shop.int_shop__lines",))),
        {},
        "shop.int_shop__lines has no column amount",
    ),
    (
        "PM212",
        (declares(amount=["shop.lines.amount"], language="sql"),),
        {},
        "shop.pairs: its computed_from of amount is declared, although its lineage is read from its SQL.\n"
        "Remove computed_from: only a Python model declares its lineage",
    ),
    *(
        (
            "PM213",
            (writes(code),),
            {},
            f"The model desk.int_desk__lines writes beside the rows that it returns: {said}.",
        )
        for code, said in (
            ("lines.write.parquet('s3://lake/shop')", ".write"),
            ("lines.write.mode('overwrite').saveAsTable('desk.more')", ".saveAsTable"),
            ("lines.writeTo('desk.more').append()", ".writeTo"),
            ("writer = lines.write", ".write"),
            ("lines.pandas_api().to_table('desk.more')", ".to_table"),
            ("session.sql('insert into desk.more select 1')", "insert into desk.more"),
            ("session.sql(f'DROP TABLE {dbt.this}')", "DROP TABLE x"),
            ("query = 'create table desk.more as select 1'", "create table desk.more"),
            ("session.sql(f'delete from {dbt.this} where amount > 1')", "delete from x"),
        )
    ),
]

KEPT: list[tuple[str, tuple[Nodes, ...], Mapping[str, Any]]] = [
    ("PM201", (), {}),
    ("PM201", (reader(HIDDEN_BY_CTE),), {}),
    ("PM201", (node("shop.more", "select 1 from shop.lines", (PORT,)),), {}),
    ("PM201", (node("shop.more", "select 1 from shop.lines version as of 3", (PORT,), adapter_type="spark"),), {}),
    (
        "PM201",
        (
            source("records.publications", "platform", '"mesh"."portmesh"."publications"'),
            node("platform.stg", "select 1 from portmesh.publications__shop"),
        ),
        {},
    ),
    ("PM201", (reader('select 1 from "awsdatacatalog"."shop"."lines"', adapter_type="athena"), SPARK), {}),
    ("PM201", (reader("select 1 from shop.lines", adapter_type="spark"), ATHENA), {}),
    ("PM201", (python("def model(dbt, session):\n    return dbt.ref('shop', 'lines').filter('a.b > 1')\n"),), {}),
    ("PM201", (check("expression_is_true", READER, expression="note <> 'from shop.lines'"),), {}),
    (
        "PM202",
        (
            reader(
                f"with __dbt__cte__days as (select * from raw.days) select line_id from {LINES}, __dbt__cte__days",
                (PORT, "model.desk.days"),
            ),
            node(
                "desk.days", "select * from raw.days", ("source.desk.raw.days",), config={"materialized": "ephemeral"}
            ),
            source("raw.days", "desk", '"mesh"."raw"."days"'),
        ),
        {},
    ),
    (
        "PM202",
        (
            reader(
                f"select line_id from {LINES}",
                raw_code="select 1 from {{ ref('shop', 'lines') }}{% if is_incremental() %}, {{ this }}{% endif %}",
            ),
        ),
        {},
    ),
    ("PM203", (FILES, node("shop.stg", "select 1 from landed('lines')", ("source.shop.tills.lines",))), {}),
    ("PM203", (reader("select 1 from range(3), unnest([1]) as t(x), (values (1)) as v(y)", ()),), {}),
    ("PM203", (FILES, source("tills.more", "desk", "landed('more')")), {}),
    ("PM204", (sends("{% set x = run_query('select max(line_id) from ' ~ ref('shop', 'lines')) %}"),), {}),
    ("PM204", (sends("{% set x = run_query('select max(line_id) from ' ~ this) %}"),), {}),
    ("PM204", (hook("analyze {{ this }}"),), {}),
    (
        "PM204",
        (),
        {"macros": macro("desk.count", "{% macro count(t) %}{{ run_query('select 1 from ' ~ t) }}{% endmacro %}")},
    ),
    (
        "PM204",
        (sends("{{ portmesh.count() }}"),),
        {"macros": macro("portmesh.count", "{% macro count() %}{{ run_query('select 1 from x.y') }}{% endmacro %}")},
    ),
    ("PM205", (reader(f"with a as (select * from {LINES}) select line_id, count(*) as n from a group by 1"),), {}),
    ("PM205", (INTERNAL, node("shop.more", f"select * from {LINES}", (PORT,))), {}),
    ("PM206", (check("expression_is_true", expression="amount >= 0"),), {}),
    ("PM206", (check("expression_is_true", where="amount >= 0", expression="amount > 0"),), {}),
    ("PM206", (check("unique", where="coalesce(amount, 0) = 0 and coalesce(amount, 1) = 1"),), {}),
    ("PM206", (check("unique", where="channel = 'web' or channel = 'shop'"),), {}),
    ("PM206", (check("unique", where="a = 1 and b = 2 and c in (1, 2) and c = 2"),), {}),
    ("PM206", (check("not_null", column_name="amount", where="channel is not null"),), {}),
    ("PM206", (amount("tinyint"), check("accepted_range", column_name="amount", min_value=-127)), {}),
    ("PM206", (amount("double"), check("accepted_range", column_name="amount", min_value=-1e300)), {}),
    ("PM206", (amount("decimal(4,2)"), check("accepted_range", column_name="amount", min_value="line_id")), {}),
    ("PM206", (amount("boolean"), check("accepted_values", column_name="amount", values=[True])), {}),
    ("PM206", (check("matches_pattern", column_name="channel", pattern="^.*$"),), {}),
    ("PM206", (singular("shop.assert_all", "select 1 from shop.lines where 1 = 2 group by rollup (a)", (PORT,)),), {}),
    ("PM206", (singular("shop.assert_all", f"select count(*) from {LINES} where 1 = 2", (PORT,)),), {}),
    ("PM206", (singular("shop.assert_all", f"select 1 from {LINES} where line_id = 2", (PORT,)),), {}),
    ("PM207", (reader("select 1 as x", ()), port("shop.lines", meta={"consumers": [{"name": "board"}]})), {}),
    (
        "PM207",
        (reader("select 1 as x", ()), other("exposure", "shop.board", depends_on={"nodes": [PORT], "macros": []})),
        {},
    ),
    ("PM207", (reader("select 1 as x", ()), port("shop.lines", version=2, latest_version=1)), {}),
    ("PM207", (reader("select 1 as x", ()), port("shop.lines", deprecation_date="2026-12-01")), {}),
    ("PM208", (port("shop.lines", meta={"consumers": [{"name": "desk", "until": "2026-11-26"}]}),), {}),
    ("PM208", (port("shop.lines", deprecation_date="2026-12-01"),), {}),
    (
        "PM209",
        (other("group", "shop.shop", owner={"github": "@Example/shop"}),),
        {"CODEOWNERS": "*.sql @example/sql\n# nobody\n/domains/shop/ @example/shop # them\n"},
    ),
    ("PM209", (other("group", "shop.shop", owner={"github": "@example/shop"}),), {}),
    (
        "PM210",
        (
            port("desk.tickets"),
            node("late.more", 'select 1 from "mesh"."desk"."tickets"', ("model.desk.tickets",)),
        ),
        {},
    ),
    ("PM211", (reader(f"select line_id from {LINES} -- ; a comment\n;"),), {}),
    ("PM212", (declares(["shop.lines.LINE_ID", "shop.lines"], []),), {}),
    ("PM212", (declares(None, None, "sql"),), {}),
    ("PM212", (RAW, STEP, declares(["shop.int_shop__lines.line_id"], parents=("model.shop.int_shop__lines",))), {}),
    ("PM212", (RAW, declares(["raw.lines.whatever"], parents=("source.shop.raw.lines",))), {}),
    *(
        ("PM213", (writes(code),), {})
        for code in (
            "lines.createOrReplaceTempView('more')",
            "session.sql('create or replace temp view more as select 1')",
            "session.sql(f'select * from {dbt.this}')",
            "file.write('desk.more')",
            "note = 'Update the lines of each store, and insert what is new.'",
        )
    ),
    ("PM213", (python("def model(:"),), {}),
]


def findings(root: Path, nodes: tuple[Nodes, ...], more: Mapping[str, Any]) -> list[Finding]:
    for file, text in more.items():
        if file != "macros":
            (root / file).parent.mkdir(exist_ok=True)
            (root / file).write_text(text)
    return find_findings(mesh(root, *nodes, macros=more.get("macros")))


@pytest.mark.parametrize(
    ("code", "nodes", "more", "message"), BROKEN, ids=[f"{case[0]}-{number}" for number, case in enumerate(BROKEN)]
)
def test_a_broken_rule_is_found(
    code: str, nodes: tuple[Nodes, ...], more: Mapping[str, Any], message: str, tmp_path: Path
) -> None:
    found = findings(tmp_path, nodes, more)
    said = [f"{finding.what}\n{finding.fix}" for finding in found if finding.code == code]
    assert any(message in text for text in said), found
    assert all(finding.what.endswith(".") and not finding.fix.endswith(".") for finding in found)


@pytest.mark.parametrize(
    ("code", "nodes", "more"), KEPT, ids=[f"{case[0]}-{number}" for number, case in enumerate(KEPT)]
)
def test_a_kept_rule_has_no_finding(
    code: str, nodes: tuple[Nodes, ...], more: Mapping[str, Any], tmp_path: Path
) -> None:
    assert [finding for finding in findings(tmp_path, nodes, more) if finding.code == code] == []


def test_a_finding_names_the_line(tmp_path: Path) -> None:
    nodes = (
        reader("select\n  1\nfrom shop.old", ()),
        port(
            "shop.lines", deprecation_date="2026-06-30", meta={"consumers": [{"name": "desk", "until": "2026-10-31"}]}
        ),
        check("accepted_range", column_name="amount", where="1 = 2"),
    )
    places = {(finding.code, finding.place) for finding in find_findings(mesh(tmp_path, *nodes))}
    yml = "domains/shop/models/output_ports/lines.yml"
    assert places == {
        ("PM201", "domains/desk/models/intermediate/int_desk__lines.sql:3"),
        ("PM206", f"{yml}:11"),
        ("PM207", f"{yml}:2"),
        ("PM208", f"{yml}:6"),
        ("PM208", f"{yml}:7"),
    }


@pytest.mark.parametrize(
    ("exemption", "is_exempt"),
    [
        ({"rule": "PM205", "reason": "A copy.", "until": "2026-11-26"}, True),
        ({"rule": "PM205", "reason": "A copy.", "until": "2026-11-25"}, False),
        ({"rule": "PM205", "reason": "", "until": "2027-11-26"}, False),
        ({"rule": "PM202", "reason": "A copy.", "until": "2027-11-26"}, False),
    ],
)
def test_an_exemption_counts_until_its_last_day(exemption: dict[str, str], is_exempt: bool, tmp_path: Path) -> None:
    copy = reader(f"select * from {LINES}", config={"meta": {"exemptions": [exemption]}})
    assert (find_findings(mesh(tmp_path, copy)) == []) is is_exempt


def test_a_rule_that_protects_others_has_no_exemption(tmp_path: Path) -> None:
    exemption = {"rule": "PM201", "reason": "We need it.", "until": "2027-11-26"}
    named = reader("select line_id from shop.lines_old", (PORT,), config={"meta": {"exemptions": [exemption]}})
    assert [finding.code for finding in find_findings(mesh(tmp_path, named))] == ["PM201"]


@pytest.mark.parametrize(
    ("given", "is_needed"),
    [
        ({"raw_code": "select 1 from {{ ref('shop', 'lines') }}{{ config(tags=['a']) }}"}, False),
        ({"raw_code": "select 1 from {{ ref('shop', name) }}"}, True),
        ({"raw_code": "select 1 from {{ source(var('a'), 'b') }}"}, True),
        ({"raw_code": "select 1 from {{ hidden() }}"}, True),
        ({"raw_code": "select 1 {% if true %}{% endif %}"}, True),
        ({"raw_code": "select 1 from {{ ref('days') }}", "parents": ["model.desk.days"]}, True),
        ({"kind": "unique", "macros": ["macro.dbt.test_unique"]}, False),
        ({"kind": "accepted_range", "macros": ["macro.portmesh.test_accepted_range"]}, False),
        ({"kind": "mine", "macros": ["macro.desk.test_mine"]}, True),
        ({"kind": "unique", "macros": [], "where": "x in (select y from {{ ref('z') }})"}, True),
        ({"kind": "unique", "macros": [], "where": "x in (select y from shop.z)"}, False),
        ({"language": "python", "raw_code": ""}, False),
    ],
)
def test_dbt_compiles_only_what_needs_it(given: dict[str, Any], is_needed: bool) -> None:
    ephemeral = SimpleNamespace(package_name="desk", config=SimpleNamespace(materialized="ephemeral"))
    operation = SimpleNamespace(package_name="portmesh", config=SimpleNamespace(materialized="view"))
    kind = given.get("kind")
    node = SimpleNamespace(
        resource_type="test" if kind else "model",
        language=given.get("language", "sql"),
        raw_code=given.get("raw_code", "{{ test(**_dbt_generic_test_kwargs) }}"),
        depends_on=SimpleNamespace(nodes=given.get("parents", []), macros=given.get("macros", [])),
        config=SimpleNamespace(where=given.get("where")),
        test_metadata=SimpleNamespace(name=kind, kwargs={"model": "{{ from }}"}) if kind else None,
    )
    nodes = {"model.desk.days": ephemeral, "operation.portmesh.start": operation}
    assert needs_dbt()(node, nodes) is is_needed


def test_every_rule_has_a_page_and_both_cases() -> None:
    assert set(RULES) == {case[0] for case in BROKEN} == {case[0] for case in KEPT}
    pages = {path.stem: path.read_text() for path in (REPOSITORY / "docs/rules").glob("PM2*.md")}
    assert pages.keys() == RULES.keys()
    index = (REPOSITORY / "docs/rules/README.md").read_text()
    for code, page in pages.items():
        title = re.fullmatch(rf"# {code}: (.+)", page.splitlines()[0])
        assert title, code
        exempted = "yes" if code in EXEMPTIBLE_RULES else ""
        assert f"| [{code}]({code}.md) | {title[1]} | {exempted} |" in index
        assert re.findall(r"^## (.+)$", page, flags=re.MULTILINE) == ["Example", "Reason", "Fix"]
