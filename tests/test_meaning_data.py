"""The sets of data of the meaning benchmark, and judging on several of them."""

from __future__ import annotations

import random
from collections.abc import Mapping

import duckdb
import pytest

from benchmarks.meaning import __main__ as benchmark
from benchmarks.meaning import data, pairs, queries
from benchmarks.meaning.judge import Judge, Rows
from benchmarks.meaning.pairs import Mesh, Pair

SALES = """create table store_sales as select i % 50 as ss_item_sk, i as ss_ticket_number, i % 7 as ss_customer_sk,
    cast(i % 90 as decimal(7, 2)) as ss_list_price from range(4000) t(i)"""
RETURNS = """create table store_returns as select ss_item_sk::int as sr_item_sk, ss_ticket_number::int as
    sr_ticket_number, 1.0 as sr_fee from store_sales where ss_ticket_number % 3 = 0"""
CUSTOMER = """create table customer as select i as c_customer_sk, 'id' || i as c_customer_id, i % 9 as
    c_current_addr_sk, 'name' || i % 20 as c_first_name, date '2020-01-01' as c_born from range(2000) t(i)"""


def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for sql in (SALES, RETURNS, CUSTOMER):
        connection.execute(sql)
    for name in ("catalog", "web"):
        short = name[0]
        connection.execute(f"create table {name}_sales as select 1 as {short}s_item_sk, 1 as {short}s_order_number")
        connection.execute(f"create table {name}_returns as select 1 as {short}r_item_sk, 1 as {short}r_order_number")
    connection.execute("create table inventory as select 1 as inv_date_sk, 1 as inv_item_sk, 1 as inv_warehouse_sk")
    return connection


def count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return data.scalar(connection, f"select count(*) from {sql}")


def drawn(*, alike: bool = False) -> duckdb.DuckDBPyConnection:
    connection = database()
    data.draw(connection, alike, ("customer", "store_sales"))
    return connection


def test_drawn_data_keeps_keys_and_types() -> None:
    before, after = database(), drawn()
    for table in ("customer", "store_sales"):
        assert after.execute(f"describe {table}").fetchall() == before.execute(f"describe {table}").fetchall()
    for keys in ("c_customer_sk, c_customer_id from customer", "ss_item_sk, ss_ticket_number from store_sales"):
        assert after.execute(f"select {keys}").fetchall() == before.execute(f"select {keys}").fetchall()
    assert 0 < count(after, "customer where c_current_addr_sk is null") < 200
    assert count(after, "customer where c_current_addr_sk <> c_customer_sk % 9") == 0


def test_drawn_data_has_other_values_and_some_that_are_new_or_null() -> None:
    after = drawn()
    assert count(after, "customer where c_first_name <> 'name' || c_customer_sk % 20") > 1500
    assert 0 < count(after, "customer where c_first_name is null") < 200
    assert 0 < count(after, "customer where length(c_first_name) > 10") < 200
    assert 0 < count(after, "customer where c_born < date '2020-01-01'") < 200
    assert 0 < count(after, "store_sales where ss_list_price < 0") < 400


def test_drawn_data_is_the_same_each_time() -> None:
    assert drawn().execute("from customer").fetchall() == drawn().execute("from customer").fetchall()


def test_half_of_the_cells_are_alike_if_asked() -> None:
    assert count(drawn(), "customer where c_first_name = 'name0'") < 200
    assert 900 < count(drawn(alike=True), "customer where c_first_name = 'name0'") < 1200


def test_calendars_stay_as_they_are() -> None:
    connection = duckdb.connect()
    connection.execute("create table date_dim as select i as d_date_sk, i % 7 as d_dow from range(100) t(i)")
    before = connection.execute("from date_dim").fetchall()
    data.draw(connection, alike=True, tables=["date_dim"])
    assert connection.execute("from date_dim").fetchall() == before


def test_few_rows_are_sales_with_their_returns() -> None:
    connection = database()
    data.thin(connection, few=400)
    assert 300 < count(connection, "store_sales") < 500
    assert count(connection, "customer") == 2000
    joined = "store_returns join store_sales on ss_item_sk = sr_item_sk and ss_ticket_number = sr_ticket_number"
    assert count(connection, joined) == count(connection, "store_returns") > 80
    data.thin(connection, few=400)
    assert count(connection, "web_sales") == 1


KNOWN = {"item": {"i_item_sk": "BIGINT", "i_name": "VARCHAR", "i_size": "BIGINT"}}
TWO_SETS = {"plain": "(1, 'a', 10), (2, 'b', 20)", "other": "(1, 'a', 10), (2, 'cc', null)"}


def judge(open_: Mapping[str, list[str]] | None = None, **sets: str) -> Judge:
    found = {}
    for name, rows in (sets or TWO_SETS).items():
        connection = duckdb.connect()
        connection.execute(f"create table item as from (values {rows}) t(i_item_sk, i_name, i_size)")
        found[name] = Rows(connection, (open_ or {}).get(name, ()))
    return Judge(found, KNOWN)


def pair(before: str, after: str, kind: str = "expression") -> Pair:
    return Pair("1", kind, "by hand", Mesh(before), Mesh(after))


ITEMS = "select i_item_sk, i_name, i_size from item"
SHORT = pair(ITEMS, "select i_item_sk, left(i_name, 1) as i_name, i_size from item")


def test_what_differs_in_any_set_differs_and_only_what_is_equal_in_all_is_equal() -> None:
    judged = judge().judge(SHORT)
    assert judged is not None
    assert (judged.predicted, judged.differ, judged.equal, judged.missed) == (("i_name",), ("i_name",), (), ())
    assert [each.equal for each in judged.found.values()] == [("i_name",), ()]
    assert judged.joint
    assert not judged.same


def test_one_set_alone_is_asked_too() -> None:
    judged = judge().judge(SHORT)
    assert judged is not None
    assert judged.only("plain") is None
    assert judged.only("none") is None
    alone = judged.only("other")
    assert alone is not None
    assert (alone.differ, [*alone.found]) == (("i_name",), ["other"])
    result = benchmark.Result([judged])
    assert (result.equal, len(result.only("plain").judged), len(result.only("other").judged)) == (0, 0, 1)


def test_a_pair_with_the_same_rows_in_every_set_counts_for_nothing() -> None:
    assert judge(plain=TWO_SETS["plain"]).judge(SHORT) is None


def test_a_predicted_column_that_no_set_shows_is_equal() -> None:
    judged = judge().judge(pair(ITEMS, "select i_item_sk, left(i_name, 5) as i_name, i_size + 1 as i_size from item"))
    assert judged is not None
    assert (judged.predicted, judged.differ, judged.equal) == (("i_name", "i_size"), ("i_size",), ("i_name",))


def test_a_set_in_which_a_side_does_not_run_is_left_out() -> None:
    one = "(select i_size from item where length(i_name) = 1)"
    failing = pair("select i_size from item", f"select {one} as i_size from item")
    judged = judge().judge(failing)
    assert judged is not None
    assert [*judged.found] == ["other"]
    with pytest.raises(data.NotExecutedError, match="More than one row"):
        judge(plain=TWO_SETS["plain"]).judge(failing)


def test_a_query_is_not_judged_where_its_order_leaves_rows_open() -> None:
    judged = judge({"plain": ["1"]}).judge(SHORT)
    assert judged is not None
    assert [*judged.found] == ["other"]
    with pytest.raises(data.NotExecutedError, match="leaves open which rows"):
        judge({"plain": ["1"], "other": ["1"]}).judge(SHORT)


def test_a_rewrite_with_other_rows_in_any_set_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Pair("1", "rewrite", "first letters", SHORT.before, SHORT.after)
    monkeypatch.setattr(pairs, "rewritten", lambda *_: iter([wrong]))
    with pytest.raises(AssertionError, match="'first letters' of query 1 has other rows"):
        benchmark.rewrites_of(judge(), {}, 1, random.Random(1))
    assert len(benchmark.rewrites_of(judge(plain=TWO_SETS["plain"]), {}, 1, random.Random(1)).judged) == 1


def limited(monkeypatch: pytest.MonkeyPatch, query: str, **sets: str) -> queries.Models:
    monkeypatch.setattr(queries, "read_queries", lambda: {"1": queries.parsed(query)})
    return queries.models({name: rows.connection for name, rows in judge(**sets).sets.items()}, KNOWN)


ORDERED = "select i_item_sk, i_size from item order by i_size limit 1"


def test_a_limit_stays_if_its_order_decides_in_one_set(monkeypatch: pytest.MonkeyPatch) -> None:
    found = limited(monkeypatch, ORDERED, plain="(1, 'a', 10), (2, 'b', 20)", ties="(1, 'a', 10), (2, 'b', 10)")
    assert found.queries["1"].args.get("limit")
    assert (found.open, found.notes) == ({"ties": ["1"]}, {})


def test_a_limit_goes_if_it_decides_in_no_set(monkeypatch: pytest.MonkeyPatch) -> None:
    found = limited(monkeypatch, ORDERED, ties="(1, 'a', 10), (2, 'b', 10)", one="(1, 'a', 10)")
    assert not found.queries["1"].args.get("limit")
    assert found.open == {}
    assert [*found.notes] == [f"without a limit, because {queries.OPEN}"]


def test_a_query_needs_rows_in_one_set(monkeypatch: pytest.MonkeyPatch) -> None:
    query = "select i_item_sk from item where i_size > 10"
    assert [*limited(monkeypatch, query, none="(1, 'a', 1)", some="(1, 'a', 11)").queries] == ["1"]
    found = limited(monkeypatch, query, none="(1, 'a', 1)")
    assert (found.queries, found.notes) == ({}, {f"left out, because {queries.NO_ROWS}": ["1"]})
