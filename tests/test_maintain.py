"""`portmesh maintain`: what it removes and what it keeps. The port is the same for its readers afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from portmesh.aws import bucket_and_key
from portmesh.dbt import run_operation
from portmesh.lake.iceberg import Size, Snapshot, TableFacts
from portmesh.upkeep.leftovers import KeptVersion, OpenVersion
from portmesh.upkeep.maintenance import has_rows_of, plan, why_not
from tests.faults import build_in_another_process, just_before
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, EXEMPT, good
from tests.test_status import run

NOW = datetime(2026, 11, 23, 12, 0)
HOUR = timedelta(hours=1)


def table(hours: dict[int, int], operations: dict[int, str] | None = None, **facts: Any) -> TableFacts:
    """A table with a chain of snapshots from this many hours ago, each with a file of 10 bytes."""
    made = {snapshot: NOW - ago * HOUR for snapshot, ago in hours.items()}
    parents = dict(zip(list(made)[1:], made, strict=False))
    snapshots = {s: Snapshot(s, parents.get(s), at, (operations or {}).get(s, "overwrite")) for s, at in made.items()}
    about = {
        "current": list(made)[-1],
        "log": tuple((at, snapshot) for snapshot, at in made.items()),
        "tags": {},
        "branches": {},
        "small": Size(),
        "manifests": 1,
        "files": {snapshot: {f"{snapshot}.parquet": 10, "shared.parquet": 1} for snapshot in made},
    }
    return TableFacts(snapshots=snapshots, **(about | facts))


def kept(*snapshots: int, version: str = "1.0.0") -> list[KeptVersion]:
    return [KeptVersion(version=f"lines__{s}", contract_version=version, snapshot_id=s) for s in snapshots]


def test_what_the_port_keeps_stays_and_the_rest_goes() -> None:
    found = plan(table({1: 90, 2: 80, 3: 70, 4: 60, 5: 50}), kept(5, 3), NOW - 24 * HOUR)
    assert found.expire == (1, 2, 4)
    assert found.freed == Size(3, 30)
    assert found.snapshots_to_keep == 3
    assert found.tags == (("v1.0.0", 5),)


def test_what_may_still_be_read_is_kept() -> None:
    long_read = table({1: 90, 2: 80, 3: 2})
    assert plan(long_read, kept(3), NOW - 24 * HOUR).expire == (1,)
    assert plan(long_read, kept(3), NOW).expire == (1, 2)


def test_what_was_never_current_was_never_read() -> None:
    facts = table({1: 90, 2: 50, 3: 50})
    of_branch = table({1: 90, 2: 50, 3: 50}, log=(facts.log[0], (NOW - HOUR, 3)))
    assert plan(of_branch, kept(3), NOW - 24 * HOUR).expire == (2,)


def test_a_count_from_the_newest_keeps_what_lies_between() -> None:
    facts = table({1: 90, 2: 80, 3: 70, 4: 60, 5: 50})
    found = plan(facts, kept(5, 3), NOW - 24 * HOUR, by_vacuum=True)
    assert (found.expire, found.snapshots_to_keep, found.tags) == ((1, 2), 3, ())


def test_tags_of_contract_versions_go_with_the_last_kept_version_and_others_stay() -> None:
    facts = table({1: 90, 2: 80, 3: 70}, tags={"v0.9.0": 1, "v2026_audit": 2, "v1.0.0": 2})
    found = plan(facts, kept(3), NOW - 24 * HOUR)
    assert found.expired_tags == ("v0.9.0",)
    assert found.tags == (("v1.0.0", 3),)
    assert found.expire == (1,)


def test_what_another_branch_reads_is_kept() -> None:
    facts = table({1: 90, 2: 80, 3: 70}, branches={"main": 3, "experiment": 1})
    assert plan(facts, kept(3), NOW).expire == (2,)


@pytest.mark.parametrize(
    ("operations", "recorded", "same"),
    [({2: "replace", 3: "replace"}, 1, True), ({2: "append", 3: "replace"}, 1, False), ({}, 3, True), ({}, 9, False)],
)
def test_rewritten_files_hold_the_recorded_rows(operations: dict[int, str], recorded: int, same: bool) -> None:
    assert has_rows_of(table({1: 9, 2: 8, 3: 7}, operations), recorded) is same


def test_an_open_candidate_is_named() -> None:
    branch = OpenVersion(name="lines__20261123_061400_ab12cd", kind="branch", where="a branch of shop.lines")
    assert why_not([branch], [], "shop.lines") == (
        "the candidate branch lines__20261123_061400_ab12cd is still open: portmesh clean shop.lines"
    )
    assert why_not([], [branch], "shop.lines").endswith(" is kept for inspection: portmesh clean --refused shop.lines")
    assert why_not([], [], "shop.lines") == ""


# On a mesh

# Seven rows of an increment change at most seven files. Athena ignores the hint as a comment.
TWELVE_FILES = """
{{ config(unique_key='line_id') }}
select /*+ repartition(12) */
    cast(line_id as bigint) as line_id,
    cast(channel as {{ dbt.type_string() }}) as channel,
    cast(amount as decimal(10, 2)) as amount,
    cast(landed_at as {{ dbt.type_timestamp() }}) as landed_at
from {{ source('raw', 'lines') }}
"""


@pytest.fixture
def shop(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """shop.lines in three versions, of which it keeps two: 100 rows, 120 rows, and 120 rows with seven replaced."""
    mesh.set_up("shop")
    mesh.port("shop/lines", TWELVE_FILES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    mesh.land("lines", good(120))
    assert mesh.dbt("build", "--full-refresh").ok
    mesh.land("lines", good(7).replace("'store'", "'web'"))
    assert mesh.dbt("build").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def maintained(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, text = run(capsys, "maintain", "--json", "--unread-for", "0h", *arguments)
    assert code == 0, text
    (port,) = json.loads(text)["ports"]
    return dict(port)


def records(mesh: Mesh) -> list[tuple[Any, ...]]:
    return mesh.rows(
        "select version, kind, verdict, snapshot_id from portmesh.publications__shop order by attempted_at"
    )


@pytest.mark.engines("emr", "athena")
def test_a_maintained_port_is_the_same_to_readers_and_can_be_rolled_back(
    shop: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = shop.rows("select * from shop.lines order by line_id")
    before = records(shop)

    would_go = maintained(capsys, "--dry-run")["plan"]
    assert would_go["compact"]["files"] > 0
    assert records(shop) == before

    did = maintained(capsys)["plan"]
    assert did["compact"] == would_go["compact"]
    assert shop.rows("select * from shop.lines order by line_id") == rows
    *_, newest = records(shop)
    assert newest[:3] == (before[-1][0], "maintenance", "maintained")
    assert newest[3] != before[-1][3]
    assert maintained(capsys, "--dry-run")["plan"]["compact"]["files"] == 0

    shop.land("lines", good(1).replace("'store'", "'web'"))
    assert shop.dbt("build").ok
    newest_scopes = shop.rows(
        "select scope from portmesh.measurements__shop where kind = 'unique' order by measured_at"
    )
    assert newest_scopes[-1] == ("keys",)
    assert run(capsys, "rollback", "shop.lines")[0] == 0
    assert shop.rows("select * from shop.lines order by line_id") == rows


@pytest.mark.engines("emr")
def test_snapshots_beyond_the_kept_versions_go_on_spark(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    # Iceberg's own rule would expire everything older than a millisecond.
    rule = "'history.expire.max-snapshot-age-ms' = '1'"
    shop.engine.run(f"alter table shop.lines set tblproperties ({rule})")  # type: ignore[attr-defined]
    (_, _, _, first), (_, _, _, second), _ = records(shop)
    assert first in maintained(capsys)["plan"]["expire"]
    *_, (_, _, _, current) = records(shop)
    metadata = shop.engine.catalog.load_table("shop.lines").metadata  # type: ignore[attr-defined]
    assert {snapshot.snapshot_id for snapshot in metadata.snapshots} == {second, current}
    assert metadata.refs["v1.0.0"].snapshot_id == current
    assert run(capsys, "rollback", "shop.lines")[0] == 0
    assert shop.value("select count(*) from shop.lines where channel = 'store'") == 120


@pytest.mark.engines("athena")
def test_snapshots_beyond_the_kept_versions_go_on_athena(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    """The version before the last full build is a separate table with no old snapshots."""
    shop.land("lines", good(3).replace("'store'", "'web'"))
    assert shop.dbt("build").ok
    _, (_, _, _, rebuilt), (_, _, _, third), _ = records(shop)
    shop.engine.age("shop.lines", 3)  # type: ignore[attr-defined]
    assert rebuilt in maintained(capsys)["plan"]["expire"]
    *_, (_, _, _, current) = records(shop)
    snapshots = {one.snapshot_id for one in shop.engine.catalog.load_table("shop.lines").metadata.snapshots}  # type: ignore[attr-defined]
    assert {third, current} <= snapshots
    assert rebuilt not in snapshots
    assert run(capsys, "rollback", "shop.lines")[0] == 0
    assert shop.value("select count(*) from shop.lines where channel = 'web'") == 7


@pytest.mark.engines("emr", "athena")
def test_a_build_at_work_is_left_alone(shop: Mesh) -> None:
    skipped: list[str] = []

    def maintain() -> None:
        command = [sys.executable, "-m", "portmesh", "maintain", "--json", "--unread-for", "0h"]
        done = subprocess.run(command, cwd=shop.folder, capture_output=True, text=True, check=False)
        skipped.append(json.loads(done.stdout)["ports"][0]["skipped"])

    shop.land("lines", good(3).replace("'store'", "'web'"))
    with just_before("as place", maintain):
        built = shop.dbt("build")
    assert built.ok, built.output
    assert "is still open: portmesh clean shop.lines" in skipped[0]
    assert shop.value("select count(*) from shop.lines where channel = 'web'") == 7


@pytest.mark.engines("emr", "athena")
def test_a_build_that_is_published_during_maintenance_keeps_its_versions(
    shop: Mesh, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One build is published before files are rewritten, the next one before versions are removed."""
    reasons = {"rewrite_files": "has no record yet", "remove_expired": "It was published during its maintenance"}
    for rows, (step, reason) in enumerate(reasons.items(), start=10):
        before = shop.rows("select * from shop.lines order by line_id")
        steps = [step]
        shop.land("lines", good(rows).replace("'store'", "'web'"))

        def run_after_a_build(macro: str, arguments: str, target: str, steps: list[str] = steps) -> None:
            if macro in steps:
                steps.remove(macro)
                build_in_another_process(shop)
            run_operation(macro, arguments, target)

        monkeypatch.setattr("portmesh.upkeep.keeper.run_operation", run_after_a_build)
        code, text = run(capsys, "maintain", "--json", "--unread-for", "0h")
        assert code == 1
        assert reason in json.loads(text)["ports"][0]["error"]
        assert records(shop)[-1][2] == "published"
        assert shop.rows("select * from shop.lines order by line_id") != before
    maintained(capsys)
    assert run(capsys, "rollback", "shop.lines")[0] == 0
    assert shop.rows("select * from shop.lines order by line_id") == before


@pytest.mark.engines("emr", "athena")
def test_orphan_files_go_once_they_are_old(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    rows = shop.rows("select * from shop.lines order by line_id")
    s3, (bucket, home) = boto3.client("s3"), bucket_and_key(shop.engine.catalog.load_table("shop.lines").location())  # type: ignore[attr-defined]

    def orphan(name: str) -> str:
        s3.put_object(Bucket=bucket, Key=f"{home}/data/{name}.parquet", Body=b"rows of a run that was killed")
        return f"{home}/data/{name}.parquet"

    old = orphan("old")
    shop.engine.age("shop.lines", 3)  # type: ignore[attr-defined]
    young = orphan("young")
    assert maintained(capsys, "--dry-run")["plan"]["orphans"]["files"] >= 1
    assert maintained(capsys)["plan"]["orphans"]["files"] >= 1
    left = {found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix=f"{home}/data/")["Contents"]}
    assert old not in left
    assert young in left
    assert shop.rows("select * from shop.lines order by line_id") == rows


@pytest.mark.engines("athena")
@pytest.mark.usefixtures("shop")
def test_vacuum_is_told_what_the_port_keeps(capsys: pytest.CaptureFixture[str]) -> None:
    keeps = maintained(capsys)["plan"]["snapshots_to_keep"]
    told = boto3.client("glue").get_table(DatabaseName="shop", Name="lines")["Table"]["Parameters"]
    assert told["vacuum_min_snapshots_to_keep"] == str(keeps)
    assert told["vacuum_max_snapshot_age_seconds"] == "86400"


@pytest.mark.engines("emr", "athena")
def test_a_port_with_an_open_candidate_is_skipped(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    name = "lines__20260101_000000_abcdef"
    shop.engine.make_table(f"shop__internal.{name}", "select 1 as one")
    assert maintained(capsys)["skipped"] == f"the candidate table {name} is still open: portmesh clean shop.lines"
    code, text = run(capsys, "maintain")
    assert code == 0
    assert "Maintained 0 ports; 1 skipped." in text
    assert f"  shop.lines   the candidate table {name} is still open: portmesh clean shop.lines" in text


@pytest.mark.engines("emr", "athena")
@pytest.mark.usefixtures("shop")
def test_a_port_whose_table_is_gone_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("glue").delete_table(DatabaseName="shop", Name="lines")
    code, text = run(capsys, "maintain")
    assert code == 1
    assert "The Iceberg table does not exist." in text
    assert "shop.lines" in text


def test_on_the_target_local_there_is_nothing_to_maintain(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", TWELVE_FILES, COLUMNS, meta=EXEMPT)
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    code, text = run(capsys, "maintain")
    assert (code, text.startswith("The target local needs no maintenance")) == (2, True), text
