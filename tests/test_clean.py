"""`portmesh clean` on a real mesh: it removes leftovers of a crash, and keeps what may still be needed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from portmesh.durations import parse_duration
from portmesh.errors import UsageError
from portmesh.upkeep.leftovers import OpenVersion, OrphanFiles, count_left, decide
from portmesh.upkeep.orphans import delete_files
from tests.engine import ENGINES
from tests.engine_glue import lake
from tests.faults import add_fault, clear_faults, just_before
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good
from tests.test_status import run

pytestmark = pytest.mark.thorough

NOW = datetime(2026, 11, 23, 12, 0)
DAY = timedelta(days=1)
on_every_engine = pytest.mark.engines(*ENGINES)


def version(name: str, **facts: Any) -> OpenVersion:
    return OpenVersion.model_validate({"name": name, "kind": "table", "where": f"shop__internal.{name}"} | facts)


@pytest.mark.parametrize(
    ("began", "facts", "target", "goes", "why"),
    [
        ("20261120_120000", {}, "emr", True, "its run began 3 days ago and left no record"),
        (
            "20261123_113000",
            {},
            "emr",
            False,
            "its run began 30 min ago and may still be running (--older-than is 1 day)",
        ),
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


@pytest.mark.parametrize(
    ("hours", "goes", "why"),
    [
        (72, True, "2 files (3.4 kB) that no table uses, the newest 3 days old"),
        (
            1,
            False,
            "2 files (3.4 kB) that no table uses, the newest 1 hour old: "
            "its run may still be running (--older-than is 1 day)",
        ),
    ],
)
def test_files_of_no_table_go_once_the_newest_is_old(hours: int, goes: bool, why: str) -> None:
    written_at = NOW - timedelta(hours=hours)
    files = OrphanFiles(name="s3://lake/shop/lines/0a1b/", keys=["a", "b"], bytes=3400, written_at=written_at)
    (decision,) = decide("shop.lines", [files], "athena", DAY, NOW)
    assert (decision.goes, decision.why) == (goes, why)


def test_a_file_that_s3_keeps_is_an_error_though_the_request_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    class S3:
        def delete_objects(self, **_: object) -> dict[str, list[dict[str, str]]]:
            return {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "Not yours."}]}

    monkeypatch.setattr(boto3, "client", lambda *_, **__: S3())
    files = OrphanFiles(name="s3://lake/shop/lines/0a1b/", keys=["a"], bytes=1, written_at=NOW)
    with pytest.raises(UsageError, match="AWS does not allow this with your credentials") as refusal:
        delete_files([files])
    assert ("got", "AccessDenied: Not yours.") in refusal.value.facts


@pytest.mark.parametrize(
    ("kinds", "text"),
    [
        ([], "0 candidates"),
        (["table", "branch"], "2 candidates"),
        (["folder"], "1 orphan folder"),
        (["branch", "folder", "folder"], "1 candidate and 2 orphan folders"),
    ],
)
def test_leftovers_are_counted_by_kind(kinds: list[str], text: str) -> None:
    assert count_left(kinds) == text


@pytest.mark.parametrize(("text", "span"), [("30min", DAY / 48), ("24h", DAY), ("7d", 7 * DAY), ("0h", 0 * DAY)])
def test_time_spans(text: str, span: timedelta) -> None:
    assert parse_duration(text, "--older-than") == span


@pytest.mark.parametrize("text", ["", "24", "1 week", "-1h"])
def test_a_text_that_is_not_a_time_span_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--older-than is not a time span"):
        parse_duration(text, "--older-than")


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
    """Create what a killed run leaves behind. Returns its name."""
    name = f"lines__{began:%Y%m%d_%H%M%S}_{run_id}"
    mesh.engine.make_table(f"shop__internal.{name}", "select 1 as one")
    return name


def cleaned(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[str]]:
    code, text = run(capsys, "clean", "--json", *arguments)
    assert code == 0, text
    facts = json.loads(text)
    return {key: [one["name"] for one in facts[key]] for key in ("gone", "left")}


@on_every_engine
def test_leftovers_of_a_crash_are_removed_once_they_are_old(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    old, young = crashed(shop, NOW - 600 * DAY), crashed(shop, datetime.now(), "fedcba")
    assert cleaned(capsys, "--dry-run") == {"gone": [old], "left": [young]}
    assert cleaned(capsys, "shop.lines") == {"gone": [old], "left": [young]}
    assert cleaned(capsys) == {"gone": [], "left": [young]}
    assert cleaned(capsys, "--older-than", "0h") == {"gone": [young], "left": []}
    assert "0 candidates left behind by failed runs." in run(capsys, "status")[1]
    assert run(capsys, "clean") == (0, "There is nothing to clean: failed runs left nothing behind.\n")
    assert shop.value("select count(*) from shop.lines") == 100


def test_the_table_of_a_model_stays_whatever_its_name(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    of_a_model, of_a_crash = crashed(shop, NOW - 600 * DAY), crashed(shop, NOW - 500 * DAY)
    shop.write(f"domains/shop/models/intermediate/{of_a_model}.sql", "select 1 as one")
    assert cleaned(capsys) == {"gone": [of_a_crash], "left": []}
    assert shop.has(f"shop__internal.{of_a_model}")


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
def test_the_text_says_what_was_removed_what_was_kept_and_why(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    old, young = crashed(shop, NOW - 600 * DAY), crashed(shop, datetime.now(), "fedcba")
    code, text = run(capsys, "clean")
    assert code == 0
    assert "Removed 1 candidate.\n\n  shop.lines   table " + old in text
    assert "left no record\n\nKept 1 candidate.\n\n  shop.lines   table " + young in text
    assert "may still be running (--older-than is 1 day)" in text
    assert "next   if no run is going on: portmesh clean --older-than 0h\n" in text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.usefixtures("shop")
def test_a_port_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "clean", "shop.line")
    assert (code, text.startswith("There is no port 'shop.line'. Did you mean shop.lines?")) == (2, True), text


def test_a_version_that_consumers_read_stays_even_without_its_record(
    shop: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.execute("update portmesh.publications__shop set version = 'lines__gone', base = 'lines__gone'")
    found = cleaned(capsys, "--older-than", "0h")
    assert found["gone"] == []
    assert len(found["left"]) == 1
    assert shop.value("select count(*) from shop.lines") == 100


@pytest.mark.engines("emr")
def test_a_branch_of_a_crashed_run_is_removed_and_main_is_kept(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    name = "lines__20260101_000000_abcdef"
    shop.engine.run(f"alter table shop.lines create branch {name}")  # type: ignore[attr-defined]
    shop.engine.run(f"delete from shop.lines.branch_{name}")  # type: ignore[attr-defined]
    assert f"branch {name}" in run(capsys, "status")[1]
    assert cleaned(capsys) == {"gone": [name], "left": []}
    assert shop.engine.candidates("shop.lines") == []
    assert shop.value("select count(*) from shop.lines") == 100


def stored(port: str) -> list[str]:
    """The folders with files of a port and of its versions."""
    product, name = port.split(".")
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lake().removeprefix("s3://"))
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    places = (f"{product}/{name}/", f"{product}__internal/{name}__2")
    return sorted({"/".join(key.split("/")[:3]) for key in keys if key.startswith(places)})


@pytest.mark.engines("emr", "athena")
def test_files_that_no_table_uses_are_removed_once_they_are_old(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    (home,) = stored("shop.lines")
    shop.port("shop/after", LINES, COLUMNS, meta=EXEMPT)
    shop.land("lines", good() + DUPLICATE)
    assert not shop.dbt("build", "--select", "after").ok
    (candidate,) = shop.engine.candidates("shop.after")
    database, name = candidate.split(".")
    boto3.client("glue").delete_table(DatabaseName=database, Name=name)

    text = run(capsys, "status")[1]
    assert "1 orphan folder left behind by failed runs." in text
    assert "  shop.after   folder s3://" in text
    assert " that no table uses, the newest < 1 min old" in text
    (folder,) = cleaned(capsys)["left"]
    assert "may still be running (--older-than is 1 day)" in run(capsys, "clean")[1]

    shop.engine.age("shop.lines", 2)  # type: ignore[attr-defined]
    assert cleaned(capsys, "--dry-run") == {"gone": [folder], "left": []}
    assert stored("shop.after") != []
    assert "Removed 1 orphan folder." in run(capsys, "clean")[1]
    assert stored("shop.after") == []
    assert stored("shop.lines") == [home]
    assert shop.value("select count(*) from shop.lines") == 100


@pytest.mark.engines("athena")
def test_a_table_that_alone_has_its_files_goes_with_them(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    """A second name of a port's table is dropped without the files, whichever of the names is the port's."""
    (home,) = stored("shop.lines")
    shop.land("lines", good(120) + DUPLICATE)
    assert not shop.dbt("build").ok
    assert len(stored("shop.lines")) == 2
    assert len(cleaned(capsys, "--refused")["gone"]) == 1
    assert stored("shop.lines") == [home]

    shop.port("shop/lines", "{{ config(unique_key='line_id') }}" + LINES, COLUMNS, meta=EXEMPT)
    assert not shop.dbt("build").ok
    shop.land("lines", good(130))
    with just_before("'databasename': 'shop', 'tableinput'", lambda: add_fault(service="glue", code="Oops", times=9)):
        assert not shop.dbt("build", "--full-refresh").ok
    clear_faults()
    assert len(cleaned(capsys, "--older-than", "0h", "--refused")["gone"]) >= 2
    assert stored("shop.lines") == [home]
    assert shop.value("select count(*) from shop.lines") == 100
    assert shop.dbt("build", "--full-refresh").ok
    assert shop.value("select count(*) from shop.lines") == 130


@pytest.mark.engines("emr", "athena")
@pytest.mark.usefixtures("shop")
def test_files_that_s3_does_not_delete_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    key = "shop/lines/0123456789ab/data/rows.parquet"
    boto3.client("s3").put_object(Bucket=lake().removeprefix("s3://"), Key=key, Body=b"rows")
    add_fault(service="s3", operation="DeleteObjects", code="AccessDenied", message="Not yours.", status=403)
    try:
        code, text = run(capsys, "clean", "--older-than", "0h")
    finally:
        clear_faults()
    assert code == 2
    assert text.startswith("AWS does not allow this with your credentials."), text
    assert "shop/lines/0123456789ab/" in text
    assert cleaned(capsys, "--older-than", "0h")["gone"] == [f"{lake()}/shop/lines/0123456789ab/"]


@pytest.mark.engines("emr", "athena")
def test_an_increment_leaves_no_files_beside_the_port(shop: Mesh) -> None:
    shop.port("shop/lines", "{{ config(unique_key='line_id') }}" + LINES, COLUMNS, meta=EXEMPT)
    for rows in (good(50), f"{good(60)}{DUPLICATE}", good(70)):
        shop.land("lines", rows)
        shop.dbt("build")
    kinds = shop.rows("select kind, verdict from portmesh.publications__shop order by attempted_at")
    assert kinds[1:] == [("increment", "published"), ("increment", "refused"), ("increment", "published")]
    assert len(stored("shop.lines")) == 1
