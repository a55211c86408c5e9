"""Keys make less change: what a left join looks up by a key adds no row. Random readers of a port are run on DuckDB."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from portmesh.lineage.meaning import NodeChange, changes
from tests.sql_manifest import manifest, model
from tests.sql_random import Writer, bag, database, rows_of
from tests.test_meaning_random import meaning

PORT = {"k": "integer", "n": "integer", "s": "varchar"}
TYPES = {"a": "integer", "b": "integer", "s": "varchar"}
RAW = """raw(k, n, s) as (values (0, 1, 'x'), (1, 2, 'x'), (2, null, 'y'), (3, 0, null), (4, 2, ''))"""
PORT_ID, READER = "model.shop.p", "model.shop.m"


def port(sql: str) -> Any:
    return model("shop.p", sql, contract=PORT, config={"materialized": "output_port"})


def check(kind: str, column: str = "k", **config: Any) -> Any:
    test = {"namespace": None, "name": kind, "kwargs": {"column_name": column}}
    more = {"resource_type": "test", "attached_node": PORT_ID, "test_metadata": test, "config": config}
    return model(f"shop.{kind}_{column}", "select 1", **more)


KEY = (check("unique"), check("not_null"))


def found(before: str, after: str, reader: str, *checks: Any, other: str = "") -> NodeChange | None:
    """What a change of the port does to a reader, which may change as well."""
    tables = [model("shop.t", "select 1", contract=TYPES), model("shop.raw", "select 1", contract=PORT)]
    ids = [PORT_ID, "model.shop.t", "model.shop.raw"]
    meshes = [
        manifest(*tables, *checks, port(sql), model("shop.m", text.replace("{p}", '"mesh"."shop"."p"'), ids))
        for sql, text in ((before, reader), (after, other or reader))
    ]
    return changes(*meshes).nodes.get(READER)


ROWS = ("select k, n, s from raw", "select k, n, s from raw where k < 3")
LOOKED_UP = "select t.a, p.n from t left join {p} as p on t.a = p.k"


def test_other_rows_of_a_port_change_only_what_is_looked_up_in_it() -> None:
    change = found(*ROWS, LOOKED_UP, *KEY)
    assert change
    assert (change.rows, list(change.columns)) == ((), ["n"])
    assert change.columns["n"] == ("it reads shop.p.n, which changes",)


def test_a_key_may_be_compared_by_a_double_negation() -> None:
    other = LOOKED_UP.replace("t.a = p.k", "not t.a <> p.k")
    assert found(ROWS[0], ROWS[0], LOOKED_UP, *KEY, other=other) is None
    change = found(*ROWS, other, *KEY)
    assert change
    assert (change.rows, list(change.columns)) == ((), ["n"])
    text = other.replace("t.a", "t.s")
    assert found(ROWS[0], ROWS[0], text, *KEY, other=text.replace("not t.s <> p.k", "t.s = p.k")) is None


def test_a_left_join_on_a_key_may_go_if_nothing_of_it_is_read() -> None:
    reader, other = "select t.a from t left join {p} as p on t.a = p.k", "select t.a from t"
    assert found(ROWS[0], ROWS[0], reader, *KEY, other=other) is None
    change = found(ROWS[0], ROWS[0], reader, other=other)
    assert change
    assert change.rows


@pytest.mark.parametrize(
    "reader",
    [
        LOOKED_UP.replace("left", "inner"),
        LOOKED_UP.replace("t.a = p.k", "t.a <= p.k"),
        LOOKED_UP.replace("t.a = p.k", "t.s = p.k"),
        LOOKED_UP.replace("t.a = p.k", "t.a = p.n"),
        LOOKED_UP.replace("t.a = p.k", "t.a = p.k or t.a is null"),
        LOOKED_UP + " where p.n is null",
        "select t.a from t left join {p} as p on t.a = p.k left join t as v on v.b = p.n",
        "select t.a, p.n from {p} as p left join t on t.a = p.k",
        "select t.a from t full join {p} as p on t.a = p.k",
        "select p.n, count(*) as a from t left join {p} as p on t.a = p.k group by p.n",
    ],
)
def test_other_rows_of_a_port_change_the_rows(reader: str) -> None:
    change = found(*ROWS, reader, *KEY)
    assert change
    assert change.rows


@pytest.mark.parametrize(
    "checks",
    [
        (),
        (KEY[0],),
        (KEY[1],),
        (check("unique", severity="warn"), KEY[1]),
        (check("unique", where="k > 0"), KEY[1]),
        (check("unique", error_if="> 1"), KEY[1]),
        (check("unique", "n"), check("not_null", "n")),
    ],
)
def test_a_check_that_lets_duplicates_through_is_no_key(checks: tuple[Any, ...]) -> None:
    change = found(*ROWS, LOOKED_UP, *checks)
    assert change
    assert change.rows


@pytest.mark.parametrize(("materialized", "is_proved"), [("table", True), ("view", True), ("incremental", False)])
def test_the_sql_of_a_model_proves_keys_that_nobody_checks(materialized: str, is_proved: bool) -> None:
    summed = "select s, max(n) as n from p group by s"
    middle = model("shop.mid", summed, [PORT_ID], config={"materialized": materialized})
    reader = model(
        "shop.m", "select t.a, mid.n from t left join mid on mid.s = t.s", ["model.shop.t", "model.shop.mid"]
    )
    tables = [model("shop.t", "select 1", contract=TYPES), model("shop.raw", "select 1", contract=PORT)]
    change = changes(*(manifest(*tables, port(sql), middle, reader) for sql in ROWS)).nodes[READER]
    assert (not change.rows and list(change.columns) == ["n"]) is is_proved


NEWEST = "select a, b, s from t qualify row_number() over (partition by a order by b) = 1"
FROM_SQL = {
    "groups": ("select t.a as p from t left join (select a, max(c) as c from u group by a) as v on t.a = v.a", True),
    "distinct": ("select t.a as p from t left join (select distinct a from u) as v on t.a = v.a", True),
    "newest": (f"select u.a as p from u left join ({NEWEST}) as v on u.a = v.a", True),
    "one row": ("select a as p from t left join (select max(c) as c from u) as v on t.a = v.c", True),
    "a key of two": ("select t.a as p from t left join (select distinct a, c from u) as v on t.a = v.a", False),
    "a sum of rows": ("select t.a as p from t left join u on t.a = u.a", False),
    "rollup": ("select u.a as p from u left join (select a, s from t group by rollup (a, s)) as v on u.a = v.a", False),
    "rank": (
        f"select u.a as p from u left join ({NEWEST.replace('row_number', 'rank')}) as v on u.a = v.a", False
    ),
    "two arms": (
        "select t.a as p from t left join (select distinct a from u union all select 1) as v on t.a = v.a", False
    ),
    "cast": ("select t.a as p from t left join (select distinct a || '' as a from u) as v on t.a = v.a", False),
}  # fmt: skip


@pytest.mark.parametrize(("sql", "is_proved"), FROM_SQL.values(), ids=FROM_SQL.keys())
def test_keys_that_the_sql_proves(sql: str, is_proved: bool) -> None:
    table = "u" if " from u left" in sql else "t"
    alone = f"select a as p from {table}"
    assert (meaning(sql) == meaning(alone)) is is_proved
    if is_proved:
        assert bag(rows_of(database(), sql), "p") == bag(rows_of(database(), alone), "p")


ORDERS = [
    ("select p from (select a as p, s from t group by a, s order by {} limit 2)", "a, s", "a, s, count(*)", True),
    ("select p from (select a as p, s from t group by a, s order by {} limit 2)", "a", "a, count(*)", False),
    ("select p from (select distinct a as p, s as q from t order by {} limit 2)", "q, p desc", "q, p desc, p", True),
]


@pytest.mark.parametrize(("sql", "one", "other", "is_same"), ORDERS)
def test_after_a_whole_key_an_order_decides_nothing(sql: str, one: str, other: str, is_same: bool) -> None:
    assert (meaning(sql.format(one)) == meaning(sql.format(other))) is is_same


ONE_TO_ONE = {
    "n + 1": True,
    "7 + n": True,
    "n - 2": True,
    "cast(n as bigint)": True,
    "n * 0": False,
    "2 - n": False,
    "abs(n)": False,
    "n + 0.5": False,
    "cast(n as tinyint)": False,
}


@pytest.mark.parametrize(("expression", "is_so"), ONE_TO_ONE.items())
def test_groups_stay_if_their_keys_get_other_names(expression: str, is_so: bool) -> None:
    after = ROWS[0].replace("n,", f"{expression} as n,")
    change = found(ROWS[0], after, "select p.n, count(*) as a, sum(k) as b from {p} as p group by p.n")
    assert change
    assert (not change.rows and set(change.columns) == {"n"}) is is_so
    texts = found(ROWS[0], ROWS[0].replace("s from", "s || '-A' as s from"), "select distinct s, 1 as a from {p} as p")
    assert texts
    assert (texts.rows, list(texts.columns)) == ((), ["s"])


class Readers(Writer):
    """Writes readers of the port `p`, which is joined with `t`, `u` and itself."""

    def reader(self) -> str:
        first = self.one_of(
            "t as x0", "p as x0", "(select k as a, n as b, s from p) as x0", "(select distinct a, b from t) as x0"
        )
        keys = {"x0": "x0.k" if first.startswith("p ") else "x0.a"}
        sources, measures = [first], [keys["x0"]]
        for number in range(1, self.chance.randint(2, 4)):
            alias = f"x{number}"
            source, key, value = self.chance.choice(self.lookups())
            left = self.chance.choice(list(keys.values()))
            on = self.one_of(f"{left} = {alias}.{key}", f"{alias}.{key} = {left}", f"{left} + 1 = {alias}.{key}")
            more = self.one_of("", "", f" and {alias}.{value} > 0", f" and {left} > 1")
            kind = self.one_of(*["left"] * 8, "inner", "right", "full" if not more else "left")
            sources.append(f"{kind} join {source} as {alias} on {on}{more}")
            keys[alias] = f"{alias}.{key}"
            measures += [f"{alias}.{key}", f"{alias}.{value}"]
        where = self.one_of("", "", f" where {self.chance.choice(measures)} > 0")
        a, b, c = (self.chance.choice(measures) for _ in range(3))
        body = f"from {' '.join(sources)}{where}"
        return self.one_of(
            f"select {a} as a, {b} as b, {c} as c {body}",
            f"select {a} as a, {b} as b, count(*) as c {body} group by 1, 2".replace("1, 2", f"{a}, {b}"),
            f"select {a} as a, sum({b}) as b, count(distinct {c}) as c {body} group by {a}",
            f"select distinct {a} as a, {b} as b, {c} as c {body}",
            f"select {a} as a, sum({b}) over (partition by {c}) as b, {c} as c {body}",
            f"select a, max(b) as b, 1 as c from (select {a} as a, {b} as b, {c} as c {body}) as z group by a",
        )

    def lookups(self) -> list[tuple[str, str, str]]:
        newest = "(select k, n from p qualify row_number() over (partition by n order by k) = 1)"
        return [
            ("p", "k", "n"), ("(select k, n + 1 as n from p where k > 0)", "k", "n"), ("p", "n", "k"),
            ("(select n, max(k) as k from p group by n)", "n", "k"), ("(select distinct n, k from p)", "n", "k"),
            (newest, "n", "k"), ("t", "a", "b"), ("(select a, max(b) as b from t group by a)", "a", "b"),
            ("(select x.k, y.n from p as x left join p as y on x.n = y.k)", "k", "n"),
            ("(select x.k, y.n from p as x inner join p as y on x.n = y.k)", "k", "n"),
            ("(select x.k, t.b as n from p as x left join t on t.a = x.k)", "k", "n"),
        ]  # fmt: skip


CHANGED = [
    "select k, n, s from raw where k < 3",
    "select k, n + 1 as n, s from raw",
    "select k + 1 as k, n, s from raw",
    "select k, coalesce(n, 7) as n, s from raw",
    "select k, n, s from raw union all select 9, 1, 'z'",
    "select -k as k, n, s from raw",
]


def judged(seed: int, number: int) -> int:
    """How many columns counted as the same although the port changed. All of them are."""
    writer, connection, same = Readers(random.Random(seed)), database(), 0
    for turn in range(number):
        after, reader = CHANGED[turn % len(CHANGED)], writer.reader()
        change = found(ROWS[0], after, _read(reader), *KEY)
        if change and (change.rows or change.unknown):
            continue
        kept = [name for name in "abc" if not (change and name in change.columns)]
        rows = [rows_of(connection, f"with {RAW}, p as ({sql}) {reader}") for sql in (ROWS[0], after)]
        assert bag(rows[0], *kept) == bag(rows[1], *kept), f"{kept} of {reader}\nwith p as {after}"
        same += len(kept)
    return same


def _read(reader: str) -> str:
    words: Mapping[str, str] = {" p ": " {p} ", " p)": " {p})"}
    for word, other in words.items():
        reader = reader.replace(word, other)
    return reader


def test_what_counts_as_the_same_is_the_same() -> None:
    assert judged(3, 60) > 15


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(3))
def test_what_counts_as_the_same_is_the_same_in_many_readers(seed: int) -> None:
    assert judged(seed + 10, 700) > 150
