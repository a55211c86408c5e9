"""After a rollback `portmesh status` shows the version, that it is kept, and which ports were built from it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from portmesh.upkeep.port_facts import PortFacts, Withdrawn
from portmesh.upkeep.withdrawn import built_from, describe_withdrawn
from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_clean import cleaned
from tests.test_output_port import COLUMNS, EXEMPT, LINES, good
from tests.test_status import run

pytestmark = pytest.mark.thorough

Capsys = pytest.CaptureFixture[str]
NOON = datetime(2026, 11, 23, 12, 0)
on_every_engine = pytest.mark.engines(*ENGINES)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def port(name: str, reads: list[str], *built: int) -> PortFacts:
    return PortFacts(id=name, product="p", port=name, reads=reads, built_at=[at(minutes) for minutes in built])


@pytest.mark.parametrize(
    ("others", "built"),
    [
        ([port("b", ["a"], 5)], ["p.b"]),
        ([port("b", ["a"], -5)], []),
        ([port("b", ["a"], 15)], []),
        ([port("b", ["a"], 15, 5)], ["p.b"]),
        ([port("c", ["b"], 6), port("b", ["a"], 5)], ["p.b", "p.c"]),
        ([port("c", ["b"], 4), port("b", ["a"], 5)], ["p.b"]),
        ([port("c", ["b"], 20), port("b", ["a"], 5)], ["p.b", "p.c"]),
        ([port("c", ["b"], 6), port("b", ["a"], 15)], []),
        ([port("b", ["c", "a"], 6), port("c", ["b"], 7)], ["p.b", "p.c"]),
    ],
    ids=[
        "while it was read",
        "before",
        "again since",
        "an increment since, over rows of it",
        "through another",
        "another that was built before that one",
        "another that was built since, from such a one",
        "the one between is built again",
        "in a circle",
    ],
)
def test_what_was_built_from_it(others: list[PortFacts], built: list[str]) -> None:
    withdrawn = Withdrawn(version="a__1", row_count=3, published_at=at(0), rolled_back_at=at(10))
    ports = {one.id: one for one in [port("a", []), *others]}
    assert [one.label for one in built_from("a", withdrawn, ports)] == built


def test_the_sentence() -> None:
    withdrawn = Withdrawn(version="a__1", row_count=1200, published_at=at(0), rolled_back_at=at(10))
    taken = port("a", []).model_copy(update={"withdrawn": withdrawn})
    (told,) = describe_withdrawn([port("b", ["a"], 5), taken], at(12))
    assert told.story == (
        "version a__1 (1,200 rows) was rolled back 2 min ago and is kept until the next publication\n"
        "ports built from it: p.b"
    )
    assert told.next == "dbt build --select b"
    (told,) = describe_withdrawn([taken], at(12))
    assert told.story.endswith("\nno other port was built from it")
    assert describe_withdrawn([port("a", [])], at(12)) == []


@on_every_engine
def test_a_version_that_was_taken_back_is_no_leftover(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.write("domains/shop/models/intermediate/int_shop__between.sql", "select * from {{ ref('lines') }}")
    mesh.port("shop/after", "select * from {{ ref('int_shop__between') }}", COLUMNS, meta=EXEMPT)
    mesh.port("shop/apart", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    monkeypatch.chdir(mesh.folder)
    mesh.land("lines", good(120))
    assert mesh.dbt("build").ok
    assert "Rolled back" not in run(capsys, "status")[1]

    assert run(capsys, "rollback", "shop.lines")[0] == 0
    text = run(capsys, "status")[1]
    assert "0 candidates left behind by failed runs." in text
    assert "\nRolled back:\n" in text
    assert "(120 rows) was rolled back < 1 min ago and is kept until the next publication" in text
    assert "built from it: shop.after\n" in text
    assert "dbt build --select int_shop__between after" in text
    assert cleaned(capsys, "--older-than", "0h")["gone"] == []
    assert "(120 rows) was rolled back" in run(capsys, "status")[1]

    assert mesh.dbt("build", "--select", "after").ok
    (told,) = json.loads(run(capsys, "status", "--json")[1])["withdrawn"]
    assert (told["port"], told["rows"], told["built_from_it"]) == ("shop.lines", 120, [])
    mesh.land("lines", good(130))
    assert mesh.dbt("build").ok
    assert "Rolled back" not in run(capsys, "status")[1]
