"""Equal meaning is equal rows: random queries that read as the same are run on DuckDB, on rows with nulls and NaN."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable

import pytest
from sqlglot import exp, parse_one
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.merge_subqueries import merge_subqueries
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.simplify import simplify
from sqlglot.optimizer.unnest_subqueries import unnest_subqueries

from portmesh.lineage.meaning.reading import Reader
from portmesh.lineage.meaning.terms import Labels, Leaf, View
from tests.sql_random import SCHEMA, Writer, bag, database, rows_of


def view_of(sql: str, dialect: str = "duckdb") -> View:
    query = qualify(parse_one(sql, dialect=dialect), schema=dict(SCHEMA), dialect=dialect, quote_identifiers=False)
    typed = annotate_types(query, schema=dict(SCHEMA), dialect=dialect)
    return Reader(Leaf, dialect).read(typed)


def meaning(sql: str, dialect: str = "duckdb") -> tuple[str, tuple[tuple[str, str], ...]]:
    """The digests of a query's rows and columns."""
    view = view_of(sql, dialect)
    labels = Labels()
    return view.rows(labels, False), tuple(sorted((name, view.column(name, labels, False)) for name in view.columns))


def check(seed: int, number: int) -> tuple[int, int]:
    """Queries of equal meaning have equal rows; gives how many meanings, and columns, had several."""
    writer, connection = Writer(random.Random(seed)), database()
    whole: dict[object, dict[str, object]] = defaultdict(dict)
    columns: dict[object, dict[str, object]] = defaultdict(dict)
    for _ in range(number):
        sql = writer.query()
        for each in {sql, writer.other_way(sql)}:
            rows = rows_of(connection, each)
            of_rows, of_columns = found = meaning(each)
            whole[found][each] = bag(rows, "p", "q")
            for name, column in of_columns:
                columns[of_rows, column, name][each] = bag(rows, name)
    several = [texts for texts in (*whole.values(), *columns.values()) if len(texts) > 1]
    for texts in several:
        assert len(set(texts.values())) == 1, "\n\n".join(f"{sql}\n{rows}" for sql, rows in texts.items())
    return sum(len(texts) > 1 for texts in whole.values()), sum(len(texts) > 1 for texts in columns.values())


def test_queries_of_equal_meaning_have_equal_rows() -> None:
    whole, by_column = check(15, 80)
    assert whole > 20
    assert by_column > 40


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(8))
def test_many_queries_of_equal_meaning_have_equal_rows(seed: int) -> None:
    whole, by_column = check(seed, 1500)
    assert whole > 200
    assert by_column > 400


UNSOUND = {
    "a value of a left join's right side is taken from it": (
        merge_subqueries,
        "select t.a as p, w.x as q from t left join (select a, 1 as x from u) as w on t.a = w.a and t.b = 1",
    ),
    "an order is lost that decides": (
        merge_subqueries,
        "select string_agg(s, '') as p, 1 as q from (select s from t where s is not null order by s desc)",
    ),
    "floating-point numbers are computed exactly": (simplify, "select a as p, 1e16 + 1 + 1 as q from t"),
    "null and false are one": (unnest_subqueries, "select t.a as p, (t.a in (select u.a from u)) as q from t"),
}


@pytest.mark.parametrize(("optimized", "sql"), UNSOUND.values(), ids=UNSOUND.keys())
def test_sqlglots_optimizer_changes_rows_and_is_not_used(optimized: Callable[[exp.Expr], exp.Expr], sql: str) -> None:
    """If this fails because the rows are the same, sqlglot has repaired it."""
    connection = database()
    query = qualify(parse_one(sql, dialect="duckdb"), schema=dict(SCHEMA), dialect="duckdb")
    other = optimized(annotate_types(query, schema=dict(SCHEMA), dialect="duckdb").copy()).sql("duckdb")
    assert bag(rows_of(connection, sql), "p", "q") != bag(rows_of(connection, other), "p", "q")
    assert meaning(sql) != meaning(other)


SAME = {
    "conditions": ("select a as p from t where a = 1 and b < 2", "select a as p from t where 2 > b and 1 = a"),
    "negation": ("select a as p from t where not (a < b or d > 2)", "select a as p from t where d <= 2 and b <= a"),
    "between": ("select a as p from t where a between 1 and 2", "select a as p from t where 2 >= a and a >= 1"),
    "join order": (
        "select t.a as p from t join u on t.a = u.a join t as v on v.b = u.c",
        "select t.a as p from t as v, u, t where v.b = u.c and u.a = t.a",
    ),
    "left joins": (
        "select t.a as p from t left join u on t.a = u.a left join u as v on t.b = v.c join u as w on t.a = w.c",
        "select t.a as p from t join u as w on w.c = t.a left join u as v on t.b = v.c left join u on u.a = t.a",
    ),
    "a list of one": (
        "select a as p, a in (1, 1) as q from t where b not in (2)",
        "select a as p, a = 1 as q from t where b <> 2",
    ),
    "a condition twice": (
        "select a as p, (a = 1 or a = 1) as q from t where b = 2 or b = 2 or (s = 'x' and s = 'x')",
        "select a as p, a in (1, 1) as q from t where s = 'x' or b = 2",
    ),
    "right join": (
        "select t.a as p, u.c as q from t left join u on t.a = u.a",
        "select t.a as p, u.c as q from u right join t on t.a = u.a",
    ),
    "full join": (
        "select t.a as p, u.c as q from t full join u on t.a = u.a",
        "select t.a as p, u.c as q from u full join t on u.a = t.a",
    ),
    "distinct": ("select distinct a as p, b as q from t", "select a as p, b as q from t group by b, a"),
    "having": (
        "select a as p, count(*) as q from t group by a having a > 1",
        "select p, q from (select a as p, count(1) as q from t where a > 1 group by 1) as v",
    ),
    "exists": (
        "select a as p from t where a in (select a from u where c = t.b)",
        "select a as p from t where exists (select 1 from u where u.a = t.a and t.b = u.c)",
    ),
    "windows": (
        "select a as p, sum(b) over (partition by s, a) as q from t",
        "with v as (select a as x, b as y, s from t) select x as p, sum(y) over (partition by x, s) as q from v",
    ),
    "rows of one": (
        "select m.x as p, n.x as q from (select max(a) as x from t) as m, (select max(c) as x from u) as n",
        "select m.x as p, n.x as q from (select max(c) as x from u) as n, (select max(a) as x from t) as m",
    ),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME.keys())
def test_they_mean_the_same(one: str, other: str) -> None:
    connection = database()
    columns = [name for name in ("p", "q") if f" as {name}" in one]
    assert bag(rows_of(connection, one), *columns) == bag(rows_of(connection, other), *columns)
    assert meaning(one) == meaning(other)


OTHER = {
    "a number as a condition": ("select a or a as p from t", "select a as p from t"),
    "null": ("select a as p from t where not (a <> 1)", "select a as p from t where not (a <> 1 and a is not null)"),
    "not in": (
        "select a as p from t where a not in (select a from u)",
        "select a as p from t where not exists (select 1 from u where u.a = t.a)",
    ),
    "a filter in on": (
        "select t.a as p from t left join u on t.a = u.a and u.c = 2",
        "select t.a as p from t left join u on t.a = u.a where u.c = 2",
    ),
    "a filter below a window": (
        "select p from (select a as p, count(*) over () as n from t) as v where p > 1 and n > 3",
        "select p from (select a as p, count(*) over () as n from t where a > 1) as v where n > 3",
    ),
    "duplicates": ("select a as p from t union select a from u", "select a as p from t union all select a from u"),
    "order of floating-point numbers": ("select 1e16 + 1 + 1 as p from t", "select 1e16 + (1 + 1) as p from t"),
    "the first rows": ("select s as p from t order by d limit 2", "select s as p from t order by d desc limit 2"),
}


@pytest.mark.parametrize(("one", "other"), OTHER.values(), ids=OTHER.keys())
def test_they_do_not_mean_the_same(one: str, other: str) -> None:
    connection = database()
    assert bag(rows_of(connection, one), "p") != bag(rows_of(connection, other), "p")
    assert meaning(one) != meaning(other)


def test_a_random_value_is_drawn_once_or_twice() -> None:
    cte = "with w as (select random() as r) select w.r as p, v.r as q from w, w as v"
    inlined = "select w.r as p, v.r as q from (select random() as r) as w, (select random() as r) as v"
    assert meaning(cte) != meaning(inlined)
    assert meaning(cte) == meaning(f"{cte} -- the same")


def test_nan_has_no_order_on_athena() -> None:
    """There, `not d < 1` is true for NaN and `d >= 1` is not; DuckDB and Spark order NaN above all numbers."""
    one, other = "select a as p from t where not d < 1", "select a as p from t where d >= 1"
    assert meaning(one) == meaning(other)
    assert meaning(one, "spark") == meaning(other, "spark")
    assert meaning(one, "athena") != meaning(other, "athena")


def test_what_is_not_understood_equals_only_itself() -> None:
    sql = "select * from (select a, b, s from t) pivot (sum(b) for s in ('x', 'y'))"
    assert meaning(sql) == meaning("select * from (select a, b, s from t)\npivot (sum(b) for s in ('x', 'y'))")
    assert meaning(sql) != meaning(sql.replace("'y'", "'z'"))
