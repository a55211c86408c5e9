"""Column lineage of SQL: of every clause, of what has to be assumed, and of the three engines."""

from __future__ import annotations

from portmesh.lineage import Column, NodeLineage, read_lineage
from tests.sql_manifest import manifest, model, source

LINES = source("raw.lines", ["line_id", "basket_id", "product_id", "price", "quantity"])
PRODUCTS = model(
    "shop.products", "select 1", contract={"product_id": "bigint", "name": "varchar", "is_fuel": "boolean"}
)
PARENTS = ["source.shop.raw.lines", "model.shop.products"]
LINES_SQL, PRODUCTS_SQL = '"mesh"."raw"."lines"', '"mesh"."shop"."products"'


def lineage_of(sql: str, **more: object) -> NodeLineage:
    """The lineage of a query; {lines} and {products} are the tables."""
    written = sql.format(lines=LINES_SQL, products=PRODUCTS_SQL)
    found = read_lineage(manifest(LINES, PRODUCTS, model("shop.asked", written, PARENTS, **more)))
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
    assert node.columns["value"].expression == "COALESCE(SUM((raw.lines.price * raw.lines.quantity)), 0)"
    assert inputs_of(node, "name") == {"products.name"}
    assert influences_of(node) == {
        ("group", "lines.product_id"),
        ("join", "lines.product_id"),
        ("join", "products.product_id"),
    }


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
