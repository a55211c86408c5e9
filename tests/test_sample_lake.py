"""`portmesh sample` of feeds that land in a lake, and of Iceberg tables in Glue, which moto provides."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from portmesh.lake.batches import BatchName
from portmesh.lake.folder import FolderLake
from portmesh.lake.glue import GlueLake, open_catalog
from portmesh.lake.lake import Lake
from tests.cloud import moto
from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import Portmesh

pytestmark = pytest.mark.thorough

LINES = """
{{ config(unique_key='_batch_id') }}
select line_id, household_id, note, _batch_id, _landed_at
from {{ source('till', 'lines') }}
{% if is_incremental() %}where _batch_id not in (select _batch_id from {{ this }}){% endif %}
"""
COLUMNS = """
- {name: line_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- {name: household_id, data_type: bigint, description: Who bought., data_tests: [not_null]}
- name: note
  data_type: string
  description: What was said.
  config: {meta: {level: restricted}}
  data_tests: [{matches_pattern: {arguments: {pattern: " "}}}]
- {name: _batch_id, data_type: string, description: The batch.}
- {name: _landed_at, data_type: timestamp, description: When it landed.}
"""
HOUSEHOLDS = (
    "select household_id, count(*) as lines, max(_landed_at) as _landed_at from {{ ref('tills', 'lines') }} group by 1"
)
HOUSEHOLD_COLUMNS = """
- {name: household_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- {name: lines, data_type: bigint, description: A number., data_tests: [{accepted_range: {arguments: {min_value: 1}}}]}
- {name: _landed_at, data_type: timestamp, description: When it landed.}
"""
SOURCES = """
sources:
  - name: till
    schema: landed
    config:
      meta: {classification: internal, external_location: "landed('{identifier}')"}
    tables:
      - name: lines
        identifier: till__lines
        columns:
          - {name: note, config: {meta: {level: restricted}}}
"""
BATCHES = ("2026-11-23", "2026-11-24", "2026-11-25")
PER_BATCH = 4_000
FRESH = "freshness: {column: _landed_at, warn_after: {count: 900, period: day}}"


def rows_of(day: int) -> pa.Table:
    """Each household buys once in each batch."""
    numbers = range(day * PER_BATCH, (day + 1) * PER_BATCH)
    households = [number % PER_BATCH for number in numbers]
    notes = [f"Whisper {number}" for number in numbers]
    return pa.table({"line_id": list(numbers), "household_id": households, "note": notes})


def landed_at(day: int) -> datetime:
    return datetime(2026, 11, 23, 6, tzinfo=UTC) + timedelta(days=day)


def land_all(lake: Lake) -> None:
    with lake.landing():
        for day, batch in enumerate(BATCHES):
            lake.land(BatchName("till__lines", batch), rows_of(day), landed_at(day))


@pytest.fixture
def mesh_of_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """A mesh whose domain tills reads a feed, and whose domain desk reads its port. Nothing is landed or built."""
    mesh = Mesh(tmp_path / "mesh")
    hooks = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())["on-run-start"]
    mesh.set_up("tills", "desk", root={"on-run-start": hooks}, sources=())
    mesh.remove("domains/tills/models/staging/_sources.yml")
    mesh.write("domains/tills/models/staging/_till__sources.yml", SOURCES)
    subject = "subject: {entity: customer, key: household_id}"
    consumers = "consumers: [{name: desk, purpose: Numbers.}]"
    mesh.port("tills/lines", LINES, COLUMNS, meta=f"{consumers}\n{subject}")
    mesh.port("desk/households", HOUSEHOLDS, HOUSEHOLD_COLUMNS, meta=subject)
    for port in ("tills/models/output_ports/lines", "desk/models/output_ports/households"):
        path = mesh.folder / f"domains/{port}.yml"
        path.write_text(path.read_text().replace("column: landed_at", "column: _landed_at"))
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    monkeypatch.setenv("PORTMESH_LAKE", str(tmp_path / "lake"))
    return mesh


@pytest.fixture
def from_file(mesh_of_batches: Mesh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mesh:
    """Production is a DuckDB file with a lake of its own."""
    with monkeypatch.context() as patch:
        patch.setenv("PORTMESH_LAKE", str(tmp_path / "production lake"))
        land_all(FolderLake(tmp_path / "production lake"))
        built = mesh_of_batches.dbt("build", "--select", "package:tills")
        assert built.ok, built.output
    shutil.move(mesh_of_batches.database, mesh_of_batches.folder / "production.duckdb")
    return mesh_of_batches


def test_a_feed_becomes_batches_with_the_same_ids_and_times(
    from_file: Mesh, portmesh: Portmesh, tmp_path: Path
) -> None:
    done = portmesh("sample", "tills", "--from", "production.duckdb", "--share", "5%", "--yes")
    assert done.exit_code == 0, done.out + done.err
    assert "12,000 rows" in done.out
    assert "masks note" in done.out
    lake = FolderLake(tmp_path / "lake")
    found = dict(lake.inspect_feed("till__lines"))
    assert [batch.batch_id for batch in found] == list(BATCHES)
    assert [lake.read_manifest(batch).landed_at for batch in found] == [landed_at(day) for day in range(3)]
    households = [set(pq.read_table(lake.path(batch) / "data.parquet")["household_id"].to_pylist()) for batch in found]
    assert households[0] == households[1] == households[2]
    assert 120 < len(households[0]) < 280
    content = b"".join(file.read_bytes() for file in (tmp_path / "lake").rglob("*") if file.is_file())
    assert b"Whisper" not in content
    built = from_file.dbt("build", "--select", "package:tills")
    assert built.ok, built.output
    assert from_file.value("select count(*) from tills.lines") == 3 * len(households[0])
    lake.withdraw(BatchName("till__lines", BATCHES[2]))


@pytest.mark.nightly
def test_the_next_sample_replaces_a_feed_and_an_interrupted_one_does_not(
    from_file: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = ("sample", "tills", "--from", "production.duckdb", "--yes", "--share")
    assert portmesh(*options, "5%").exit_code == 0
    lake = FolderLake(tmp_path / "lake")
    before = {batch: lake.read_manifest(batch) for batch in lake.batches("till__lines")}
    (tmp_path / "lake/other").mkdir()
    rename = Path.rename

    def stopped(source: Path, target: Path) -> Path:
        if source.name == "till__lines" and "sample" in source.parts:
            raise KeyboardInterrupt
        return rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stopped)
        assert portmesh(*options, "10%").exit_code == 130
    assert {batch: lake.read_manifest(batch) for batch in lake.batches("till__lines")} == before
    # A sample for another domain takes this one's place.
    assert "replaces     the earlier sample: the feed till__lines" in portmesh(*options, "10%", "--dry-run").out
    assert portmesh("sample", "desk", "--from", "production.duckdb", "--yes").exit_code == 0
    assert lake.feeds() == ["other"]
    assert from_file.value("select count(*) from tills.lines") > 50
    built = from_file.dbt("build", "--select", "package:desk")
    assert built.ok, built.output


@pytest.mark.usefixtures("from_file")
def test_a_landed_batch_is_never_replaced(portmesh: Portmesh, tmp_path: Path) -> None:
    assert portmesh("sample", "tills", "--from", "production.duckdb", "--yes").exit_code == 0
    lake = FolderLake(tmp_path / "lake")
    with lake.landing():
        lake.land(BatchName("till__lines", "mine"), rows_of(0), landed_at(0))
    # Not even by a sample for a domain that does not read it.
    for domain, label in (("tills", "till.lines"), ("desk", "till__lines")):
        done = portmesh("sample", domain, "--from", "production.duckdb", "--yes")
        assert done.exit_code == 1
        assert f"{label} landed batches mine, in {tmp_path}/lake/till__lines" in " ".join(done.err.split())
    assert [batch.batch_id for batch in lake.batches("till__lines")][-1] == "mine"


def test_a_damaged_batch_is_not_sampled(from_file: Mesh, portmesh: Portmesh, tmp_path: Path) -> None:
    data = tmp_path / "production lake/till__lines" / BATCHES[1] / "data.parquet"
    data.write_bytes(data.read_bytes().replace(b"PAR1", b"PAR2", 1))
    done = portmesh("sample", "tills", "--from", "production.duckdb", "--yes")
    assert done.exit_code == 1
    assert f"till__lines/{BATCHES[1]} in production's lake is damaged, so nothing was sampled." in done.err
    assert not from_file.database.exists()


@pytest.mark.usefixtures("from_file")
def test_the_same_lake_stays_as_it_is(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTMESH_LAKE", str(tmp_path / "production lake"))
    done = portmesh("sample", "tills", "--from", "production.duckdb", "--dry-run")
    assert f"till.lines   stays where it is: the lake {tmp_path}/production lake" in done.out


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """A bucket in moto, which the environment names."""
    bucket = f"lake-{uuid.uuid4()}"
    with moto(AWS_REGION="eu-central-1", PORTMESH_S3_LAKE=f"s3://{bucket}") as address:
        client = boto3.Session(region_name="eu-central-1").client("s3", endpoint_url=address)
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        land_all(GlueLake(f"s3://{bucket}", "eu-central-1"))
        catalog = open_catalog("eu-central-1")
        catalog.create_namespace("tills", {"location": f"s3://{bucket}/tills"})
        at = pa.array([landed_at(2).replace(tzinfo=None)] * PER_BATCH, pa.timestamp("us"))
        port_rows = rows_of(0).append_column("_batch_id", pa.array(["x"] * PER_BATCH)).append_column("_landed_at", at)
        table = catalog.create_table(("tills", "lines"), port_rows.schema, location=f"s3://{bucket}/tills/lines")
        table.append(port_rows)
        yield bucket


def test_a_feed_in_glue_becomes_batches(cloud: str, mesh_of_batches: Mesh, portmesh: Portmesh, tmp_path: Path) -> None:
    done = portmesh("sample", "tills", "--share", "5%", "--yes")
    assert done.exit_code == 0, done.out + done.err
    assert "from 1 table in Glue and S3, region eu-central-1." in done.out
    assert ", for up to 0.01 USD if this computer is outside AWS. No engine runs." in done.out
    lake = FolderLake(tmp_path / "lake")
    assert [batch.batch_id for batch in lake.batches("till__lines")] == list(BATCHES)
    content = b"".join(file.read_bytes() for file in (tmp_path / "lake").rglob("*") if file.is_file())
    assert b"Whisper" not in content
    built = mesh_of_batches.dbt("build", "--select", "package:tills")
    assert built.ok, built.output
    assert mesh_of_batches.value("select count(*) from tills.lines") > 300
    assert cloud


def test_a_port_in_glue_becomes_a_table(cloud: str, mesh_of_batches: Mesh, portmesh: Portmesh) -> None:
    done = portmesh("sample", "desk", "--from", "athena", "--share", "5%", "--yes", "--json")
    assert done.exit_code == 0, done.out + done.err
    facts = json.loads(done.out)
    (table,) = facts["tables"]
    assert (table["rows"], table["masked"]) == (PER_BATCH, {"note": "value"})
    assert 0 < facts["cost_usd_at_most"] < 0.01 or facts["bytes"] < 100_000
    built = mesh_of_batches.dbt("build", "--select", "package:desk")
    assert built.ok, built.output
    assert mesh_of_batches.value("select count(*) from desk.households") == table["written"]
    assert mesh_of_batches.value("select count(*) from tills.lines where note like 'Whisper%'") == 0
    assert cloud


def test_what_glue_lacks_or_refuses_is_said(
    cloud: str, mesh_of_batches: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    done = portmesh("sample", "desk", "--from", "emr", "--yes")
    assert done.exit_code == 1
    assert "tills.lines (tills.lines)" in done.err
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    unreachable = portmesh("sample", "desk", "--from", "emr", "--yes")
    assert unreachable.exit_code == 2
    assert "AWS cannot be reached." in unreachable.err
    assert not mesh_of_batches.database.exists()
    assert cloud
