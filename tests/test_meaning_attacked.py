"""Changes that once were called none, although a reader gets other values; where DuckDB can run them, it shows that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from portmesh.contracts.diff.report import report
from portmesh.lineage.meaning import Changes, changes
from portmesh.state import MeshState, _read_seed
from tests.contract_pairs import manifest as contracts
from tests.sql_manifest import manifest, model, source
from tests.sql_random import bag, database, rows_of
from tests.test_meaning_random import meaning

RAW = source("raw.t", {"a": "integer", "b": "integer", "at": "timestamp"})
RAW_ID = "source.shop.raw.t"
P = "model.shop.p"


def compared(before: list[Any], after: list[Any], adapter: str = "duckdb") -> Changes:
    raw = source("raw.t", {"a": "integer", "b": "integer", "at": "timestamp"}, adapter)
    return changes(manifest(raw, *before, adapter=adapter), manifest(raw, *after, adapter=adapter))


def p(sql: str, adapter: str = "duckdb", **more: Any) -> Any:
    return model("shop.p", sql, [RAW_ID], adapter, **more)


def m(sql: str, parent: str = P, adapter: str = "duckdb", **more: Any) -> Any:
    return model("shop.m", sql, [parent], adapter, **more)


BY_ORDER = {
    "a list of a table alone": "select list(a) as p from (select a from t order by b nulls first, a nulls first)",
    "the first of a table alone": "select first(b) as p from (select b from t order by b nulls first)",
    "a frame counts rows": (
        "select sum(b) over (rows unbounded preceding) as p from (select b from t order by b nulls first)"
    ),
    "an array of a query": "select array(select b from t order by b nulls first) as p",
    "an array of a CTE": "with v as (select b from t order by b nulls first) select array(select b from v) as p",
    "the first of each": (
        "with v as (select a, b from t order by b nulls first) "
        "select sum(b) as p from (select distinct on (a) a, b from v)"
    ),
}


@pytest.mark.parametrize("sql", BY_ORDER.values(), ids=BY_ORDER.keys())
def test_another_order_is_another_value(sql: str) -> None:
    other, connection = sql.replace("order by b nulls first", "order by b desc nulls last"), database()
    rows = [sorted(map(repr, connection.execute(each).fetchall())) for each in (sql, other)]
    assert rows[0] != rows[1]
    assert meaning(sql) != meaning(other)
    assert meaning(sql) == meaning(f"{sql} -- the same")


WHOLE_ROWS = {
    "duckdb": [
        "select p as x from {} as p",
        "select hash(p) as x from {} as p",
        "select count(distinct p) as x from {} as p",
    ],
    "spark": [
        "select xxhash64(p.*) as x from {} as p",
        "select hash(*) as x from {}",
        "select struct(p.*) as x from {} as p",
    ],
    "athena": ["select md5(to_utf8(json_format(cast(row(p.*) as json)))) as x from {} as p"],
}


@pytest.mark.parametrize(("adapter", "sql"), [(each, sql) for each, found in WHOLE_ROWS.items() for sql in found])
def test_a_whole_row_changes_with_each_of_its_columns(adapter: str, sql: str) -> None:
    (raw,), (table,) = (list(each.values()) for each in (source("raw.t", (), adapter), p("", adapter)))
    reader = m(sql.format(table["relation_name"]), adapter=adapter)
    before, after = (p(f"select a, {b} as b from {raw['relation_name']}", adapter) for b in ("b", "b + 1"))
    assert "whole rows" in (
        said := compared([before, reader], [after, reader], adapter).nodes["model.shop.m"].unknown
    ) or (said == "it cannot be resolved: *")


THIRD = 'select a / 3 as y from "mesh"."raw"."t"'


def test_a_cte_that_becomes_a_model_is_rounded_by_its_contract() -> None:
    cte = m(f"with p as ({THIRD}) select y from p", RAW_ID)
    reader = m('select y from "mesh"."shop"."p"')
    assert "y" in compared([cte], [p(THIRD, contract={"y": "decimal(10,2)"}), reader]).nodes["model.shop.m"].columns
    cast = THIRD.replace("a / 3", "cast(a / 3 as decimal(10,2))")
    same = compared(
        [m(f"with p as ({cast}) select y from p", RAW_ID)], [p(cast, contract={"y": "decimal(10,2)"}), reader]
    )
    assert set(same.nodes) == {P}


def test_a_reader_written_in_another_way_still_reads_what_a_contract_rounds() -> None:
    before, after = (p(THIRD, contract={"y": f"decimal(10,{digits})"}) for digits in (4, 2))
    found = compared(
        [before, m('select y from "mesh"."shop"."p"')], [after, m('select (q.y) as y from "mesh"."shop"."p" as q')]
    )
    assert set(found.nodes) == {P, "model.shop.m"}


def test_a_view_is_not_rounded_by_its_contract() -> None:
    table, view = (
        p(THIRD, contract={"y": "decimal(10,2)"}, config={"materialized": kind}) for kind in ("table", "view")
    )
    assert compared([table], [view]).nodes[P].columns


BATCHES = {"materialized": "incremental", "incremental_strategy": "microbatch", "event_time": "at"}
TIMES = 'select a, at, at + interval 1 day as later from "mesh"."raw"."t"'


def test_the_event_time_of_a_parent_cuts_the_batches_of_its_readers() -> None:
    reader = m('select a from "mesh"."shop"."p"', config=BATCHES)
    before = [p(TIMES, config={"event_time": "at"}), reader]
    other_setting = compared(before, [p(TIMES, config={"event_time": "later"}), reader])
    other_value = compared(
        before, [p(TIMES.replace("at,", "at + interval 2 day as at,"), config={"event_time": "at"}), reader]
    )
    for found in (other_setting, other_value):
        assert found.nodes["model.shop.m"].unknown


def test_a_parent_that_only_a_macro_reads_may_change_everything() -> None:
    reader = m("select * from query_table('mesh.shop.p')")
    before, after = (p(f'select {a} as a from "mesh"."raw"."t"') for a in ("a", "b"))
    assert "does not read" in compared([before, reader], [after, reader]).nodes["model.shop.m"].unknown


@pytest.mark.parametrize(
    "name", ["merge_update_columns", "partition_by", "full_refresh", "dbt_valid_to_current", "schema"]
)
def test_settings_of_an_increment_that_decide_its_rows(name: str) -> None:
    sql, config = 'select a, b from "mesh"."raw"."t"', {"materialized": "incremental", "unique_key": "a"}
    assert compared([p(sql, config=config)], [p(sql, config={**config, name: "a"})]).nodes[P].unknown
    assert not compared([p(sql)], [p(sql, config={name: "a"})]).nodes


@pytest.mark.parametrize("more", [{"relation_name": "read_csv('b.csv')"}, {"config": {"external_location": "s3://b"}}])
def test_a_source_that_is_read_from_elsewhere(more: dict[str, Any]) -> None:
    reader = p('select a from "mesh"."raw"."t"')
    assert changes(manifest(RAW, reader), manifest(source("raw.t", **more), reader)).nodes[RAW_ID].rows


def test_words_that_sqlglot_reads_as_the_same() -> None:
    rows = database().execute("select log(2, x), log2(x) from range(1, 100) as r(x)").fetchall()
    assert any(one != other for one, other in rows)
    before, after = (p(f'select {sql} as y from "mesh"."raw"."t"') for sql in ("log(2, a)", "log2(a)"))
    readers = [m(f'select {y} as y from "mesh"."shop"."p"') for y in ("y", "(y)")]
    found = compared([before, readers[0]], [after, readers[1]])
    assert found.nodes[P].unknown == "it has log2 in place of log, which cannot be told apart"
    assert "model.shop.m" in found.nodes


@pytest.mark.parametrize("rest", ["order by 1 limit 1", "union all select 1 as a, 2 as b"])
def test_columns_of_a_parent_that_change_places(rest: str) -> None:
    before, after = (p(f'select {names} from "mesh"."raw"."t"') for names in ("a, b", "b, a"))
    reader, named = m(f'select * from "mesh"."shop"."p" {rest}'), m('select a from "mesh"."shop"."p"')
    assert set(compared([before, reader], [after, reader]).nodes) == {"model.shop.m"}
    assert not compared([before, named], [after, named]).nodes


def diff_of(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    found = report(MeshState("before", before), MeshState("after", after))
    return [f"{one.code} {one.level}" for port in found.ports for one in port.change.differences]


def test_diff_sees_digits_and_keys_of_the_models_before_a_port() -> None:
    def mesh(**stage: Any) -> dict[str, Any]:
        sql = 'select id from "mesh"."shop"."stage"'
        port = {"sql": sql, "columns": {"id": "decimal(10,4)"}, "reads": ["model.shop.stage"]}
        found = contracts({"ports": [port], "models": [{"name": "stage", "sql": "select 1 / 3 as id", **stage}]})
        found["nodes"]["model.shop.stage"]["config"] |= {"contract": {"enforced": True}, **config}
        return found

    config = {"materialized": "table"}
    before, after = (mesh(columns={"id": type_}) for type_ in ("decimal(10,4)", "decimal(10,2)"))
    assert diff_of(before, before) == []
    assert diff_of(before, after) == ["PM371 major"]
    config = {"materialized": "incremental", "unique_key": "id"}
    keyed = mesh(columns={"id": "decimal(10,4)"})
    config["unique_key"] = "other"
    assert diff_of(keyed, mesh(columns={"id": "decimal(10,4)"})) == ["PM372 major"]


def test_a_large_seed_is_read_because_dbt_keeps_only_its_path(tmp_path: Path) -> None:
    def seed(content: str) -> dict[str, Any]:
        (tmp_path / "codes.csv").write_text(content)
        node = {"resource_type": "seed", "original_file_path": "codes.csv"}
        found: dict[str, Any] = model("shop.codes", "", checksum={"name": "path", "checksum": "codes.csv"}, **node)
        return manifest(found, m('select a from "mesh"."shop"."codes"', "model.shop.codes"))

    before, after = seed("a\n1"), seed("a\n2")
    assert set(changes(before, after).nodes) == {"model.shop.codes", "model.shop.m"}
    for content, each in (("a\n1", before), ("a\n2", after)):
        (tmp_path / "codes.csv").write_text(content)
        _read_seed(each["nodes"]["model.shop.codes"], tmp_path)
    assert changes(before, after).nodes["model.shop.codes"].rows == ("its rows are others",)
    assert changes(before, before).nodes == {}


def test_words_that_move_to_another_model() -> None:
    sql = 'select log(2, a) as y from "mesh"."raw"."t"'
    moved = p(sql.replace("log(2, a)", "log2(a)"))
    reader = m('select y from "mesh"."shop"."p"')
    found = compared([m(f"with p as ({sql}) select y from p", RAW_ID)], [moved, reader])
    assert found.nodes["model.shop.m"].unknown == "it has log2 in place of log, which cannot be told apart"


HIDDEN = "select p from (select {} as {}, a as p, s from t order by {} nulls first limit 2)"


def test_in_an_expression_of_an_order_duckdb_means_a_column_before_an_alias() -> None:
    before, column, alias = (
        HIDDEN.format("-b", *names) for names in (("d", "d + 0"), ("e", "t.d + 0"), ("e", "e + 0"))
    )
    rows = [bag(rows_of(database(), sql), "p") for sql in (before, column, alias)]
    assert rows[0] == rows[1] != rows[2]
    assert meaning(before) != meaning(alias)
    same = [HIDDEN.format("-b", name, f"{name} + 0") for name in ("x", "y")]
    assert meaning(same[0]) == meaning(same[0].replace("limit", " limit"))


@pytest.mark.parametrize("config", [{"pre-hook": [{"sql": "{{ fill() }}"}]}, {"materialized": "own"}])
def test_a_changed_macro_of_a_hook_or_a_materialization(config: dict[str, Any]) -> None:
    called = {"depends_on": {"nodes": [RAW_ID], "macros": ["macro.shop.fill", "macro.dbt.other"]}}
    node = p('select a from "mesh"."raw"."t"', config=config, **called)

    def mesh(text: str, other: str = "") -> Any:
        helper = {"name": "helper", "macro_sql": text}
        fill = {"name": "fill", "macro_sql": "{{ helper() }}", "depends_on": {"macros": ["macro.shop.helper"]}}
        own = {"macro.shop.materialization_own_default": fill, "macro.shop.fill": fill, "macro.shop.helper": helper}
        return {**manifest(RAW, node), "macros": {**own, "macro.dbt.other": {"name": "other", "macro_sql": other}}}

    found = changes(mesh("delete from x"), mesh("delete from y")).nodes[P]
    assert found.unknown == "a macro that its hook or its materialization runs changed"
    assert not changes(mesh("delete from x"), mesh("delete  from x", "other")).nodes
