"""Which checks are proposed from which rows, and which are not (decision 0029)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from portmesh.scaffold.column_names import is_id, refers_to, singular
from portmesh.scaffold.profile import Profile, profile, scratch
from portmesh.scaffold.profile_patterns import candidates
from portmesh.scaffold.profile_references import Target
from portmesh.scaffold.proposals import Proposals, SetAside, limit_of_rejected, propose

ARRIVED = "timestamp '2026-01-01 06:00:00' + to_days(cast(i // 100 as int))"


def profiled(select: str, rows: int = 1000, table: str = "orders", targets: tuple[Target, ...] = ()) -> Profile:
    """The profile of `select … from` the numbers 0 to `rows`, named i."""
    with scratch() as connection:
        return profile(connection, f"(select {select} from range({rows}) as numbers(i))", table, targets)


def proposed(select: str, rows: int = 1000, table: str = "orders", targets: tuple[Target, ...] = ()) -> Proposals:
    return propose(profiled(select, rows, table, targets))


def checks(select: str, rows: int = 1000, column: str = "v") -> dict[str, dict[str, Any]]:
    """The checks proposed for a column, by kind."""
    found = proposed(select, rows)
    return {check.kind: dict(check.arguments) for check in found.of(column)}


@pytest.mark.parametrize(
    ("select", "key"),
    [
        ("i as order_id, i % 7 as v", ("order_id",)),
        ("i % 7 as v, i as order_id", ("order_id",)),
        ("'A' || i as code, i % 7 as v", ("code",)),
        ("i // 5 as order_id, i % 5 as line_number, i % 3 as v", ("order_id", "line_number")),
        ("i // 25 as shop_id, i // 5 % 5 as item_id, date '2026-01-01' + cast(i % 5 as int) as day",
         ("shop_id", "item_id", "day")),
        ("i as weight, i % 7 as order_id, i % 5 as v", ("weight",)),
    ],
    ids=["an id", "an id elsewhere", "a leading code", "two columns", "three columns", "the first column"],
)  # fmt: skip
def test_a_key_is_found(select: str, key: tuple[str, ...]) -> None:
    assert proposed(select).key == key


@pytest.mark.parametrize(
    "select",
    [
        "i % 7 as v, i as price",
        "i % 7 as v, i / 3.0 as order_id",
        "i % 7 as v, timestamp '2026-01-01' + to_seconds(i) as sold_at",
        "i % 7 as v, 'a long text about number ' || i as remark",
        "i % 7 as v, case when i > 0 then i end as order_id",
        "i % 7 as v, case when i = 0 then 1 else i end as order_id",
    ],
    ids=["a measure", "a fraction", "a time", "a text", "a null", "one copy"],
)
def test_what_is_unique_by_accident_is_no_key(select: str) -> None:
    assert proposed(select).key == ()


def test_few_rows_that_differ_by_chance_prove_no_compound_key() -> None:
    found = proposed("hash(i) % 90 as shop_id, hash(i + 500) % 80 as item_id, 1 as v", rows=40)
    assert found.key == ()
    assert found.notes == (
        "no key found: shop_id and item_id tell the rows apart, but so few rows may do so by chance",
    )


def test_two_candidate_keys_are_named() -> None:
    found = proposed("i as order_id, 1000 - i as order_number, i % 3 as v")
    assert found.notes == ("2 candidate keys: order_id; order_number. The first one is taken as the key",)
    assert [c.column for c in found.checks if c.kind == "unique"] == ["order_id", "order_number"]


def test_copies_are_counted_if_there_is_no_key() -> None:
    found = proposed("i % 500 // 5 as order_id, i % 5 as line_number, 1 as v")
    assert found.notes == ("no key found among order_id, line_number: 500 rows have them all like an earlier row",)


@pytest.mark.parametrize(
    ("select", "values"),
    [
        ("['web', 'shop'][cast(i % 2 + 1 as int)] as v", ["shop", "web"]),
        ("case when i = 990 then 'new' else 'old' end as v", None),
        ("case when i > 980 then 'new' else 'old' end as v", None),
        ("'v' || i % 40 as v", None),
        ("case i % 2 when 0 then '{{ this }}' else 'b' end as v", None),
        ("case i % 2 when 0 then '[1]' else '[2]' end as v", None),
        ("""case i % 2 when 0 then '{"a": 1}' else '{"a": 2}' end as v""", None),
        ("case i % 2 when 0 then 'one' else 'two' || chr(10) || 'lines' end as v", None),
    ],
    ids=["stable", "one row", "one slice", "many", "Jinja", "array", "object", "lines"],
)
def test_values_are_accepted_only_if_no_new_one_is_likely(select: str, values: list[str] | None) -> None:
    assert checks(f"i as order_id, {select}").get("accepted_values", {}).get("values") == values


@pytest.mark.parametrize(
    ("select", "bounds"),
    [
        ("i * 37 % 100 as v", {"min_value": 0, "max_value": 198}),
        ("i * 37 % 100 - 50 as v", {"min_value": -149, "max_value": 148}),
        ("-(i * 37 % 100) - 1 as v", {"min_value": -199, "max_value": 0}),
        ("i as v", {"min_value": 0}),
        ("case when i = 700 then 100000 else i % 10 end as v", {"min_value": 0}),
        ("cast(i % 100 / 100.0 as decimal(4, 2)) as v", {"min_value": 0, "max_value": 1.98}),
        ("case when i = 5 then 'nan'::double else 1.5 end as v", None),
        ("date '2026-06-01' + cast(i % 100 as int) as v", {"min_value": date(2025, 1, 1)}),
        ("5 as v", {"min_value": 0, "max_value": 10}),
        ("cast(null as int) as v", None),
    ],
    ids=["measure", "signed", "negative", "counter", "one peak", "money", "NaN", "days", "one value", "none"],
)  # fmt: skip
def test_bounds_leave_as_much_room_as_the_values_span(select: str, bounds: dict[str, Any] | None) -> None:
    assert checks(f"i as order_id, {select}").get("accepted_range") == bounds


@pytest.mark.parametrize(
    ("name", "values", "bounds"),
    [
        ("sold_hour", "i % 24", {"min_value": 0, "max_value": 24}),
        ("sold_hour", "i % 8", {"min_value": 0, "max_value": 14}),
        ("month", "i % 12 + 1", {"min_value": 1, "max_value": 12}),
        ("lat", "40 + i % 5", {"min_value": -90, "max_value": 90}),
        ("lat", "400 + i % 5", {"min_value": 396, "max_value": 408}),
    ],
)
def test_what_time_and_place_allow_sets_the_bounds(name: str, values: str, bounds: dict[str, Any]) -> None:
    assert checks(f"i as order_id, {values} as {name}", column=name)["accepted_range"] == bounds


@pytest.mark.parametrize(
    ("select", "rows", "kind", "arguments"),
    [
        ("i as v", 1000, "not_null", {}),
        ("case when i % 10 > 0 then i end as v", 1000, "not_null_share", {"at_least": 0.65}),
        ("case when i % 10 = 0 then i end as v", 1000, "", {}),
        ("i as v", 10, "", {}),
    ],
    ids=["no null", "some nulls", "mostly null", "too few rows"],
)
def test_nulls(select: str, rows: int, kind: str, arguments: dict[str, Any]) -> None:
    found = checks(f"i as order_id, {select}", rows)
    assert {k: a for k, a in found.items() if k.startswith("not_null")} == ({kind: arguments} if kind else {})


@pytest.mark.parametrize(
    ("texts", "pattern"),
    [
        ([f"2017-W{n:02}" for n in range(1, 53)], "^[0-9]{4}-W[0-9]{2}$"),
        ([f"Customer#{n:09}" for n in range(50)], "^Customer#[0-9]{9}$"),
        ([f"{n:05}" for n in range(50)], "^[0-9]{5}$"),
        ([f"N{n}AB" for n in range(9, 200)], "^[A-Z0-9]+$"),
        ([f"ana{n}@example.com" for n in range(50)], "^[^@ ]+@[^@ ]+[.][A-Za-z]+$"),
        ([f"a.b|{n:03}" for n in range(50)], "^a[.]b[|][0-9]{3}$"),
    ],
)
def test_a_pattern_is_the_narrowest_that_all_texts_match(texts: list[str], pattern: str) -> None:
    assert next(candidates(texts)) == pattern


@pytest.mark.parametrize(
    "texts", [["a"] * 5, [f"Some text, number {n}!" * (n % 3 + 1) for n in range(50)], ["", "a" * 30]]
)
def test_no_pattern_is_drawn_from_few_or_free_texts(texts: list[str]) -> None:
    assert list(candidates(texts)) == []


def test_a_pattern_that_one_row_breaks_gives_way_to_the_least() -> None:
    select = "i as order_id, case when i = 30123 then 'x-1' else lpad(i::varchar, 6, '0') end as v"
    assert checks(select, 40_000)["matches_pattern"] == {"pattern": "[^ ]"}


def test_an_earlier_time_is_compared_with_a_later_one() -> None:
    select = "i as order_id, date '2026-01-01' + cast(i % 9 as int) as start_date, date '2026-02-01' as end_date"
    (check,) = [each for each in proposed(select).checks if each.kind == "expression_is_true"]
    assert (check.arguments["expression"], check.figures) == ("start_date <= end_date", "in all 1,000 rows")


def test_times_are_compared_with_their_arrival() -> None:
    select = f"i as order_id, {ARRIVED} - to_hours(cast(i % 70 as int)) as sold_at, {ARRIVED} as _landed_at"
    found = proposed(select)
    (check,) = [each for each in found.checks if each.kind == "expression_is_true"]
    assert check.arguments["expression"] == "sold_at between _landed_at - interval '13' day and _landed_at"
    assert found.freshness == ("_landed_at", 3)


PLACES = Target(
    "places",
    "geo.places",
    "ref('geo', 'places')",
    "(select 'P' || i as place_id, i from range(50) as t(i))",
    ("place_id",),
    ("place_id",),
)
NUMBERS = Target(
    "things",
    "geo.things",
    "ref('geo', 'things')",
    "(select i as thing_id from range(50) as t(i))",
    ("thing_id",),
    ("thing_id",),
)


@pytest.mark.parametrize(
    ("select", "found"),
    [
        ("'P' || i % 40 as place_id", True),
        ("'P' || i % 40 as from_place_id", True),
        ("'P' || i % 40 as home", True),
        ("'P' || i % 60 as place_id", False),
        ("i % 40 as thing_id", True),
        ("i % 40 as quantity", None),
        ("'P' || i % 40 as thing_id", None),
        ("'P' || i % 200 as place_id", None),
    ],
    ids=["same name", "longer name", "text", "some missing", "number", "no name", "other type", "most missing"],
)  # fmt: skip
def test_references(select: str, found: bool | None) -> None:
    references = profiled(f"i as order_id, {select}", targets=(PLACES, NUMBERS)).references
    assert [reference.holds for reference in references] == ([] if found is None else [found])


def test_a_reference_that_lacks_values_is_said_and_not_checked() -> None:
    found = proposed("i as order_id, 'P' || i % 60 as place_id", targets=(PLACES,))
    assert [each for each in found.checks if each.kind == "relationships"] == []
    assert found.about["place_id"] == ("10 values of 60, in 160 rows, are not in geo.places: no check proposed",)


def test_names_say_what_they_are() -> None:
    assert [name for name in ("l_orderkey", "tailnum", "paid", "orderId", "key_figure") if is_id(name)] == [
        "l_orderkey",
        "tailnum",
        "orderId",
    ]
    assert [singular(name) for name in ("flights", "categories", "boxes", "address")] == [
        "flight",
        "category",
        "box",
        "address",
    ]
    assert refers_to("bill_addr_sk", "address_sk", "customer_address")
    assert refers_to("customer_id", "id", "customers")
    assert not refers_to("product_id", "customer_id", "customers")


@pytest.mark.parametrize(
    ("batches", "at_most"),
    [
        ([], None),
        ([SetAside(0, 100)], 0.01),
        ([SetAside(2, 401), SetAside(0, 10)], 0.03),
        ([SetAside(1, 10_000)], 0.01),
        ([SetAside(200, 1000)], 0.44),
        ([SetAside(40, 100)], 0.5),
        ([SetAside(60, 100)], None),
    ],
)
def test_the_share_of_rejected_rows_has_room(batches: list[SetAside], at_most: float | None) -> None:
    found = limit_of_rejected("source('shop', 'orders')", batches)
    assert [check.arguments["at_most"] for check in found] == ([] if at_most is None else [at_most])
    assert all(check.kind == "rejected_rows" and check.arguments["of"] == "source('shop', 'orders')" for check in found)
    if at_most is not None:
        assert all(batch.rejected <= at_most * batch.rows for batch in batches)
