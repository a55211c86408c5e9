"""Every shared check passes and fails on real rows, and its errors say which arguments are allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine import ENGINES
from tests.mesh import REPOSITORY, Mesh

# DuckDB queries for the rows of the source tables.
READINGS = """
select * from (values
    (1, 10, 5,    1.5::decimal(4, 1), 2.5::double,    date '2024-03-01', 'A-01'),
    (2, 10, 7,    9.0,                'nan'::double,  date '2024-03-02', 'A-02'),
    (3, 20, 7,    null,               -1.0,           date '2024-03-09', 'it''s'),
    (3, 20, null, 3.0,                null,           null,              null),
    (4, null, 8,  3.0,                0.0,            date '2024-03-03', 'b\\d'),
    (4, null, 8,  3.0,                0.0,            date '2024-03-03', 'A-03')
) as t(id, site, level, price, ratio, day, label)
"""
ORDERS = "select 'b' || i % 2 as _batch_id from range(20) as t(i)"
REJECTED = "select 'b1' as _batch_id from range(2)"
LANDINGS = """
select now()::timestamp - interval 90 minutes as landed_at
union all select now()::timestamp - interval 9 days
"""

MODELS = {
    "readings": "select * from {{ source('raw', 'readings') }}",
    "no_readings": "select * from {{ ref('readings') }} where 1 = 0",
    "landings": "select * from {{ source('raw', 'landings') }}",
    "orders": "select * from {{ source('raw', 'orders') }}",
    "old_landings": "select * from {{ ref('landings') }} where landed_at < now() - interval '1' day",
}

# check, arguments, column, model, failing rows
CASES: list[tuple[str, dict[str, Any], str | None, str, int]] = [
    ("accepted_range", {"min_value": 0, "max_value": 9}, "price", "readings", 0),
    ("accepted_range", {"min_value": 2, "max_value": 8}, "price", "readings", 2),
    ("accepted_range", {"min_value": 2}, "price", "readings", 1),
    ("accepted_range", {"max_value": 8}, "level", "readings", 0),
    ("accepted_range", {"max_value": 7}, "level", "readings", 2),
    ("accepted_range", {"min_value": -1}, "ratio", "readings", 1),
    ("accepted_range", {"max_value": 3}, "ratio", "readings", 1),
    ("accepted_range", {"min_value": 0, "max_value": 3}, "ratio", "readings", 2),
    ("accepted_range", {"min_value": "date '2024-03-01'"}, "day", "readings", 0),
    ("accepted_range", {"min_value": "date '2024-03-02'", "max_value": "date '2024-03-03'"}, "day", "readings", 2),
    ("accepted_range", {"min_value": "id"}, "level", "readings", 0),
    ("accepted_range", {"min_value": 0}, "price", "no_readings", 0),
    ("expression_is_true", {"expression": "level > id"}, None, "readings", 0),
    ("expression_is_true", {"expression": "level = 7 or id > 3"}, None, "readings", 1),
    ("expression_is_true", {"expression": "price >= 2"}, "price", "readings", 1),
    ("expression_is_true", {"expression": "ratio >= -1 and ratio <= 1000"}, None, "readings", 1),
    ("expression_is_true", {"expression": "ratio <= 1000 or id < 0"}, None, "readings", 1),
    ("fresh_within", {"count": 2, "period": "hour"}, "landed_at", "landings", 0),
    ("fresh_within", {"count": 1, "period": "day"}, "landed_at", "landings", 0),
    ("fresh_within", {"count": 91, "period": "minute"}, "landed_at", "landings", 0),
    ("fresh_within", {"count": 1, "period": "hour"}, "landed_at", "landings", 1),
    ("fresh_within", {"count": 1.5, "period": "day"}, "landed_at", "old_landings", 1),
    ("fresh_within", {"count": 9, "period": "day"}, "day", "no_readings", 1),
    ("matches_pattern", {"pattern": r"^([A-Z]-\d{2}|it's|b\\d)$"}, "label", "readings", 0),
    ("matches_pattern", {"pattern": "^[A-Z]-[0-9]{2}$"}, "label", "readings", 2),
    ("matches_pattern", {"pattern": "0[12]"}, "label", "readings", 3),
    ("not_null_share", {"at_least": 0.8}, "level", "readings", 0),
    ("not_null_share", {"at_least": 0.84}, "level", "readings", 1),
    ("not_null_share", {"at_least": 1}, "id", "readings", 0),
    ("not_null_share", {"at_least": 1}, "level", "no_readings", 0),
    ("not_null_share", {"column_name": "nullif(level, 7)", "at_least": 0.6}, None, "readings", 1),
    ("rejected_rows", {"of": "source('raw', 'orders')", "at_most": 0.2}, None, "orders", 0),
    ("rejected_rows", {"of": "source('raw', 'orders')", "at_most": 0.1}, None, "orders", 1),
    ("rejected_rows", {"of": "source('raw', 'orders')"}, None, "orders", 1),
    ("rejected_rows", {"of": "source('raw', 'readings')"}, None, "readings", 0),
    ("row_count_between", {"min_rows": 6, "max_rows": 6}, None, "readings", 0),
    ("row_count_between", {"min_rows": 7}, None, "readings", 1),
    ("row_count_between", {"max_rows": 5}, None, "readings", 1),
    ("row_count_between", {"min_rows": 1}, None, "no_readings", 1),
    ("unique_combination", {"columns": ["id", "level"]}, None, "readings", 1),
    ("unique_combination", {"columns": ["id", "site"]}, None, "readings", 1),
    ("unique_combination", {"columns": ["id", "label"]}, None, "readings", 0),
    ("unique_combination", {"columns": ["site", "level", "price"]}, None, "readings", 0),
]
WHERE_CASES: list[tuple[str, dict[str, Any], str | None, str, int]] = [
    ("accepted_range", {"min_value": 2, "config": {"where": "id > 1"}}, "price", "readings", 0),
    ("expression_is_true", {"expression": "level > 5", "config": {"where": "id = 1"}}, None, "readings", 1),
    (
        "fresh_within",
        {"count": 1, "period": "day", "config": {"where": "landed_at < now() - interval '1' day"}},
        "landed_at",
        "landings",
        1,
    ),
    ("matches_pattern", {"pattern": "^A", "config": {"where": "id < 3"}}, "label", "readings", 0),
    ("not_null_share", {"at_least": 1, "config": {"where": "level is not null"}}, "level", "readings", 0),
    ("rejected_rows", {"of": "source('raw', 'readings')", "config": {"where": "id = 4"}}, None, "readings", 0),
    ("row_count_between", {"max_rows": 2, "config": {"where": "id = 4"}}, None, "readings", 0),
    ("unique_combination", {"columns": ["id", "level"], "config": {"where": "id < 4"}}, None, "readings", 0),
]
ALL_CASES = CASES + WHERE_CASES


def entry(check: str, arguments: dict[str, Any], name: str) -> dict[str, Any]:
    given = {key: value for key, value in arguments.items() if key != "config"}
    return {check: {"name": name, "arguments": given, "config": arguments.get("config", {})}}


def model_yaml(name: str) -> dict[str, Any]:
    """The model's YAML with all its cases, each under its column or under the model."""
    tests: dict[str | None, list[Any]] = {}
    for number, (check, arguments, column, model, _) in enumerate(ALL_CASES):
        if model == name:
            tests.setdefault(column, []).append(entry(check, arguments, f"case_{number}"))
    own = tests.pop(None, [])
    return {
        "name": name,
        "data_tests": own,
        "columns": [{"name": column, "data_tests": entries} for column, entries in tests.items()],
    }


@pytest.fixture(scope="module")
def measured(new_mesh: Callable[[Path], Mesh], tmp_path_factory: pytest.TempPathFactory) -> dict[str, int | None]:
    """The failing rows of every case by name. One build runs all of them."""
    mesh = new_mesh(tmp_path_factory.mktemp("checks"))
    mesh.set_up("shop", root={"on-run-start": []}, sources=("readings", "landings", "orders"))
    mesh.land("readings", READINGS)
    mesh.land("landings", LANDINGS)
    mesh.land("orders", ORDERS)
    mesh.land("orders__rejected", REJECTED)
    for name, text in MODELS.items():
        mesh.write(f"domains/shop/models/intermediate/{name}.sql", "{{ config(materialized='table') }}\n" + text)
    models = [model_yaml(name) for name in MODELS]
    mesh.write("domains/shop/models/intermediate/_models.yml", yaml.safe_dump({"models": models}))
    assert mesh.dbt("deps").ok
    assert mesh.dbt("run").ok
    tested = mesh.dbt("test")
    assert set(tested.statuses.values()) == {"pass", "fail"}, tested.output
    return tested.failures


@pytest.mark.engines(*ENGINES)
@pytest.mark.parametrize(
    ("number", "case"),
    [pytest.param(n, c, id=f"{c[0]}-{n}") for n, c in enumerate(ALL_CASES)],
)
def test_a_check_counts_the_rows_that_break_it(
    measured: dict[str, int | None], number: int, case: tuple[str, dict[str, Any], str | None, str, int]
) -> None:
    assert measured[f"case_{number}"] == case[-1]


def test_every_check_has_a_passing_and_a_failing_case_and_a_description() -> None:
    folder = REPOSITORY / "macros" / "checks"
    checks = {path.stem for path in folder.glob("*.sql") if "{% test " in path.read_text()}
    assert len(checks) > 6
    assert checks == {case[0] for case in CASES if case[-1] == 0} == {case[0] for case in CASES if case[-1] > 0}
    assert checks == {case[0] for case in WHERE_CASES}
    documented = {macro["name"]: macro for macro in yaml.safe_load((folder / "_checks.yml").read_text())["macros"]}
    assert {f"test_{check}" for check in checks} <= documented.keys()
    for macro in documented.values():
        assert "```" in macro["description"]
        assert all(argument["type"] and argument["description"] for argument in macro["arguments"])


# check, arguments, column, what the message says
WRONG: list[tuple[str, dict[str, Any], str | None, str]] = [
    (
        "accepted_range",
        {},
        "id",
        "it has no limit.\n  allowed   min_value, max_value, or both\n  next      set at least one of them",
    ),
    (
        "accepted_range",
        {"min_value": [1]},
        "id",
        "min_value is [1] (a list).\n  allowed   a number, a date, or SQL for a value\n  next      write it like 0,",
    ),
    ("accepted_range", {"min_value": True}, "id", "min_value is true (true or false)."),
    (
        "accepted_range",
        {"min_value": 5, "max_value": 1},
        "id",
        "max_value is 1 (a number).\n  allowed   at least min_value (5)\n  next      swap min_value and max_value",
    ),
    (
        "expression_is_true",
        {"expression": ""},
        None,
        'expression is "" (a text).\n  allowed   SQL that is true or false for each row',
    ),
    (
        "fresh_within",
        {"count": 1, "period": "week"},
        "day",
        'period is "week" (a text).\n  allowed   minute, hour, day\n  next      choose one of them',
    ),
    (
        "fresh_within",
        {"count": 0, "period": "day"},
        "day",
        "count is 0 (a number).\n  allowed   a number above 0\n  next      set how many days old",
    ),
    ("fresh_within", {"count": "two", "period": "day"}, "day", 'count is "two" (a text).'),
    (
        "matches_pattern",
        {"pattern": 5},
        "label",
        "pattern is 5 (a number).\n  allowed   a regular expression\n  next      write it like",
    ),
    (
        "rejected_rows",
        {"of": "orders"},
        None,
        'of is "orders" (a text).\n  allowed   a source table\n  next      write it like source(',
    ),
    (
        "rejected_rows",
        {"of": "source('raw', 'readings')", "at_most": 1},
        None,
        "at_most is 1 (a number).\n  allowed   a share from 0, below 1\n  next      write 1 % as 0.01",
    ),
    (
        "not_null_share",
        {"at_least": 95},
        "id",
        "at_least is 95 (a number).\n  allowed   a share above 0 and up to 1\n  next      write 95 % as 0.95",
    ),
    ("not_null_share", {"at_least": None}, "id", "at_least is nothing."),
    ("row_count_between", {}, None, "it has no limit.\n  allowed   min_rows, max_rows, or both"),
    (
        "row_count_between",
        {"min_rows": 1.5},
        None,
        "min_rows is 1.5 (a number).\n  allowed   a whole number of rows, 0 or more",
    ),
    (
        "row_count_between",
        {"min_rows": 9, "max_rows": 3},
        None,
        "max_rows is 3 (a number).\n  allowed   at least min_rows (9)",
    ),
    (
        "unique_combination",
        {"columns": "id"},
        None,
        'columns is "id" (a text).\n  allowed   a list of column names\n  next      write it like [campaign_id, ',
    ),
    ("unique_combination", {"columns": []}, None, "columns is [] (a list)."),
]


@pytest.fixture(scope="module")
def empty_mesh(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    mesh = Mesh(tmp_path_factory.mktemp("arguments"))
    mesh.set_up("shop", root={"on-run-start": []})
    mesh.write("domains/shop/models/intermediate/readings.sql", "select 1 as id")
    assert mesh.dbt("deps").ok
    return mesh


@pytest.mark.parametrize(
    ("check", "arguments", "column", "message"), WRONG, ids=[f"{w[0]}-{n}" for n, w in enumerate(WRONG)]
)
def test_a_wrong_argument_is_explained_before_anything_runs(
    empty_mesh: Mesh, check: str, arguments: dict[str, Any], column: str | None, message: str
) -> None:
    test = entry(check, arguments, "wrong")
    model = (
        {"name": "readings", "columns": [{"name": column, "data_tests": [test]}]}
        if column
        else {"name": "readings", "data_tests": [test]}
    )
    empty_mesh.write("domains/shop/models/intermediate/_models.yml", yaml.safe_dump({"models": [model]}))
    refused = empty_mesh.dbt("parse")
    assert refused.exit_code == 2
    assert "Runtime Error in test wrong (models/intermediate/_models.yml)" in refused.output
    shown = "\n".join(line.removeprefix("  ") for line in refused.output.splitlines())
    assert f"The check {check} cannot run: {message}" in shown, shown
    assert "> in macro" not in refused.output
