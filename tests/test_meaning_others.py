"""The pairs of the meaning benchmark as projects of other tools."""

from __future__ import annotations

import duckdb

from benchmarks.meaning.judge import Rows
from benchmarks.meaning.others import JudgeOfAnswers, Said, columns_of, given, line, models_of
from benchmarks.meaning.pairs import Mesh, Pair

KNOWN = {"store": {"s_id": "BIGINT", "s_name": "VARCHAR"}, "item": {"i_id": "BIGINT"}}
PLAIN = "with item as (select s_id as i_id from store) select i_id, 1 as one from item"
MOVED = "select int_item.i_id, 1 as one from shop.int_item as int_item"
AS_VIEW = {"int_item": ("select s_id as i_id from store", "view")}


def pair(after: Mesh, kind: str = "source column") -> Pair:
    return Pair("1", kind, "by hand", Mesh(PLAIN), after)


def judge() -> JudgeOfAnswers:
    connection = duckdb.connect()
    connection.execute("create table store as select i as s_id, 'x' as s_name from range(3) t(i)")
    return JudgeOfAnswers({"one": Rows(connection)}, KNOWN)


def test_tables_and_models_are_references_and_ctes_are_not() -> None:
    found = models_of(Mesh(MOVED, AS_VIEW), KNOWN, "p7")
    assert set(found) == {"p7_int_item", "p7_asked"}
    assert "FROM {{source:store:}} AS store" in found["p7_int_item"][0]
    assert "FROM {{ref:p7_int_item:}} AS int_item" in found["p7_asked"][0]
    (plain, how) = models_of(Mesh(PLAIN), KNOWN, "p7")["p7_asked"]
    assert how == "asked"
    assert "{{source:store:}}" in plain
    assert "{{source:item:}}" not in plain


def test_an_ephemeral_model_is_referred_to_by_its_name() -> None:
    mesh = Mesh("select i_id, 1 as one from __dbt__cte__int_item", {"int_item": (AS_VIEW["int_item"][0], "ephemeral")})
    assert "{{ref:p7_int_item:}}" in models_of(mesh, KNOWN, "p7")["p7_asked"][0]


def test_a_question_has_both_sides_and_the_columns() -> None:
    asked = given(pair(Mesh(MOVED, AS_VIEW)), "p7", judge())
    assert asked["columns"] == ["i_id", "one"] == columns_of(pair(Mesh(PLAIN)), judge())
    assert set(asked["before"]) == {"p7_asked"}
    assert set(asked["after"]) == {"p7_asked", "p7_int_item"}


def test_an_answer_is_judged_by_what_duckdb_finds() -> None:
    own, changed = judge(), pair(Mesh(PLAIN.replace("s_id as i_id", "s_id + 1 as i_id")))
    judged = own.judge(changed)
    assert judged is not None
    assert (judged.differ, judged.missed) == (("i_id",), ("i_id",))
    own.answers = {changed: Said(frozenset({"i_id", "one"}))}
    assert "| 0 of 0 | 1.000 | 0 of 1 | 0.500 | 2 |" in line("A tool", own, [], [judged])
    rewritten = pair(Mesh(MOVED, AS_VIEW), "rewrite")
    own.answers[rewritten] = Said(frozenset({"i_id"}))
    same = own.judge(rewritten)
    assert same is not None
    assert line("A tool", own, [same], []).startswith("| A tool | 1 of 1 |")
