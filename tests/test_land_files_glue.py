"""`portmesh land SOURCE.TABLE FILE…` on the targets emr and athena: Iceberg tables in Glue and S3, made by moto."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.glue import GlueCatalog

from portmesh.errors import FindingsError, UsageError
from portmesh.lake.contract import LandedTable, read_contract
from portmesh.lake.glue import GlueLake, LandedBatch
from portmesh.lake.land_files import Request, land, withdraw
from tests.cloud import moto
from tests.mesh import REPOSITORY

pytestmark = pytest.mark.thorough

REGION = "eu-central-1"
COLUMNS = {"order_id": "bigint", "stock": "smallint", "sales_value": "decimal(10,2)", "sold_at": "timestamp"}
HEADER = "order_id,stock,sales_value,sold_at\n"
LONG = "a-batch-whose-name-is-longer-than-a-statistic"


def table(columns: dict[str, str] | None = None, **landing: Any) -> LandedTable:
    listed = [{"name": name, "data_type": kind} for name, kind in (columns or COLUMNS).items()]
    return read_contract("shop", "orders", "shop__orders", "shop.yml", {"format": "csv"} | landing, listed)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of moto."""
    with moto(AWS_REGION=REGION) as address:
        yield address


@pytest.fixture
def lake(url: str) -> GlueLake:
    """A lake in which nothing has landed."""
    glue = boto3.client("glue", region_name=REGION)
    for database in glue.get_databases()["DatabaseList"]:
        glue.delete_database(Name=database["Name"])
    bucket = f"lake-{uuid.uuid4()}"
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    assert url
    return GlueLake(f"s3://{bucket}", REGION)


@pytest.fixture
def land_text(lake: GlueLake, tmp_path: Path) -> Callable[..., Any]:
    """Lands a text as a batch."""

    def land_one(text: str, batch: str = "1", wanted: LandedTable | None = None, replace: bool = False) -> Any:
        file = tmp_path / "orders.csv"
        file.write_text(text)
        return land(lake, wanted or table(), Request([file], batch, replace))

    return land_one


def rows(lake: GlueLake, *columns: str, feed: str = "shop__orders") -> list[tuple[Any, ...]]:
    found = lake._find_table(feed)
    assert found is not None
    read = found.scan(selected_fields=columns or ("*",)).to_arrow()
    return sorted(tuple(row.values()) for row in read.to_pylist())


def test_a_batch_is_one_file_in_its_partition_and_its_promise(lake: GlueLake, land_text: Callable[..., Any]) -> None:
    landed = land_text(HEADER + "1,2,12.50,2026-11-23T06:00\n2,3,1.00,\n", LONG)
    assert (landed.batch, landed.rows) == (f"shop__orders/{LONG}", 2)
    found = lake._find_table("shop__orders")
    assert found is not None
    (file,) = found.inspect.data_files().to_pylist()
    assert file["partition"] == {"_batch_id": LONG}
    assert (file["record_count"], file["file_size_in_bytes"]) == (2, landed.bytes)
    types = {field.name: str(field.field_type) for field in found.schema().fields}
    assert types == {
        "order_id": "long", "stock": "int", "sales_value": "decimal(10, 2)", "sold_at": "timestamp",
        "_batch_id": "string", "_landed_at": "timestamp",
    }  # fmt: skip
    assert rows(lake, "order_id", "stock", "_batch_id") == [(1, 2, LONG), (2, 3, LONG)]
    # Engines find the columns by their ids in the file, as in files that they write.
    assert "schema.name-mapping.default" not in found.properties
    with found.io.new_input(file["file_path"]).open() as stream:
        in_file = {field.name: int(field.metadata[b"PARQUET:field_id"]) for field in pq.read_schema(stream)}
    assert in_file == {field.name: field.field_id for field in found.schema().fields}
    promise = json.loads(found.properties[f"portmesh.batch.{LONG}"])
    assert (promise["rows"], promise["files"][0]["name"], promise["files"][0]["rows"]) == (2, "orders.csv", 2)
    assert [type(batch) for _, batch in lake.inspect_all()] == [LandedBatch]


def test_a_batch_is_replaced_withdrawn_and_may_be_empty(lake: GlueLake, land_text: Callable[..., Any]) -> None:
    land_text(HEADER + "1,2,12.50,\n", "1")
    land_text(HEADER + "2,2,12.50,\n", "2")
    with pytest.raises(UsageError, match="shop__orders/1 has already landed"):
        land_text(HEADER, "1")
    assert land_text(HEADER + "7,2,12.50,\n", "1", replace=True).replaced
    assert rows(lake, "order_id", "_batch_id") == [(2, "2"), (7, "1")]
    land_text(HEADER, "3")
    assert [batch.batch_id for batch in lake.batches("shop__orders")] == ["1", "2", "3"]
    withdraw(lake, table(), "1")
    assert rows(lake, "order_id") == [(2,)]
    assert all(isinstance(batch, LandedBatch) for _, batch in lake.inspect_all())


def test_rejected_rows_land_beside_the_batch(lake: GlueLake, land_text: Callable[..., Any]) -> None:
    wanted = table(bad_rows="set_aside")
    with pytest.raises(FindingsError, match="1 of 2 rows cannot be read"):
        land_text(HEADER + "1,2,x,\n2,2,1.00,\n")
    assert lake.feeds() == []
    landed = land_text(HEADER + "1,2,x,\n2,2,1.00,\n", wanted=wanted)
    assert (landed.rows, landed.rejected) == (1, 1)
    assert rows(lake, "line", "reason", "_batch_id", feed="shop__orders__rejected") == [
        (2, "sales_value: 'x' is not decimal(10,2)", "1")
    ]
    land_text(HEADER + "1,2,3,\n", wanted=table(), replace=True)
    assert rows(lake, feed="shop__orders__rejected") == []
    land_text(HEADER + "1,2,x,\n2,2,1.00,\n", "2", wanted=wanted)
    withdraw(lake, wanted, "2")
    assert rows(lake, feed="shop__orders__rejected") == []
    assert [batch.batch_id for batch in lake.batches("shop__orders")] == ["1"]


def test_a_new_column_is_null_in_earlier_batches(lake: GlueLake, land_text: Callable[..., Any]) -> None:
    land_text(HEADER + "1,2,12.50,\n", "1")
    more = table(COLUMNS | {"channel": "string"})
    land_text("channel," + HEADER + "web,2,2,12.50,\n", "2", wanted=more)
    assert rows(lake, "order_id", "channel") == [(1, None), (2, "web")]
    for wanted, said in (
        (table(), "channel missing"),
        (table(COLUMNS | {"channel": "string", "stock": "double"}), "stock DOUBLE"),
    ):
        with pytest.raises(FindingsError, match="differ from those of the batches that have landed") as refused:
            land_text(HEADER, "3", wanted=wanted)
        assert said in str(refused.value)


def test_a_commit_that_fails_lands_nothing(
    lake: GlueLake, land_text: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    land_text(HEADER + "1,2,12.50,\n", "1")

    def refuse(*_: object, **_more: object) -> None:
        raise OSError("no")

    with monkeypatch.context() as patch:
        patch.setattr(GlueCatalog, "commit_table", refuse)
        with pytest.raises(UsageError, match="AWS refused the request"):
            land_text(HEADER + "2,2,12.50,\n", "1", replace=True)
    assert rows(lake, "order_id") == [(1,)]
    land_text(HEADER + "2,2,12.50,\n", "1", replace=True)
    assert rows(lake, "order_id") == [(2,)]


def test_two_landings_of_one_batch_land_it_once(
    lake: GlueLake, land_text: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    land_text(HEADER + "1,2,12.50,\n", "0")
    seen = lake._find_table("shop__orders")
    other = tmp_path / "other.csv"
    other.write_text(HEADER + "9,2,12.50,\n")
    with monkeypatch.context() as patch:
        # This landing began before the other one landed.
        patch.setattr(lake, "_find_table", lambda feed: seen if feed == "shop__orders" else None)
        land(GlueLake(lake.location.removesuffix("/landed"), REGION), table(), Request([other], "1"))
        with pytest.raises(UsageError, match="Another landing is changing the same batch"):
            land_text(HEADER + "2,2,12.50,\n", "1")
    assert rows(lake, "order_id") == [(1,), (9,)]


KILLER = """
import os, signal, sys
from pathlib import Path
from portmesh.lake import glue, lake
from portmesh.lake.land_files import Request, land
from tests.test_land_files_glue import REGION, table
name, address, file = sys.argv[1:4]
owner, _, method = name.partition(".")
owner = {"Staged": lake.Staged, "GlueLake": glue.GlueLake, "Catalog": glue.GlueCatalog}[owner]
def die(*_, **_more):
    os.kill(os.getpid(), signal.SIGKILL)
opened = glue.GlueLake(address, REGION)
if name == "Upload.after":
    real = opened._s3.upload_file
    opened._s3.upload_file = lambda *given, **more: (real(*given, **more), die())
else:
    setattr(owner, method, die)
land(opened, table(), Request([Path(file)], "1", True))
""".replace("owner = {", 'owner = {"Upload": None, ')


@pytest.mark.parametrize("place", ["Staged.write", "GlueLake.publish", "Upload.after", "Catalog.commit_table"])
@pytest.mark.ci_cases(1)
def test_a_killed_replacement_leaves_the_batch_as_it_was(
    lake: GlueLake, land_text: Callable[..., Any], tmp_path: Path, place: str
) -> None:
    land_text(HEADER + "1,2,12.50,\n")
    file = tmp_path / "new.csv"
    file.write_text(HEADER + "2,2,12.50,\n")
    killed = subprocess.run(
        [sys.executable, "-c", KILLER, place, lake.location.removesuffix("/landed"), str(file)],
        cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"}, check=False,
        capture_output=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert rows(lake, "order_id") == [(1,)]
    assert all(isinstance(batch, LandedBatch) for _, batch in lake.inspect_all())
    land_text(HEADER + "2,2,12.50,\n", replace=True)
    assert rows(lake, "order_id") == [(2,)]


def test_a_batch_of_today_is_named_after_its_day(lake: GlueLake, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(HEADER)
    landed = land(lake, table(), Request([file]))
    assert landed.batch == f"shop__orders/{landed.landed_at:%Y-%m-%d}"
    assert abs(datetime.now(UTC) - landed.landed_at).days == 0
