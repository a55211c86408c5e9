"""On Athena a full build puts the table of the port aside: no kill, and no other run, costs what is in it."""

from __future__ import annotations

import pytest

from tests.faults import build_in_another_process, just_before
from tests.mesh import Mesh
from tests.test_clean import cleaned
from tests.test_output_port import COLUMNS, EXEMPT, LINES, good

pytestmark = pytest.mark.engines("athena")

Capsys = pytest.CaptureFixture[str]
RECORD = 'insert into "awsdatacatalog"."portmesh"."publications__shop"'
SECOND_NAME = "__replaced` (placeholder int)"


def killed() -> None:
    raise RuntimeError("Killed here.")


def publish(mesh: Mesh, *rows: int) -> None:
    for count in rows:
        mesh.land("lines", good(count))
        built = mesh.dbt("build")
        assert built.ok, built.output


def count(mesh: Mesh) -> object:
    return mesh.value("select count(*) from shop.lines")


def roll_back(mesh: Mesh, rows: int) -> None:
    back = mesh.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert f"({rows} rows)" in back.output, back.output
    assert count(mesh) == rows


@pytest.mark.parametrize("config", ["", "{{ config(unique_key='line_id') }}"], ids=["full", "increment"])
def test_a_rollback_that_was_killed_before_its_record_can_be_run_again(
    shop: Mesh, config: str, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.chdir(shop.folder)
    shop.port("shop/lines", config + LINES, COLUMNS, meta=EXEMPT)
    publish(shop, 10, 20)
    with just_before(RECORD, killed) as met:
        assert not shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}").ok
    assert met
    assert count(shop) == 10
    roll_back(shop, 20)
    cleaned(capsys, "--older-than", "0h")
    roll_back(shop, 10)
    assert cleaned(capsys, "--older-than", "0h")["gone"] == []
    publish(shop, 30)
    roll_back(shop, 10)


def test_what_a_run_without_a_record_put_aside_is_kept_while_a_rollback_needs_it(
    shop: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.chdir(shop.folder)
    publish(shop, 10, 20)
    shop.land("lines", good(30))
    with just_before(RECORD, killed) as met:
        assert not shop.dbt("build").ok
    assert met
    assert count(shop) == 30
    assert cleaned(capsys, "--older-than", "0h")["gone"] == []
    roll_back(shop, 20)
    roll_back(shop, 10)


def test_a_run_that_publishes_while_another_puts_the_table_aside_is_not_overwritten(shop: Mesh) -> None:
    publish(shop, 10)
    shop.land("lines", good(20))

    def publish_another() -> None:
        shop.land("lines", good(30))
        build_in_another_process(shop)

    with just_before(SECOND_NAME, publish_another) as met:
        overtaken = shop.dbt("build")
    assert met
    assert "another run has published or maintained it since this one began" in overtaken.messages["lines"]
    assert count(shop) == 30
    roll_back(shop, 10)
