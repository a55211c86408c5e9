"""`portmesh clean` on a real mesh: what a crash leaves goes, what anyone may need stays."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from portmesh.durations import parse_duration
from portmesh.errors import UsageError
from portmesh.leftovers import OpenVersion, decide
from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good
from tests.test_status import run

NOW = datetime(2026, 11, 23, 12, 0)
DAY = timedelta(days=1)
on_every_engine = pytest.mark.engines(*ENGINES)


def version(name: str, **facts: Any) -> OpenVersion:
    return OpenVersion.model_validate({"name": name, "kind": "table", "where": f"shop__internal.{name}"} | facts)


@pytest.mark.parametrize(
    ("began", "facts", "target", "goes", "why"),
    [
        ("20261120_120000", {}, "emr", True, "its run began 3 days ago and left no record"),
        ("20261123_113000", {}, "emr", False, "its run began 30 min ago and may still be at work (--older-than 1 day)"),
        ("20261123_113000", {"has_record": True}, "emr", True, "its run began 30 min ago and has ended"),
        ("20261120_120000", {"is_held": True, "has_record": True}, "local", False, "consumers read it"),
        ("20261120_120000", {"kind": "branch"}, "emr", True, "its run began 3 days ago and left no record"),
        (
            *("20261120_120000", {"kind": "branch"}, "athena", False),
            "only Spark can drop a branch: portmesh clean --target emr",
        ),
    ],
)
def test_what_goes_and_why(began: str, facts: dict[str, Any], target: str, goes: bool, why: str) -> None:
    (decision,) = decide("shop.lines", [version(f"lines__{began}_abcdef", **facts)], target, DAY, NOW)
    assert (decision.goes, decision.why) == (goes, why)


@pytest.mark.parametrize(("text", "span"), [("30min", DAY / 48), ("24h", DAY), ("7d", 7 * DAY), ("0h", 0 * DAY)])
def test_time_spans(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "24", "1 week", "-1h"])
def test_a_time_span_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="This is no time span"):
        parse_duration(text)


# On a mesh


@pytest.fixture
def shop(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """shop.lines with 100 rows published."""
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def crashed(mesh: Mesh, began: datetime, run_id: str = "abcdef") -> str:
    """What a run that was killed leaves beside the port; its name."""
    name = f"lines__{began:%Y%m%d_%H%M%S}_{run_id}"
    mesh.engine.make_table(f"shop__internal.{name}", "select 1 as one")
    return name


def cleaned(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[str]]:
    code, text = run(capsys, "clean", "--json", *arguments)
    assert code == 0, text
    facts = json.loads(text)
    return {key: [one["name"] for one in facts[key]] for key in ("gone", "left")}


@on_every_engine
def test_leftovers_of_a_crash_go_once_they_are_old(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    old, young = crashed(shop, NOW - 600 * DAY), crashed(shop, datetime.now(), "fedcba")
    assert cleaned(capsys, "--dry-run") == {"gone": [old], "left": [young]}
    assert cleaned(capsys, "shop.lines") == {"gone": [old], "left": [young]}
    assert cleaned(capsys) == {"gone": [], "left": [young]}
    assert cleaned(capsys, "--older-than", "0h") == {"gone": [young], "left": []}
    assert "0 candidates left from broken runs." in run(capsys, "status")[1]
    assert run(capsys, "clean") == (0, "Nothing is left from broken runs.\n")
    assert shop.value("select count(*) from shop.lines") == 100


@on_every_engine
def test_a_refused_candidate_stays_for_inspection(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    shop.land("lines", good() + DUPLICATE)
    assert not shop.dbt("build").ok
    (candidate,) = shop.engine.candidates("shop.lines")
    assert cleaned(capsys, "--older-than", "0h") == {"gone": [], "left": []}
    assert shop.value(f"select count(*) from {candidate}") == 101
    assert len(cleaned(capsys, "--refused")["gone"]) == 1
    assert shop.engine.candidates("shop.lines") == []
    assert shop.value("select count(*) from shop.lines") == 100
    shop.land("lines", good(120))
    assert shop.dbt("build").ok
    assert shop.value("select count(*) from shop.lines") == 120


@on_every_engine
def test_the_text_says_what_went_and_what_stays_and_why(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    old, young = crashed(shop, NOW - 600 * DAY), crashed(shop, datetime.now(), "fedcba")
    code, text = run(capsys, "clean")
    assert code == 0
    assert "1 candidate went.\n\n  shop.lines   table " + old in text
    assert "left no record\n\n1 candidate stays.\n\n  shop.lines   table " + young in text
    assert "may still be at work (--older-than 1 day)" in text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.usefixtures("shop")
def test_a_port_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "clean", "shop.line")
    assert (code, text.startswith("There is no port 'shop.line'. Did you mean shop.lines?")) == (2, True), text


def test_a_version_that_consumers_read_stays_even_without_its_record(
    shop: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.execute("update portmesh.publications set version = 'lines__gone', base = 'lines__gone'")
    found = cleaned(capsys, "--older-than", "0h")
    assert found["gone"] == []
    assert len(found["left"]) == 1
    assert shop.value("select count(*) from shop.lines") == 100


@pytest.mark.engines("emr")
def test_a_branch_of_a_crashed_run_goes_and_main_stays(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    name = "lines__20260101_000000_abcdef"
    shop.engine.run(f"alter table shop.lines create branch {name}")  # type: ignore[attr-defined]
    shop.engine.run(f"delete from shop.lines.branch_{name}")  # type: ignore[attr-defined]
    assert f"branch {name}" in run(capsys, "status")[1]
    assert cleaned(capsys) == {"gone": [name], "left": []}
    assert shop.engine.candidates("shop.lines") == []
    assert shop.value("select count(*) from shop.lines") == 100
