"""Columns that SQL names and no table has: where, and which one is meant. SQL that runs gives no alarm."""

from __future__ import annotations

from typing import Any

import pytest

from portmesh.lineage import read_lineage
from portmesh.lineage.query import misspelt_in
from tests.sql_manifest import manifest, model, source
from tests.test_contract_reach import LINES, codes, compared, lines, mesh, printed
from tests.test_contract_reach import model as reader

TABLE = model("shop.t", "select 1", contract={"alpha": "integer", "beta": "integer"})
LISTS_NONE = source("raw.s")


def unknown(sql: str) -> str:
    read = manifest(TABLE, LISTS_NONE, model("shop.m", sql, ["model.shop.t", "source.shop.raw.s"]))
    return read_lineage(read).nodes["model.shop.m"].unknown


@pytest.mark.parametrize(
    "sql",
    [
        "select alpah from t",
        "select x.alpah from t as x",
        "with v as (select * from t) select alpah from v",
        "select beta from t where alpah > 1",
        "select beta from t group by beta order by alpah",
        "with v as (select alpah from t) select * from v",
        "select t.beta from t join (select beta from t) as v on v.beta = t.alpah",
    ],
)
def test_a_misspelt_column_is_named_with_the_near_one(sql: str) -> None:
    assert unknown(sql).startswith("it reads the column alpah, and ")
    assert unknown(sql).endswith(" no such column. Did you mean alpha?")


@pytest.mark.parametrize(
    "sql",
    [
        "select gamma from s, t",
        "select alpha as gamma, gamma + 1 as delta from t",
        "select alpha as gamma from t order by gamma",
        "select list_transform([alpha], lambda gamma: gamma + 1) as x from t",
        "select list_filter([alpha], gamma -> gamma > 1) as x from t",
        "select [gamma + 1 for gamma in [alpha] if gamma > 1] as x from t",
        "select struct_pack(gamma := alpha) as x from t",
        "select u.gamma from t, unnest([1]) as u(gamma)",
        "select gamma from t, lateral (select alpha + 1 as gamma) as v",
        "select (select max(beta) from t as y where y.beta = t.alpha and alpha > 0) as x from t",
        "select rowid from t",
        "select t as x from t",
        "select gamma from t as v(gamma, delta)",
        "select alpha from t qualify row_number() over (order by beta) = 1",
        "with recursive v as (select 1 as gamma union all select gamma + 1 from v where gamma < 3) select gamma from v",
        "select gamma from (values (1)) as v(gamma)",
        "select * from t pivot (sum(beta) for alpha in (1, 2))",
        "select alpha, count(*) as n from t group by all having n > 1",
    ],
)
def test_sql_that_runs_gives_no_alarm(sql: str) -> None:
    assert "no such column" not in unknown(sql)
    read = manifest(TABLE, LISTS_NONE, model("shop.m", sql, ["model.shop.t", "source.shop.raw.s"]))
    assert misspelt_in(read["nodes"]["model.shop.m"], read_lineage(read).tables) == []


def port(column: str, **keys: Any) -> dict[str, Any]:
    sql = f"select id, {column} as channel, amount from mesh.shop.stg"
    return lines(sql, reads=["model.shop.stg"], **keys)


def test_the_diff_says_what_is_misspelt_and_asks_nobody_to_agree() -> None:
    stage = reader("shop", "stg", "select 1 as id, 'web' as channel, 5 as amount", "source.none")
    desk = reader("desk", "int_desk", f"select channel from {LINES}")
    before, after = (mesh(port(name), stage, desk) for name in ("channel", "chanel"))
    found = compared(before, after)
    assert codes(found) == ["PM394"]
    said = printed(found)
    assert "shop.lines: it reads the column chanel, and shop.stg has no such column. Did you mean channel?" in said
    assert "write channel, or another column of shop.stg" in said
    assert "agree" not in said
    assert codes(compared(before, mesh(port("upper(channel)"), stage, desk))) == ["PM391", "PM392"]
