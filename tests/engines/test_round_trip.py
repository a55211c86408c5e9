"""What tests land in a rig's lake, they read back as the same Python values, through Spark and through Athena."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine import Engine, engine_at
from tests.engine_glue import empty_lake
from tests.rig_client import Rig

COLUMNS = {
    "a_boolean": ("true", True),
    "a_tinyint": ("7::tinyint", 7),
    "a_smallint": ("700::smallint", 700),
    "an_int": ("-7", -7),
    "a_bigint": ("9223372036854775807", 2**63 - 1),
    "a_double": ("0.1::double", 0.1),
    "an_infinity": ("'inf'::double", float("inf")),
    "a_decimal": ("12345678.90::decimal(10, 2)", Decimal("12345678.90")),
    "a_date": ("date '1969-12-31'", date(1969, 12, 31)),
    "a_timestamp": ("timestamp '2024-02-29 23:59:59.123456'", datetime(2024, 2, 29, 23, 59, 59, 123456)),
    "a_second": ("timestamp '2024-02-29 23:59:59'", datetime(2024, 2, 29, 23, 59, 59)),
    "a_text": ("""'it''s \\d, ünï, "quoted"'""", """it's \\d, ünï, "quoted\""""),
    "an_empty_text": ("''", ""),
}


@pytest.fixture(params=["emr", "athena"])
def engine(request: pytest.FixtureRequest, rig: Rig, tmp_path: Path) -> Engine:  # noqa: ARG001 - it has to be up
    empty_lake()
    return engine_at(request.param, tmp_path)


def test_values_keep_their_types(engine: Engine) -> None:
    values = ", ".join(f"{sql} as {name}" for name, (sql, _) in COLUMNS.items())
    nulls = ", ".join(f"null as {name}" for name in COLUMNS)
    engine.make_table("raw.things", f"select {values} union all select {nulls}")
    (full,) = engine.rows("select * from raw.things where a_boolean")
    assert full == tuple(value for _, value in COLUMNS.values())
    assert [type(value) for value in full] == [type(value) for _, value in COLUMNS.values()]
    assert engine.rows("select * from raw.things where a_boolean is null") == [(None,) * len(COLUMNS)]


def test_a_table_takes_the_place_of_the_one_before(engine: Engine) -> None:
    engine.make_table("raw.things", "select 1 as old, 'x' as other")
    engine.make_table("raw.things", "select i as new from range(3) t(i)")
    engine.change_table("raw.things", "insert into raw.things values (10)")
    engine.change_table("raw.things", "update raw.things set new = 20 where new = 2")
    assert engine.rows("select new from raw.things order by new") == [(0,), (1,), (10,), (20,)]
    assert [name for name, _ in engine.columns("raw.things")] == ["new"]
    assert engine.relations("raw") == ["things"]
    assert engine.relations("nothing") == []


def test_duckdbs_sql_runs_on_each_engine(engine: Engine) -> None:
    engine.make_table("raw.things", "select i as n, 'k' || i as name, timestamp '2024-01-01' as at from range(5) t(i)")
    engine.execute("insert into raw.things select n + 10, 'ten', at from raw.things where n = 1")
    assert engine.rows(
        "select count(*), sum(n), max(at) - interval '1' day, count(*) >= 6 from raw.things where name <> 'k0'"
    ) == [(5, 21, datetime(2023, 12, 31), False)]


def test_an_emptied_lake_holds_nothing(engine: Engine) -> None:
    engine.make_table("raw.things", "select 1 as one")
    empty_lake()
    assert engine.relations("raw") == []
    engine.make_table("raw.things", "select 2 as two")
    assert engine.rows("select two from raw.things") == [(2,)]
