"""`portmesh meter` adds up the bytes that Spark's history reports."""

from __future__ import annotations

import pytest

from portmesh.cli import main
from portmesh.metering import bytes_by_publication
from portmesh.spark_history import Statement

COMMENT = (
    '/* {"app": "portmesh", "run": "r1", "product": "shop", "node": "model.shop.lines", "port": "shop.lines"} */\n'
)


def test_bytes_go_to_the_run_the_port_and_the_step() -> None:
    statements = [
        Statement(1, COMMENT + "/* step: write */ insert into lines select '/* step: audit */'", 5),
        Statement(2, COMMENT + "/* step: audit */ select 1", 7),
        Statement(3, COMMENT + "/* step: audit */ select 2", 11),
        Statement(4, COMMENT.replace("r1", "r2") + "/* step: audit */ select 2", 13),
    ]
    assert bytes_by_publication(statements) == {
        ("shop", "r1", "model.shop.lines"): {"write": 5, "audit": 18},
        ("shop", "r2", "model.shop.lines"): {"audit": 13},
    }


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        '/* {"app": "portmesh", "run": "r1", "node": "test.shop.unique"} */\nselect 1',
        COMMENT + "select 1",
        "/* step: audit */ select 1",
    ],
    ids=["of nobody", "a test's", "of no step", "of no run"],
)
def test_statements_of_no_publication_are_passed_over(sql: str) -> None:
    assert bytes_by_publication([Statement(1, sql, 5)]) == {}


def test_where_no_spark_answers_the_error_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["meter", "--spark-ui", "http://127.0.0.1:1"])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "Could not read Spark's statement history." in said
    assert "http://127.0.0.1:1/api/v1/applications" in said
    assert "PORTMESH_SPARK_UI" in said
