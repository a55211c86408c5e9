"""`portmesh demo land` on the targets emr and athena: Iceberg tables in Glue and S3, which moto provides."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from portmesh_demo.feeds import FEEDS
from portmesh_demo.flaws import EVERY
from portmesh_demo.source import read_batch
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.expressions import AlwaysTrue, EqualTo
from pyiceberg.table import Table
from test_land import IN_THE_DATA, LANDED_AT, WRONG_USES

from portmesh.errors import FindingsError, UsageError
from portmesh.lake.batches import BatchName
from portmesh.lake.folder import FolderLake
from portmesh.lake.glue import GlueLake, LandedBatch
from portmesh.lake.targets import open_lake
from tests.cloud import moto
from tests.portmesh_call import Portmesh, call, captured

pytestmark = pytest.mark.nightly

TIME = datetime(2026, 11, 23, 6, tzinfo=UTC)
WEEK_4 = "transactions/2017-W04"
WEEK_4_ROWS = 28203
TRANSACTIONS_TYPES = {
    "household_id": "long", "store_id": "long", "basket_id": "long", "product_id": "long", "quantity": "long",
    "sales_value": "double", "retail_disc": "double", "coupon_disc": "double", "coupon_match_disc": "double",
    "week": "long", "transaction_timestamp": "timestamp", "_batch_id": "string", "_landed_at": "timestamp",
}  # fmt: skip


@dataclass(frozen=True)
class Cloud:
    """A region of moto on this machine with a bucket, and methods to inspect it."""

    url: str
    region: str
    bucket: str

    def client(self, service: str) -> Any:
        return boto3.Session(region_name=self.region).client(service, endpoint_url=self.url)

    def lake(self) -> GlueLake:
        return GlueLake(f"s3://{self.bucket}", self.region)

    def table(self, feed: str) -> Table:
        found = self.lake()._find_table(feed)
        assert found is not None
        return found

    def value(self, feed: str, sql: str, batch_id: str = "") -> Any:
        """The single value of a statement on `lines`, the rows of a feed or of one batch."""
        only = EqualTo("_batch_id", batch_id) if batch_id else AlwaysTrue()
        lines = self.table(feed).scan(only).to_arrow()
        ((found,),) = duckdb.connect().register("lines", lines).execute(sql).fetchall()
        return found

    def empty(self) -> None:
        """A cloud in which nothing has landed."""
        glue = self.client("glue")
        for database in glue.get_databases()["DatabaseList"]:
            glue.delete_database(Name=database["Name"])
        configuration = {"LocationConstraint": self.region}
        self.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration=configuration)

    def pointers(self) -> dict[str, str]:
        """The metadata location of each landed table, which changes with every commit."""
        tables = self.client("glue").get_tables(DatabaseName="landed")["TableList"]
        return {table["Name"]: table["Parameters"]["metadata_location"] for table in tables}

    def put_back(self, pointers: dict[str, str]) -> None:
        """Restore the tables. This works because no commit deletes a file."""
        glue = self.client("glue")
        for table in glue.get_tables(DatabaseName="landed")["TableList"]:
            parameters = {**table["Parameters"], "metadata_location": pointers[table["Name"]]}
            kept = {name: table[name] for name in ("Name", "TableType", "StorageDescriptor")}
            glue.update_table(DatabaseName="landed", TableInput={**kept, "Parameters": parameters})


def _post(url: str, body: str) -> None:
    urllib.request.urlopen(
        urllib.request.Request(url, data=body.encode(), headers={"Content-Type": "text/plain"})
    ).close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of moto."""
    with moto(PORTMESH_TARGET="emr") as address:
        yield address


def _use(cloud: Cloud, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("AWS_REGION", cloud.region)
    patch.setenv("PORTMESH_S3_LAKE", f"s3://{cloud.bucket}")


@pytest.fixture
def empty(url: str, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A cloud in which nothing has landed."""
    cloud = Cloud(url, "eu-central-1", f"lake-{uuid.uuid4()}")
    cloud.empty()
    _use(cloud, monkeypatch)
    return cloud


@pytest.fixture(scope="module")
def three_weeks(url: str) -> tuple[Cloud, dict[str, str]]:
    """A cloud with the first three weeks and all snapshots, and the tables' metadata locations at that point."""
    cloud = Cloud(url, "eu-west-1", "portmesh-lake")
    cloud.empty()
    with pytest.MonkeyPatch.context() as patch:
        _use(cloud, patch)
        assert call("demo", "land", "--until", "2017-W03", "--landed-at", LANDED_AT) == 0
    return cloud, cloud.pointers()


@pytest.fixture
def cloud(three_weeks: tuple[Cloud, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A cloud with three weeks that a test may change."""
    landed, pointers = three_weeks
    _use(landed, monkeypatch)
    yield landed
    landed.put_back(pointers)


@pytest.fixture
def portmesh(capsys: pytest.CaptureFixture[str]) -> Portmesh:
    """Calls `portmesh` in this process."""
    return captured(capsys)


# What a landing leaves


def test_rows_are_those_of_a_folder(cloud: Cloud, tmp_path: Path) -> None:
    folder = str(tmp_path / "lake")
    assert (
        call("demo", "land", "--until", "2017-W03", "--landed-at", LANDED_AT, "--target", "local", "--lake", folder)
        == 0
    )
    compared = 0
    for feed in FEEDS:
        database = duckdb.connect().register("here", cloud.table(feed).scan().to_arrow())
        there = f"read_parquet('{folder}/{feed}/*/data.parquet')"
        checksum = "select count(*), sum(hash(lines)) from {} as lines"
        here, landed = (database.execute(checksum.format(rows)).fetchall() for rows in ("here", there))
        assert here == landed
        described = "select column_name, column_type from (describe from {})"
        assert (
            database.execute(described.format("here")).fetchall()
            == database.execute(described.format(there)).fetchall()
        )
        compared += 1
    assert compared == 8


def test_a_feed_is_an_iceberg_table_with_a_commit_for_each_batch(cloud: Cloud) -> None:
    table = cloud.table("transactions")
    assert table.format_version == 2
    assert table.location() == "s3://portmesh-lake/landed/transactions"
    assert {field.name: str(field.field_type) for field in table.schema().fields} == TRANSACTIONS_TYPES
    assert len(table.snapshots()) == 3
    files = table.inspect.data_files().to_pylist()
    assert [file["record_count"] for file in sorted(files, key=lambda file: file["partition"]["_batch_id"])] == [
        3722, 31454, 27398,
    ]  # fmt: skip
    with table.io.new_input(files[0]["file_path"]).open() as stream:
        footer = pq.read_metadata(pa.PythonFile(stream))
    assert footer.row_group(0).column(0).compression == "ZSTD"


def test_landing_twice_changes_nothing(cloud: Cloud, portmesh: Portmesh) -> None:
    before = cloud.pointers()
    result = portmesh("demo", "land", "--until", "2017-W03")
    assert result.exit_code == 0
    assert result.out.startswith("Nothing new to land; 12 batches already there, verified and kept.")
    assert len(before) == 8
    assert cloud.pointers() == before


def test_the_rest_lands_beside_what_is_there(cloud: Cloud, portmesh: Portmesh) -> None:
    facts = json.loads(portmesh("demo", "land", "--until", "2017-W04", "--json").out)
    landed = {feed["feed"]: (feed["landed"], feed["kept"], feed["rows"]) for feed in facts["feeds"]}
    assert landed["transactions"] == (1, 3, 62574 + WEEK_4_ROWS)
    assert facts["lake"] == "s3://portmesh-lake/landed"
    assert cloud.value("transactions", "select count(*) from lines") == 62574 + WEEK_4_ROWS
    sizes = {f["feed"]: f["bytes"] for f in facts["feeds"]}
    again = {
        f["feed"]: f["bytes"]
        for f in json.loads(portmesh("demo", "land", "--until", "2017-W04", "--json").out)["feeds"]
    }
    assert sizes == again


def test_the_target_and_the_lake_are_named_again_in_what_to_do_next(empty: Cloud, portmesh: Portmesh) -> None:
    where = ("--target", "athena", "--lake", f"s3://{empty.bucket}/elsewhere")
    out = portmesh("demo", "land", "--flaw", "nulls", "--batch", "2017-W01", *where).out
    assert "next      dbt build --target athena, read what it reports, then: portmesh demo land --replace " in out
    assert f"transactions/2017-W01 --target athena --lake s3://{empty.bucket}/elsewhere" in out
    assert empty.table("transactions").location() == f"s3://{empty.bucket}/elsewhere/landed/transactions"


# Flaws, replacements, withdrawals


@pytest.mark.parametrize("flaw", sorted(IN_THE_DATA.keys() - {"wrong-type"}))
def test_a_flaw_is_in_the_data_and_the_clean_batch_replaces_it(cloud: Cloud, portmesh: Portmesh, flaw: str) -> None:
    planted = json.loads(portmesh("demo", "land", "--flaw", flaw, "--json").out)["planted"]
    assert planted["batch"] == WEEK_4
    expected = {"empty": 0, "late": -(-27398 // EVERY)}.get(flaw, -(-WEEK_4_ROWS // EVERY))
    assert planted["flawed_rows"] == expected
    found = cloud.value("transactions", f"select (({IN_THE_DATA[flaw]}), (select count(*) from lines))", "2017-W04")
    assert found == (expected, planted["rows"])
    assert portmesh("demo", "land", "--replace", WEEK_4).exit_code == 0
    clean = 0 if flaw != "empty" else WEEK_4_ROWS
    found = cloud.value("transactions", f"select (({IN_THE_DATA[flaw]}), (select count(*) from lines))", "2017-W04")
    assert found == (clean, WEEK_4_ROWS)


def test_a_batch_is_replaced_in_one_commit(cloud: Cloud, portmesh: Portmesh) -> None:
    table = cloud.table("transactions")
    assert (
        portmesh("demo", "land", "--replace", "transactions/2017-W02", "--landed-at", "2026-12-01T06:00:00").exit_code
        == 0
    )
    replaced = cloud.table("transactions")
    assert replaced.metadata.metadata_log[-1].metadata_file == table.metadata_location
    assert cloud.value("transactions", "select count(*) from lines where _landed_at > '2026-12-01'") == 31454
    assert cloud.value("transactions", "select count(*) from lines") == 62574


def test_other_columns_are_refused(cloud: Cloud, portmesh: Portmesh) -> None:
    before = cloud.pointers()
    result = portmesh("demo", "land", "--flaw", "wrong-type")
    assert result.exit_code == 1
    assert f"{WEEK_4} was not landed: its columns differ from those of landed.transactions." in result.err
    assert "got       sales_value VARCHAR\n" in result.err
    assert "allowed   sales_value DOUBLE, as in the batches that have already landed" in result.err
    assert (
        "next      if this is a mistake, fix the batch and land it again; if it is intended, land it as a feed"
        in result.err
    )
    assert cloud.pointers() == before
    rows = read_batch(FEEDS["coupons"], "2017-01-01").drop_columns(["campaign_id"])
    with pytest.raises(FindingsError, match="its columns differ") as error:
        cloud.lake().land(BatchName("coupons", "2017-01-01"), rows, TIME)
    assert "campaign_id missing" in str(error.value)


def test_a_flawed_first_batch_does_not_decide_the_columns(empty: Cloud, portmesh: Portmesh) -> None:
    result = portmesh("demo", "land", "--flaw", "wrong-type", "--batch", "2017-W01")
    assert result.exit_code == 2
    assert "a wrong type needs an earlier batch to differ from" in result.err
    assert "next   portmesh demo land --until 2017-W01 --flaw wrong-type" in result.err
    assert portmesh("demo", "land", "--replace", "transactions/2017-W01").exit_code == 0
    assert empty.value("transactions", "select count(*) from lines") == 3722


def test_withdrawn_batches_are_gone(cloud: Cloud, portmesh: Portmesh) -> None:
    result = portmesh("demo", "land", "--withdraw", "transactions/2017-W02")
    assert result.exit_code == 0
    assert "Removed transactions/2017-W02 from the lake." in result.out
    assert [batch.batch_id for batch in cloud.lake().batches("transactions")] == ["2017-W01", "2017-W03"]
    assert cloud.value("transactions", "select count(*) from lines") == 3722 + 27398


ASKED_OF_THE_LAKE = ["--flaw nulls --batch 2017-W02", "--withdraw transactions/2017-W09"]


@pytest.mark.parametrize("arguments", ASKED_OF_THE_LAKE)
def test_wrong_use_is_explained_and_changes_nothing(cloud: Cloud, portmesh: Portmesh, arguments: str) -> None:
    before = cloud.pointers()
    result = portmesh("demo", "land", *arguments.split())
    assert result.exit_code == 2
    for text in WRONG_USES[arguments]:
        assert text in result.err
    assert cloud.pointers() == before


# Damage


def _file_of_week_4(cloud: Cloud) -> dict[str, str]:
    files = cloud.table("transactions").inspect.data_files().to_pylist()
    (path,) = [file["file_path"] for file in files if file["partition"]["_batch_id"] == "2017-W04"]
    bucket, _, key = path.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def _lose_file(cloud: Cloud) -> None:
    cloud.client("s3").delete_object(**_file_of_week_4(cloud))


def _cut_file(cloud: Cloud) -> None:
    cloud.client("s3").put_object(**_file_of_week_4(cloud), Body=b"PAR1")


def _delete_rows(cloud: Cloud) -> None:
    cloud.table("transactions").delete("_batch_id = '2017-W04' and quantity > 1")


def _add_rows(cloud: Cloud) -> None:
    table = cloud.table("transactions")
    table.append(table.scan("_batch_id = '2017-W04'", limit=5).to_arrow())


def _put_rows_of_another_time(cloud: Cloud) -> None:
    table = cloud.table("transactions")
    rows = table.scan("_batch_id = '2017-W04'").to_arrow()
    times = pa.repeat(pa.scalar(datetime(2026, 11, 24), rows["_landed_at"].type), rows.num_rows)
    rows = rows.set_column(rows.schema.get_field_index("_landed_at"), "_landed_at", times)
    table.overwrite(rows, "_batch_id = '2017-W04'")


DAMAGES: dict[str, tuple[Callable[[Cloud], None], str]] = {
    "no file": (_lose_file, "got       no such file"),
    "cut file": (_cut_file, "got       4 bytes"),
    "rows deleted": (_delete_rows, f"allowed   {WEEK_4_ROWS:,} rows, as it landed"),
    "rows of another time": (_put_rows_of_another_time, "got       rows with the _landed_at 2026-11-24 00:00:00"),
    "rows added": (_add_rows, f"got       {WEEK_4_ROWS + 5:,} rows"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_batch_is_named_refused_and_fixed(cloud: Cloud, portmesh: Portmesh, damage: str) -> None:
    break_it, got = DAMAGES[damage]
    assert portmesh("demo", "land", "--replace", WEEK_4).exit_code == 0
    break_it(cloud)
    before = cloud.pointers()
    result = portmesh("demo", "land", "--until", "2017-W05")
    assert result.exit_code == 1
    assert result.err.startswith("1 batch in the lake is damaged, so nothing was landed.")
    assert f"batch     {WEEK_4}" in result.err
    assert got in result.err
    assert f"next      portmesh demo land --replace {WEEK_4}" in result.err
    assert cloud.pointers() == before
    assert portmesh("demo", "land", "--replace", WEEK_4).exit_code == 0
    assert cloud.value("transactions", "select count(*) from lines", "2017-W04") == WEEK_4_ROWS
    assert isinstance(dict(cloud.lake().inspect_all())[BatchName("transactions", "2017-W04")], LandedBatch)


@pytest.mark.usefixtures("cloud")
def test_a_truncated_batch_is_one_that_the_next_landing_refuses(portmesh: Portmesh) -> None:
    planted = json.loads(portmesh("demo", "land", "--flaw", "truncated", "--json").out)["planted"]
    assert planted["rows"] == WEEK_4_ROWS
    result = portmesh("demo", "land")
    assert result.exit_code == 1
    assert f"batch     {WEEK_4}" in result.err
    assert "bytes (the table's manifest)" in result.err


def test_rows_that_were_not_landed_by_portmesh_are_withdrawn(cloud: Cloud, portmesh: Portmesh) -> None:
    table = cloud.table("campaigns")
    rows = table.scan(limit=3).to_arrow()
    stray = pa.array(["2017-W77"] * 3)
    table.append(rows.set_column(rows.schema.get_field_index("_batch_id"), "_batch_id", stray))
    result = portmesh("demo", "land", "--until", "2017-W03")
    assert result.exit_code == 1
    assert "got       rows that `portmesh land` did not land" in result.err
    assert portmesh(*["demo", "land", "--withdraw", "campaigns/2017-W77"]).exit_code == 0
    assert portmesh("demo", "land", "--until", "2017-W03").exit_code == 0


# Broken landings


def test_a_killed_landing_leaves_whole_batches_and_is_resumed(empty: Cloud, portmesh: Portmesh) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "portmesh", "demo", "land"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 120
    lake = empty.lake()
    while len(lake.batches("transactions")) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    found = dict(lake.inspect_all())
    assert 2 <= len(found) < 59
    assert all(isinstance(batch, LandedBatch) for batch in found.values())
    assert portmesh("demo", "land", "--until", "2017-W02").exit_code == 0
    assert BatchName("demographics", "2017-01-01") in dict(lake.inspect_all())


def test_what_fails_before_its_commit_is_not_there(
    cloud: Cloud, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **_more: object) -> None:
        raise OSError("When uploading part: AWS Error SLOW_DOWN during UploadPart operation: Please reduce your rate")

    before = cloud.pointers()
    with monkeypatch.context() as patch:
        patch.setattr(GlueCatalog, "commit_table", refuse)
        result = portmesh("demo", "land", "--replace", WEEK_4)
    assert result.exit_code == 2
    assert "AWS is busy and rejected the request." in result.err
    assert cloud.pointers() == before
    assert portmesh("demo", "land", "--replace", WEEK_4).exit_code == 0
    assert cloud.value("transactions", "select count(*) from lines") == 62574 + WEEK_4_ROWS


def test_two_landings_of_one_batch_land_it_once(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    name, rows = BatchName("transactions", "2017-W04"), read_batch(FEEDS["transactions"], "2017-W04")
    lake = cloud.lake()
    seen = lake._find_table("transactions")
    with monkeypatch.context() as patch:
        # This landing began before the other one landed.
        patch.setattr(lake, "_find_table", lambda _: seen)
        cloud.lake().land(name, rows, TIME)
        with pytest.raises(UsageError, match="Another landing is changing the same batch"), lake.landing():
            lake.land(name, rows, TIME)
    assert cloud.value("transactions", "select count(*) from lines") == 62574 + WEEK_4_ROWS


def test_two_landings_of_two_batches_land_both(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (BatchName("transactions", week) for week in ("2017-W04", "2017-W05"))
    lake = cloud.lake()
    seen = lake._find_table("transactions")
    with monkeypatch.context() as patch:
        patch.setattr(lake, "_find_table", lambda _: seen)
        cloud.lake().land(one, read_batch(FEEDS["transactions"], one.batch_id), TIME)
        lake.land(other, read_batch(FEEDS["transactions"], other.batch_id), TIME)
    found = dict(lake.inspect_all())
    assert isinstance(found[one], LandedBatch)
    assert isinstance(found[other], LandedBatch)


# What AWS refuses


@pytest.mark.usefixtures("empty")
def test_a_bucket_that_does_not_exist(portmesh: Portmesh) -> None:
    result = portmesh("demo", "land", "--lake", "s3://no-such-bucket")
    assert result.exit_code == 2
    assert "The lake's bucket does not exist." in result.err
    assert "next     name another: --lake s3://BUCKET, or set PORTMESH_S3_LAKE" in result.err


@pytest.mark.usefixtures("empty")
def test_no_credentials(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    result = portmesh("demo", "land")
    assert result.exit_code == 2
    assert "No AWS credentials were found." in result.err
    assert "next     set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE" in result.err


@pytest.mark.usefixtures("cloud")
def test_no_answer(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    result = portmesh("demo", "land")
    assert result.exit_code == 2
    assert "AWS cannot be reached." in result.err
    assert "http://127.0.0.1:9" in result.err


@pytest.fixture
def guarded(empty: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A cloud that checks rights. Call it with the actions that its only user may not do."""

    def deny(*actions: str) -> None:
        iam = empty.client("iam")
        user = f"ana-{uuid.uuid4()}"
        iam.create_user(UserName=user)
        statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        if actions:
            statements.append({"Effect": "Deny", "Action": list(actions), "Resource": "*"})  # type: ignore[dict-item]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=user, PolicyName="rights", PolicyDocument=policy)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        _post(f"{empty.url}/moto-api/reset-auth", "0")

    yield deny
    _post(f"{empty.url}/moto-api/reset-auth", "inf")


def test_a_bucket_that_is_read_only(guarded: Callable[..., None], portmesh: Portmesh, empty: Cloud) -> None:
    guarded("s3:PutObject")
    result = portmesh("demo", "land", "--until", "2017-W01")
    assert result.exit_code == 2
    assert "AWS does not allow this with your credentials." in result.err
    assert "AWS Error ACCESS_DENIED during" in result.err
    assert "next     ask for access to the lake's bucket and its databases in Glue" in result.err
    assert empty.pointers() == {}


# moto does not check rights in Glue, and never throttles.
ANSWERS = {
    "AccessDeniedException": "AWS does not allow this with your credentials.",
    "ExpiredTokenException": "AWS rejected the credentials.",
    "ThrottlingException": "AWS is busy and rejected the request.",
    "InternalServiceException": "AWS refused the request.",
}


@pytest.mark.parametrize("code", ANSWERS)
def test_what_glue_refuses_is_explained(
    cloud: Cloud, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(*_: object, **_more: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "No."}}, "UpdateTable")

    before = cloud.pointers()
    monkeypatch.setattr(GlueCatalog, "_update_glue_table", refuse)
    result = portmesh("demo", "land", "--replace", WEEK_4)
    assert result.exit_code == 2
    assert result.err.startswith(ANSWERS[code])
    assert f"got      An error occurred ({code}) when calling the UpdateTable operation: No." in result.err
    assert cloud.pointers() == before


def test_credentials_that_are_not_accepted(
    guarded: Callable[..., None], portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded()
    assert portmesh("demo", "land", "--flaw", "empty", "--batch", "2017-W01").exit_code == 0
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    result = portmesh("demo", "land", "--until", "2017-W01")
    assert result.exit_code == 2
    assert "AWS rejected the credentials." in result.err
    assert "next     renew them: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE" in result.err


def test_a_table_of_another_kind(empty: Cloud, portmesh: Portmesh) -> None:
    glue = empty.client("glue")
    glue.create_database(DatabaseInput={"Name": "landed"})
    glue.create_table(DatabaseName="landed", TableInput={"Name": "transactions", "Parameters": {"table_type": "HIVE"}})
    result = portmesh("demo", "land", "--until", "2017-W01")
    assert result.exit_code == 2
    assert "landed.transactions is not an Iceberg table, so nothing can land in it." in result.err


# Which lake a target reads

LAKES = {
    ("emr", "here"): "s3://BUCKET or s3://BUCKET/PREFIX, on the targets emr and athena",
    ("athena", "s3://"): "s3://BUCKET or s3://BUCKET/PREFIX, on the targets emr and athena",
    ("local", "s3://portmesh-lake"): "a folder, on the target local",
}


@pytest.mark.parametrize(("target", "lake_given"), LAKES)
def test_a_lake_that_the_target_cannot_read(portmesh: Portmesh, target: str, lake_given: str) -> None:
    result = portmesh("demo", "land", "--target", target, "--lake", lake_given)
    assert result.exit_code == 2
    assert f"got       {lake_given}" in result.err
    assert LAKES[target, lake_given] in result.err


def test_an_unknown_target(portmesh: Portmesh) -> None:
    result = portmesh("demo", "land", "--target", "emrr")
    assert result.exit_code == 2
    assert "There is no target 'emrr'. Did you mean emr?" in result.err


@pytest.mark.usefixtures("cloud")
def test_the_lake_of_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_lake().location == "s3://portmesh-lake/landed"
    assert open_lake("athena", "s3://other/prefix/").location == "s3://other/prefix/landed"
    assert open_lake("local", str(tmp_path)) == FolderLake(tmp_path)
    monkeypatch.delenv("PORTMESH_S3_LAKE")
    assert open_lake("athena").location == "s3://portmesh-lake/landed"
    monkeypatch.delenv("PORTMESH_TARGET")
    monkeypatch.setenv("PORTMESH_LAKE", str(tmp_path))
    assert open_lake() == FolderLake(tmp_path)
