"""The benchmark of the engines counts correctly."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("pyhive")
pytest.importorskip("trino")

from demo.benchmarks.engines import Told, cost_of, model_sql, node_of


@pytest.mark.parametrize("start", ["", "-- "], ids=["Spark", "Athena"])
def test_the_checks_of_a_build_are_dbts_tests_or_the_ports_audit(start: str) -> None:
    def comment(node: str) -> str:
        return f"{start}/* {json.dumps({'app': 'portmesh', 'node': node})} */\n"

    sql = {
        "write": comment("model.bench.large") + "/* step: write */ insert",
        "audit": comment("model.bench.large") + "/* step: audit */ select",
        "test": comment("test.bench.unique_large_line_id") + "select",
    }
    told = [Told(sql["write"], 5, 10), Told(sql["audit"], 7, 20), Told(sql["test"], 11, 40)]
    cost = cost_of((1.0, 2.0, 3.0), [(node_of(text), text) for text in sql.values()], told)
    assert (cost.write, cost.checks, cost.publish) == (1.0, 2.0, 3.0)
    assert (cost.check_statements, cost.check_scanned, cost.check_billed) == (2, 18, 60)
    assert (cost.statements, cost.scanned, cost.billed) == (3, 23, 70)


@pytest.mark.parametrize(
    ("first", "last", "parts"),
    [
        (1, 5, ["line_id + 0 as line_id", "between 1 and 5"]),
        (11, 20, ["line_id + 10 as line_id", "between 1 and 10"]),
        (8, 12, ["line_id + 0 as line_id", "between 8 and 12", "line_id + 10 as line_id", "between -2 and 2"]),
    ],
)
def test_lines_are_taken_again_under_new_ids(first: int, last: int, parts: list[str]) -> None:
    sql = model_sql(first, last, landed=10, is_dirty=False, key="")
    assert [part for part in parts if part not in sql] == []
    assert sql.count("source('raw', 'lines')") == len(parts) // 2
