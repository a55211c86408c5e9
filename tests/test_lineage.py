"""Column lineage of SQL: of every clause, of what has to be assumed, and of the three engines."""

from __future__ import annotations

from typing import Any

import pytest

from portmesh.lineage import Column, ColumnLineage, NodeLineage, read_lineage
from tests.sql_manifest import RELATIONS, manifest, model, source

LINES = source("raw.lines", ["line_id", "basket_id", "product_id", "price", "quantity"])
PRODUCTS = model(
    "shop.products", "select 1", contract={"product_id": "bigint", "name": "varchar", "is_fuel": "boolean"}
)
PARENTS = ["source.shop.raw.lines", "model.shop.products"]
LINES_SQL, PRODUCTS_SQL = '"mesh"."raw"."lines"', '"mesh"."shop"."products"'


def lineage_of(sql: str, **more: Any) -> NodeLineage:
    """The lineage of a query; {lines} and {products} are the tables."""
    written = sql.format(lines=LINES_SQL, products=PRODUCTS_SQL)
    parents = [id_ for id_, table in zip(PARENTS, ("{lines}", "{products}"), strict=True) if table in sql]
    found = read_lineage(manifest(LINES, PRODUCTS, model("shop.asked", written, parents, **more)))
    return found.nodes["model.shop.asked"]


def inputs_of(node: NodeLineage, column: str) -> set[str]:
    return {f"{each.node.rpartition('.')[2]}.{each.name}" for each in node.columns[column].inputs}


def influences_of(node: NodeLineage) -> set[tuple[str, str]]:
    return {(each.kind, f"{c.node.rpartition('.')[2]}.{c.name}") for each in node.influences for c in each.inputs}


def test_a_column_is_computed_from_columns_and_filtered_by_others() -> None:
    node = lineage_of("select price * quantity as value from {lines} where basket_id > 7")
    assert node.unknown == ""
    assert inputs_of(node, "value") == {"lines.price", "lines.quantity"}
    assert node.columns["value"].expression == "raw.lines.price * raw.lines.quantity"
    assert influences_of(node) == {("filter", "lines.basket_id")}
    assert node.reads == ("source.shop.raw.lines",)


def test_the_expression_goes_through_ctes() -> None:
    node = lineage_of("""
        with lines as (select * from {lines}), products as (select * from {products}),
        valued as (select product_id, price * quantity as value from lines),
        summed as (select product_id, sum(value) as value from valued group by product_id)
        select products.name, coalesce(summed.value, 0) as value
        from products left join summed on products.product_id = summed.product_id
    """)
    assert node.columns["value"].expression == "COALESCE(SUM(raw.lines.price * raw.lines.quantity), 0)"
    assert inputs_of(node, "name") == {"products.name"}
    assert influences_of(node) == {
        ("group", "lines.product_id"),
        ("join", "lines.product_id"),
        ("join", "products.product_id"),
    }


def test_an_expression_keeps_its_order_inside_another() -> None:
    node = lineage_of("""
        with l as (select price + quantity as x, price > 1 and quantity > 1 as y, -price as z from {lines})
        select x * 2 as a, not y as b, coalesce(x, z) as c, x - z as d from l
    """)
    assert [column.expression.replace("raw.lines.", "") for column in node.columns.values()] == [
        "(price + quantity) * 2",
        "NOT (price > 1 AND quantity > 1)",
        "COALESCE(price + quantity, -price)",
        "(price + quantity) - (-price)",
    ]


def test_a_long_expression_stays_under_its_name() -> None:
    doubled = ", ".join(f"s{n} as (select x + x as x from s{n - 1})" for n in range(1, 15))
    node = lineage_of(f"with s0 as (select price as x from {{lines}}), {doubled} select x from s14")
    assert "s" in node.columns["x"].expression
    assert len(node.columns["x"].expression) < 4100
    assert inputs_of(node, "x") == {"lines.price"}


def test_up_and_down() -> None:
    first = model("shop.a", f"select price as cost from {LINES_SQL}", ["source.shop.raw.lines"])
    second = model("shop.b", 'select cost + 1 as more from "mesh"."shop"."a" where cost > 0', ["model.shop.a"])
    lineage = read_lineage(manifest(LINES, first, second))
    price, cost, more = (
        Column("source.shop.raw.lines", "price"),
        Column("model.shop.a", "cost"),
        Column("model.shop.b", "more"),
    )
    assert lineage.up(more) == (cost,)
    assert lineage.ancestors(more) == (cost, price)
    assert lineage.descendants(price) == (cost, more)
    assert lineage.influenced(cost) == ("model.shop.b",)
    assert lineage.readers("model.shop.a") == ("model.shop.b",)


def names_of(columns: tuple[Column, ...]) -> set[str]:
    return {f"{each.node.rpartition('.')[2]}.{each.name}" for each in columns}


@pytest.mark.parametrize(
    ("sql", "inputs"),
    [
        ("select price as x from {lines}", "price"),
        ("select l.price as x from {lines} as l", "price"),
        ("select lines.price as x from {lines}", "price"),
        ("select {lines}.price as x from {lines}", "price"),
        ('select raw.lines."Price" as x from {lines}', "price"),
        ("select x from (select price as x from {lines}) as inner_query", "price"),
        ("with a as (select price from {lines}), b as (select * from a) select price as x from b", "price"),
        ("with a(x) as (select price from {lines}) select x from a", "price"),
        ("with unused as (select quantity from {lines}) select price as x from {lines}", "price"),
        ("select price as x from {lines} union all select quantity from {lines}", "price quantity"),
        ("select price as x from {lines} union all by name select quantity as x from {lines}", "price quantity"),
        ("select x from (select price as x, line_id as x, 1 as y from {lines} union all "
         "select basket_id as m, quantity as n, product_id as n from {lines})",
         "price line_id basket_id quantity product_id"),
        ("select x from (select * rename (price as x) from {lines})", "price"),
        ("select price as x from (select * replace (quantity * 2 as price) from {lines})", "quantity"),
        ("select price as x from (select * exclude (quantity) from {lines})", "price"),
        ("select sum(price) over (partition by basket_id order by line_id) as x from {lines}",
         "price basket_id line_id"),
        ("select sum(price) over w as x from {lines} window w as (partition by basket_id)", "price basket_id"),
        ("select sum(price) filter (where quantity > 1) as x from {lines}", "price quantity"),
        ("select list(price order by quantity) as x from {lines}", "price quantity"),
        ("select (select max(price) from {lines} as i where i.basket_id = o.basket_id) as x from {lines} as o",
         "price basket_id"),
        ("select exists (select 1 from {lines} as i where i.quantity = o.line_id) as x from {lines} as o",
         "quantity line_id"),
        ("select z as x from {lines}, unnest([price, quantity]) as u(z)", "price quantity"),
        ("select l.z as x from {lines} as o, lateral (select o.price + 1 as z, o.quantity as y) as l", "price"),
        ("select {{'a': price, 'b': quantity}}.b as x from {lines}", "price quantity"),
        ("select list_transform([price], lambda v: v + quantity) as x from {lines}", "price quantity"),
        ("select l as x from {lines} as l", "line_id basket_id product_id price quantity *"),
        ("select price as y, y + quantity as x from {lines} where price > 0", "price quantity y"),
        ("select case when quantity > 1 then price end as x from {lines}", "price quantity"),
        ("select count(*) as x from {lines}", ""),
        ("from {lines} select price as x", "price"),
        ("with recursive r as (select price as x, 1 as n from {lines} union all select x, n + 1 from r where n < 3) "
         "select x from r", "line_id basket_id product_id price quantity *"),
        ("select x from {lines} pivot (sum(price) as x for quantity in (1))",
         "line_id basket_id product_id price quantity *"),
    ],
)  # fmt: skip
def test_what_a_column_is_computed_from(sql: str, inputs: str) -> None:
    node = lineage_of(sql)
    assert node.unknown == ""
    found = node.column("x")
    assert found
    assert names_of(found.inputs) == {f"lines.{name}" for name in inputs.split()}


@pytest.mark.parametrize(
    ("sql", "influences"),
    [
        ("where price > 0 and quantity > 1", "filter price, filter quantity"),
        ("group by price having max(quantity) > 1", "group price, filter quantity"),
        ("group by all", ""),
        ("group by rollup (basket_id)", "group basket_id"),
        ("qualify row_number() over (partition by price order by quantity) = 1", "filter price, filter quantity"),
        ("order by price limit 3", "order price"),
        ("where basket_id in (select l.product_id from {lines} as l where l.price > 0)",
         "filter basket_id, filter product_id, filter price"),
        ("where exists (select 1 from {lines} as l where l.price = lines.quantity)", "filter price, filter quantity"),
        ("join {lines} as l on l.price = lines.quantity", "join price, join quantity"),
        ("semi join {lines} as l on l.price = lines.quantity", "join price, join quantity"),
        ("anti join {lines} as l on l.price = lines.quantity", "join price, join quantity"),
        ("join {lines} as l using (price)", "join price"),
        ("cross join {lines} as l", ""),
        ("cross join (select price from {lines} where quantity > 1) as l", "filter quantity"),
        (", unnest([price]) as u(z)", "unnest price"),
        ("cross join (select distinct price, quantity from {lines}) as l", "distinct price, distinct quantity"),
        ("cross join (select distinct on (price) quantity from {lines}) as l", "distinct price"),
        ("cross join (select price from {lines} union select quantity from {lines}) as l",
         "distinct price, distinct quantity"),
        ("cross join (select price from {lines} except select quantity from {lines}) as l",
         "distinct price, distinct quantity"),
    ],
)  # fmt: skip
def test_what_decides_which_rows_there_are(sql: str, influences: str) -> None:
    node = lineage_of(f"select 1 as x from {{lines}} {sql}")
    assert node.unknown == ""
    found = {f"{kind} {column.removeprefix('lines.')}" for kind, column in influences_of(node)}
    assert found == set(filter(None, influences.split(", ")))


def test_a_join_and_a_count_have_no_column_and_are_influences() -> None:
    node = lineage_of("select count(*) as n from {lines} cross join {products} limit 3")
    assert [(each.kind, each.expression) for each in node.influences] == [
        ("join", "cross join shop.products"), ("group", "all rows"), ("limit", "LIMIT 3")
    ]  # fmt: skip
    assert len(node.reads) == 2


def test_columns_that_nobody_lists_are_passed_on_by_name() -> None:
    node = lineage_of("with l as (select * from {lines}) select *, price * 2 as double_price from l")
    assert node.unknown == ""
    assert list(node.columns)[-2:] == ["*", "double_price"]
    assert node.column("colour") == ColumnLineage((Column("source.shop.raw.lines", "colour"),), "raw.lines.*")
    lineage = read_lineage(manifest(
        source("raw.lines"),
        model("shop.a", f"select * from {LINES_SQL}", ["source.shop.raw.lines"]),
        model("shop.b", 'select price + 1 as more from "mesh"."shop"."a"', ["model.shop.a"]),
    ))  # fmt: skip
    price = Column("source.shop.raw.lines", "price")
    assert lineage.ancestors(Column("model.shop.b", "more")) == (Column("model.shop.a", "price"), price)
    assert lineage.descendants(price) == (Column("model.shop.a", "price"), Column("model.shop.b", "more"))


def test_a_contract_says_which_columns_a_star_has() -> None:
    node = lineage_of("select * from {lines}", contract={"price": "double", "colour": "varchar"})
    assert {name: names_of(column.inputs) for name, column in node.columns.items()} == {
        "price": {"lines.price"}, "colour": {"lines.colour"}
    }  # fmt: skip


def test_a_name_that_may_be_a_column_or_an_alias_is_both() -> None:
    lines = source("raw.lines")
    sql = f"select date_trunc('day', sold_at) as day, count(*) as n from {LINES_SQL} group by day"
    node = read_lineage(manifest(lines, model("shop.asked", sql, ["source.shop.raw.lines"]))).nodes["model.shop.asked"]
    assert node.unknown == ""
    assert names_of(node.influencing) == {"lines.day", "lines.sold_at"}


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select price frm {lines} where", "sqlglot cannot parse its SQL"),
        ("select 1; select 2", "its SQL is 2 statements"),
        ("delete from {lines}", "its SQL is no query but delete"),
        ("select price", "`price` is no column of what it reads"),
        ("select * from {lines} union all select * from {lines}", "a union of `select *`"),
        ("with a(x, y) as (select * from {lines}) select x from a", "by position"),
        ("select *, 1 as y from {lines} order by 2", "by the number of a column"),
        ("select 1 as x from {lines} natural join {products}", "natural join"),
        ("", "it has no compiled SQL"),
        ("select columns('p.*') from {lines}", "it chooses columns with `columns(…)`"),
        ("select coalesce(*columns(['price', 'quantity'])) as x from {lines}", "it chooses columns"),
        ("select * like 'p%' from {lines}", "it chooses the columns of `*` by their names"),
        ("select #1 as x from {lines}", "it names a column by its position"),
        ("select unnest({{'a': price}}) from {lines}", "have no names"),
        ("select unnest([{{'a': price}}], recursive := true) as x from {lines}", "structs at any depth"),
        ("pivot {lines} on product_id using sum(price)", "its SQL is no query but pivot"),
        ("select * from (pivot {lines} on product_id using sum(price))", "`*` cannot be expanded"),
    ],
)
def test_what_cannot_be_known_is_computed_from_everything(sql: str, reason: str) -> None:
    written = sql.format(lines=LINES_SQL, products=PRODUCTS_SQL)
    lineage = read_lineage(manifest(LINES, PRODUCTS, model("shop.asked", written, PARENTS, columns={"x": ""})))
    node = lineage.nodes["model.shop.asked"]
    assert reason in node.unknown
    every = {Column("source.shop.raw.lines", "*"), Column("source.shop.raw.lines", "price")}
    every |= {Column("model.shop.products", name) for name in ("product_id", "name", "is_fuel")}
    for found in (
        node.columns["x"].inputs,
        node.columns["*"].inputs,
        node.influencing,
        lineage.up(Column(node.node, "z")),
    ):
        assert every <= set(found)


def test_a_python_model_is_computed_from_everything() -> None:
    node = lineage_of("def model(dbt, session): return dbt.ref('{products}')", language="python", contract={"x": "int"})
    assert node.unknown == "it is a Python model that declares no lineage"
    assert names_of(node.columns["x"].inputs) == {"products.product_id", "products.name", "products.is_fuel"}


def declaring(rows: Any = None, x: Any = None, y: Any = None, contract: bool = True) -> NodeLineage:
    """A Python model that reads the source `raw.lines` and `shop.products`, and declares this."""
    columns = {"contract" if contract else "columns": {"x": "int", "y": "int"}}
    made = model("shop.asked", "def model(dbt, session): ...", PARENTS, language="python", **columns)
    node = made["model.shop.asked"]
    node["config"]["meta"] = {"rows_from": rows}
    for name, given in (("x", x), ("y", y)):
        node["columns"][name]["config"] = {"meta": {"computed_from": given}}
    return read_lineage(manifest(LINES, PRODUCTS, made)).nodes["model.shop.asked"]


OF_LINES = {f"lines.{name}" for name in ("line_id", "basket_id", "product_id", "price", "quantity", "*")}
EVERYTHING = {*OF_LINES, "products.product_id", "products.name", "products.is_fuel"}


def test_a_python_model_is_computed_from_what_it_declares() -> None:
    node = declaring(["shop.products.is_fuel", "raw.lines.sold_on"], ["Raw.Lines.Price"], [])
    assert node.unknown == ""
    assert node.columns["x"].expression == "DECLARED(raw.lines.price)"
    assert names_of(node.columns["x"].inputs) == {"lines.price"}
    assert (node.columns["y"].inputs, node.columns["y"].expression) == ((), "DECLARED(no column)")
    (rows,) = node.influences
    assert (rows.kind, rows.expression) == ("declared", "shop.products.is_fuel, raw.lines.sold_on")
    assert names_of(rows.inputs) == {"products.is_fuel", "lines.sold_on"}
    assert set(node.reads) == {*PARENTS}
    assert not node.is_assumed
    assert declaring([], [], []).influences == ()
    assert names_of(declaring([], ["shop.products", "raw.lines"]).columns["x"].inputs) == EVERYTHING


@pytest.mark.parametrize("x", [None, ["shop.products.gone"], ["shop.other.price"], ["shop.products.name", 1], "x"])
def test_what_a_python_model_does_not_declare_rightly_is_everything(x: object) -> None:
    node = declaring([], x, ["shop.products.name"])
    assert names_of(node.columns["x"].inputs) == EVERYTHING
    assert node.columns["x"].expression == "ANY_OF(raw.lines, shop.products)"
    assert names_of(node.columns["y"].inputs) == {"products.name"}
    assert node.influences == ()
    assert node.is_assumed
    rows = declaring(x, [], ["shop.products.name"])
    assert [each.kind for each in rows.influences] == ["unread"]
    assert names_of(rows.influencing) == EVERYTHING
    assert names_of(rows.columns["x"].inputs) == set()


def test_a_column_that_python_does_not_list_is_everything() -> None:
    """Without a contract there may be more columns, and they are not passed on by their names."""
    found = declaring([], [], [], contract=False).column("other")
    assert found
    assert names_of(found.inputs) == EVERYTHING


def test_a_parent_that_the_sql_does_not_read_may_be_in_every_value() -> None:
    """A macro may have asked it when the SQL was made, as pivots of dbt_utils do."""
    sql = f"select price from {LINES_SQL}"
    node = read_lineage(manifest(LINES, PRODUCTS, model("shop.asked", sql, PARENTS))).nodes["model.shop.asked"]
    assert inputs_of(node, "price") == {"lines.price", "products.product_id", "products.name", "products.is_fuel"}
    assert ("unread", "products.name") in influences_of(node)
    assert node.unknown == ""


def test_a_parent_that_only_checks_read_is_none() -> None:
    """`-- depends_on:` says that a check of the model reads another port, which is built before."""
    comment = "-- depends_on: "
    sql, raw = f"{comment}{PRODUCTS_SQL}\nselect price from {LINES_SQL}", "{{ ref('shop', 'products') }}\nselect …"
    for jinja, parents in (
        (raw, {"source.shop.raw.lines"}),
        (f"{raw} {{{{ run_query(ref('products')) }}}}", {*PARENTS}),
    ):
        asked = model("shop.asked", sql, PARENTS, raw_code=comment + jinja)
        node = read_lineage(manifest(LINES, PRODUCTS, asked)).nodes["model.shop.asked"]
        assert {each.node for each in node.columns["price"].inputs} == parents
        assert set(node.reads) == parents


def test_a_comment_names_a_relation_as_its_own_engine_writes_it() -> None:
    sql, raw = (
        "-- depends_on: `shop`.`products`\nselect 1 as x",
        "-- depends_on: {{ ref('shop', 'products') }}\nselect 1",
    )
    asked = model("shop.asked", sql, PARENTS[1:], "spark", adapter_type="spark", raw_code=raw)
    assert read_lineage(manifest(PRODUCTS, asked)).nodes["model.shop.asked"].reads == ()


def test_a_relation_that_is_no_node_is_named() -> None:
    node = lineage_of("select price, rate from {lines} join finance.rates on rates.day = line_id")
    assert names_of(node.columns["rate"].inputs) >= {"rates.rate"}
    assert "relation.finance.rates" in node.reads


def test_a_name_without_database_is_the_same_node() -> None:
    assert "model.shop.products" in lineage_of("select name from shop.products").reads
    assert "relation.other.shop.products" in lineage_of("select name from other.shop.products").reads


def test_an_increment_and_a_full_build_are_both_read() -> None:
    incremental = {"materialized": "incremental", "unique_key": "line_id"}
    own = '"mesh"."shop"."asked"'
    increment = (
        f"select line_id, price + quantity as x from {LINES_SQL} where line_id > (select max(line_id) from {own})"
    )
    node = lineage_of("select line_id, price as x from {lines}", config=incremental, compiled_increment=increment)
    assert inputs_of(node, "x") == {"lines.price", "lines.quantity"}
    assert node.columns["x"].expression == "ONE_OF(raw.lines.price, raw.lines.price + raw.lines.quantity)"
    assert influences_of(node) == {("filter", "lines.line_id"), ("filter", "asked.line_id")}
    assert node.reads == ("model.shop.asked", "source.shop.raw.lines")


def test_an_increment_that_is_not_compiled_is_not_known() -> None:
    macros = {
        "macro.portmesh.is_incremental": {"name": "is_incremental"},
        "macro.shop.new_rows": {"name": "new_rows", "depends_on": {"macros": ["macro.portmesh.is_incremental"]}},
    }
    asked = model("shop.asked", f"select price from {LINES_SQL}", PARENTS[:1], config={"materialized": "incremental"})
    asked["model.shop.asked"]["depends_on"]["macros"] = ["macro.shop.new_rows"]
    found = read_lineage({**manifest(LINES, asked), "macros": macros}).nodes["model.shop.asked"]
    assert found.unknown == "its SQL for an increment is not compiled"


def test_a_batch_is_filtered_by_the_parents_event_time() -> None:
    lines = source("raw.lines", config={"event_time": "Sold_At"})
    config = {"materialized": "incremental", "incremental_strategy": "microbatch"}
    asked = model("shop.asked", f"select price from {LINES_SQL}", ["source.shop.raw.lines"], config=config)
    assert influences_of(read_lineage(manifest(lines, asked)).nodes["model.shop.asked"]) == {
        ("filter", "lines.sold_at")
    }


@pytest.mark.parametrize(
    ("config", "inputs"),
    [
        ({"strategy": "timestamp", "updated_at": "sold_at", "unique_key": "line_id"}, "line_id sold_at"),
        ({"strategy": "check", "check_cols": ["price"], "unique_key": ["line_id"]}, "line_id price"),
        ({"strategy": "check", "check_cols": "all", "unique_key": "line_id"}, "line_id price sold_at"),
        ({"strategy": "check", "check_cols": ["price"], "unique_key": "line_id || sold_at"}, "line_id price sold_at"),
    ],
)
def test_the_columns_that_dbt_adds_to_a_snapshot(config: dict[str, Any], inputs: str) -> None:
    sql = "select line_id, price, sold_at from {lines}"
    config |= {"snapshot_meta_column_names": {"dbt_valid_to": "Until"}, "hard_deletes": "new_record"}
    node = lineage_of(sql, resource_type="snapshot", config=config)
    added = ["dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "until", "dbt_is_deleted"]
    assert list(node.columns) == ["line_id", "price", "sold_at", *added]
    for name in added:
        assert inputs_of(node, name) == {f"lines.{column}" for column in inputs.split()}
    assert {kind for kind, _ in influences_of(node)} == {"snapshot"}


def test_an_ephemeral_model_is_a_node_between() -> None:
    short = model("shop.short", f"select price as cost from {LINES_SQL}", ["source.shop.raw.lines"], relation_name=None)
    cte = f" __dbt__cte__short as (\nselect price as cost from {LINES_SQL}\n)"
    sql = f"with{cte}, own as (select * from __dbt__cte__short) select cost * 2 as twice from own"
    extra = [{"id": "model.shop.short", "sql": cte}]
    lineage = read_lineage(manifest(LINES, short, model("shop.asked", sql, ["model.shop.short"], extra_ctes=extra)))
    twice, cost = Column("model.shop.asked", "twice"), Column("model.shop.short", "cost")
    assert lineage.ancestors(twice) == (cost, Column("source.shop.raw.lines", "price"))
    assert lineage.nodes["model.shop.asked"].columns["twice"].expression == "shop.short.cost * 2"


def test_versions_of_a_model_are_two_nodes() -> None:
    first, second = (model(f"shop.lines.v{n}", "select 1", contract={"price": "double"}) for n in (1, 2))
    sql = (
        'select a.price as x, b.price as y from "mesh"."shop"."lines_v1" as a cross join "mesh"."shop"."lines_v2" as b'
    )
    asked = model("shop.asked", sql, ["model.shop.lines.v1", "model.shop.lines.v2"])
    columns = read_lineage(manifest(first, second, asked)).nodes["model.shop.asked"].columns
    assert [columns[name].inputs[0].node for name in "xy"] == ["model.shop.lines.v1", "model.shop.lines.v2"]
    assert columns["y"].expression == "shop.lines.v2.price"


@pytest.mark.parametrize(
    "location",
    ["landed('lines')", "read_parquet('s3://lake/lines/*.parquet')", "'lake/lines.csv'", "read_csv(['a', 'b'])"],
)
def test_an_external_location_is_its_source(location: str) -> None:
    lines = source("raw.lines", relation_name=location)
    sql = f"with l as (select * from {location}) select price * 2 as x from l where quantity > 0"
    node = read_lineage(manifest(lines, model("shop.asked", sql, ["source.shop.raw.lines"]))).nodes["model.shop.asked"]
    assert node.unknown == ""
    assert inputs_of(node, "x") == {"lines.price"}
    assert influences_of(node) == {("filter", "lines.quantity")}


ENGINES = [
    ("spark", "select `price` as x from {lines} where `quantity` > 0", "price", "quantity"),
    ("spark", "select z as x from {lines} lateral view explode(split(price, ',')) as z where quantity > 0",
     "price", "price quantity"),
    ("spark", "select explode(array(price, quantity)) as x from {lines}", "price quantity", "price quantity"),
    ("spark", "select x from (select row_number() over (partition by price order by quantity) as x from {lines})",
     "price quantity", ""),
    ("spark", "select /*+ broadcast(p) */ l.price as x from {lines} l left semi join {products} p "
     "on l.product_id = p.product_id", "price", "product_id"),
    ("spark", "select l.details.price as x from {lines} as l", "details", ""),
    ("spark", "select posexplode(split(price, ',')) as (n, x) from {lines}", "price", "price"),
    ("spark", "select stack(2, price, quantity) as (x) from {lines}", "price quantity", "price quantity"),
    ("spark", "select transform(array(price), p -> p + quantity) as x from {lines}", "price quantity", ""),
    ("athena", "select x from {lines} cross join unnest(split(price, ',')) with ordinality as u (x, n)",
     "price", "price"),
    ("athena", "select listagg(price, ',') within group (order by quantity) as x from {lines}", "price quantity", ""),
    ("athena", "select price as x from {lines} where quantity > all (select line_id from {lines})",
     "price", "quantity line_id"),
    ("athena", 'select "$path" as x from {lines}', "$path", ""),
    ("athena", 'select "price" as x from {lines} where "quantity" > 0', "price", "quantity"),
    ("athena", "select z as x from {lines} cross join unnest(array[price, quantity]) as u (z)",
     "price quantity", "price quantity"),
    ("athena", "select x from (select max_by(price, quantity) as x, basket_id from {lines} group by 2)",
     "price quantity", "basket_id"),
    ("athena", "select cast(row(price, quantity) as row(a int, b int)).a as x from {lines}", "price quantity", ""),
    ("athena", "select price as x from {lines} tablesample bernoulli (10)", "price", ""),
    ("athena", "select json_extract_scalar(price, '$.a') as x from {lines} where regexp_like(line_id, 'a')",
     "price", "line_id"),
    ("duckdb", "select x from {lines}, (select max(price) as x from {lines} where quantity > 0)", "price", "quantity"),
    ("duckdb", "select price::decimal(10, 2) as x from {lines} as l asof join {products} as p "
     "on l.product_id = p.product_id and l.quantity >= p.product_id", "price", "product_id quantity"),
]  # fmt: skip


@pytest.mark.parametrize(("engine", "sql", "inputs", "influences"), ENGINES)
def test_the_sql_of_each_engine(engine: str, sql: str, inputs: str, influences: str) -> None:
    lines = source("raw.lines", ["line_id", "price", "quantity"], adapter=engine)
    products = model("shop.products", "select 1", contract={"product_id": "bigint"}, adapter=engine)
    names = {
        "lines": RELATIONS[engine].format("raw", "lines"),
        "products": RELATIONS[engine].format("shop", "products"),
    }
    parents = [id_ for id_, table in zip(PARENTS, ("{lines}", "{products}"), strict=True) if table in sql]
    asked = model("shop.asked", sql.format(**names), parents, adapter=engine)
    node = read_lineage(manifest(lines, products, asked, adapter=engine)).nodes["model.shop.asked"]
    assert node.unknown == ""
    assert inputs_of(node, "x") == {f"lines.{name}" for name in inputs.split()}
    assert {name.partition(".")[2] for _, name in influences_of(node)} == set(influences.split())


def test_domains_of_one_mesh_may_have_different_engines() -> None:
    first = model("shop.a", "select `price` from raw.lines", ["source.shop.raw.lines"], "spark", adapter_type="spark")
    sql = 'select "price" as x from "awsdatacatalog"."shop"."a"'
    second = model("shop.b", sql, ["model.shop.a"], "athena", adapter_type="athena")
    lines = source("raw.lines", adapter="spark")
    found = read_lineage(manifest(lines, first, second, adapter="spark")).ancestors(Column("model.shop.b", "x"))
    assert found == (Column("model.shop.a", "price"), Column("source.shop.raw.lines", "price"))
