"""Which rows of each table are taken, and which columns are masked, decided from what catalogs and YAML say."""

from __future__ import annotations

from typing import Any

import pytest

from portmesh.sampling.choosing import SMALL, Choice, Facts, choose
from portmesh.sampling.wanted import Reference, Wanted, Wish

LARGE = SMALL + 1


def wanted(label: str, **more: Any) -> Wanted:
    schema, name = label.split(".")
    given = {"classification": "internal"} | more
    return Wanted(label=label, kind="port", schema=schema, table=name, local_schema=schema, file="x.yml", **given)


def chosen(
    tables: list[tuple[Wanted, str]],
    rows: dict[str, int | None] | None = None,
    subject: str = "household_id",
    **more: Any,
) -> dict[str, Choice]:
    """The choices for tables with these columns of type BIGINT, by name. All are large, except those in `rows`."""
    facts = {
        table.label: Facts(dict.fromkeys(columns.split(), "BIGINT"), (rows or {}).get(table.table, LARGE), 1)
        for table, columns in tables
    }
    subjects = {"customer": frozenset({subject})} if subject else {}
    options = {"mask_above": "internal", "whole": False} | more
    found = choose(Wish("desk", "emr", tuple(table for table, _ in tables), subjects), facts, **options)
    assert len(found) == len(tables)
    return {choice.table.table: choice for choice in found}


def ways(found: dict[str, Choice]) -> dict[str, tuple[str, str]]:
    return {name: (choice.way, choice.column) for name, choice in found.items()}


def test_the_subject_is_sampled_and_others_follow_their_keys_in_both_directions() -> None:
    found = chosen(
        [
            (wanted("a.lines"), "line_id order_id product_id"),
            (wanted("a.products", key=("product_id",)), "product_id title"),
            (wanted("a.orders", key=("order_id",)), "order_id household_id"),
            (wanted("a.households"), "Household_ID name"),
            (wanted("a.weather"), "day rain"),
            (wanted("a.shops", key=("shop_id",)), "shop_id city"),
        ],
        {"shops": None},
    )
    assert ways(found) == {
        "orders": ("hash", "household_id"),
        "households": ("hash", "household_id"),
        "lines": ("linked", "order_id"),
        "products": ("linked", "product_id"),
        "weather": ("rows", ""),
        "shops": ("hash", "shop_id"),
    }
    assert found["lines"].links == (("a.orders", "order_id"),)
    # What is linked comes after what it is linked to.
    order = list(found)
    assert order.index("orders") < order.index("lines") < order.index("products")


def test_a_small_table_without_the_key_is_taken_whole_and_a_declared_relationship_counts() -> None:
    reference = Reference("item", "a.products", "product_id")
    found = chosen(
        [
            (wanted("a.lines", references=(reference,)), "household_id item"),
            (wanted("a.products"), "product_id title"),
            (wanted("a.shops"), "shop_id"),
        ],
        {"shops": SMALL},
    )
    assert ways(found) == {
        "lines": ("hash", "household_id"),
        "products": ("linked", "product_id"),
        "shops": ("whole", ""),
    }
    assert found["products"].links == (("a.lines", "item"),)


def test_what_nobody_is_linked_to_starts_a_chain_of_its_own() -> None:
    found = chosen(
        [
            (wanted("a.promotions"), "product_id week"),
            (wanted("a.products", key=("product_id",)), "product_id title"),
            (wanted("a.households"), "household_id"),
        ]
    )
    assert ways(found) == {
        "households": ("hash", "household_id"),
        "products": ("hash", "product_id"),
        "promotions": ("linked", "product_id"),
    }
    assert {name: choice.owner for name, choice in found.items()} == {
        "households": "household_id",
        "products": "product_id",
        "promotions": "",
    }


def test_what_sampled_rows_refer_to_comes_before_what_refers_to_them() -> None:
    """All coupons of the sampled campaigns would be most of them; the redeemed ones are what the rows need."""
    of_campaign = Reference("campaign_id", "a.targets", "campaign_id")
    found = chosen(
        [
            (wanted("a.coupons", references=(of_campaign,)), "coupon campaign_id"),
            (wanted("a.targets"), "household_id campaign_id"),
            (wanted("a.redemptions", references=(Reference("upc", "a.coupons", "coupon"),)), "household_id upc"),
        ]
    )
    assert ways(found)["coupons"] == ("linked", "coupon")
    assert found["coupons"].links == (("a.redemptions", "upc"),)


def test_without_a_subject_the_key_that_most_tables_have_is_sampled() -> None:
    tables = [
        (wanted("a.products", key=("product_id",)), "product_id"),
        (wanted("a.lines", key=("line_id",)), "line_id product_id"),
    ]
    expected = {"products": ("hash", "product_id"), "lines": ("hash", "product_id")}
    assert ways(chosen(tables, subject="")) == expected
    assert ways(chosen(tables, subject="nobody_id")) == expected
    assert {way for way, _ in ways(chosen(tables, whole=True)).values()} == {"whole"}


def test_what_joins_is_masked_on_both_sides_or_on_neither() -> None:
    found = chosen(
        [
            (wanted("a.households", classification="confidential"), "household_id name"),
            (wanted("a.orders", key=("order_id",), levels={"note": "restricted"}), "order_id household_id note"),
            (wanted("a.lines"), "order_id amount _batch_id"),
            (wanted("a.names", levels={"name": "public"}), "household_id name"),
        ]
    )
    assert {name: set(choice.masked) for name, choice in found.items()} == {
        "households": {"household_id", "name"},
        "orders": {"household_id", "note"},
        "lines": set(),
        "names": {"household_id"},
    }


def test_what_nobody_classified_is_masked_and_said() -> None:
    open_table = wanted("a.open", classification="", levels={"amount": "public"})
    found = chosen([(open_table, "household_id amount _batch_id _landed_at"), (wanted("a.known"), "amount")])
    assert set(found["open"].masked) == {"household_id"}
    assert found["open"].is_unclassified
    assert not found["known"].is_unclassified
    all_stated = wanted("a.open", classification="", levels={"household_id": "restricted", "amount": "public"})
    assert not chosen([(all_stated, "household_id amount")])["open"].is_unclassified


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("BIGINT", "value"),
        ("VARCHAR", "value"),
        ("BOOLEAN", "choice"),
        ("ENUM('a', 'b')", "choice"),
        ("VARCHAR[]", "null"),
        ("STRUCT(a INTEGER)", "null"),
        ("BLOB", "null"),
    ],
)
def test_how_a_type_is_masked(kind: str, how: str) -> None:
    table = wanted("a.open", classification="restricted")
    found = choose(Wish("desk", "emr", (table,), {}), {"a.open": Facts({"x": kind}, 1, 1)}, "internal", whole=False)
    assert found[0].masked == {"x": how}


def test_an_accepted_value_is_chosen_unless_the_column_is_a_key() -> None:
    table = wanted("a.open", classification="restricted", key=("id",), accepted={"id": ("a",), "word": ("a", "b")})
    facts = {"a.open": Facts({"id": "VARCHAR", "word": "VARCHAR"}, 1, 1)}
    found = choose(Wish("desk", "emr", (table,), {}), facts, "internal", whole=False)
    assert found[0].masked == {"id": "value", "word": "choice"}
