"""Whatever fails on Spark or Athena, consumers read a complete version, and the next run needs no repair."""

from __future__ import annotations

import json
import os
import signal
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.engine import INTERNAL
from tests.faults import add_fault, build_in_another_process, clear_faults, just_before
from tests.mesh import Mesh, Outcome
from tests.portmesh_call import Portmesh, captured
from tests.rig_client import Rig
from tests.test_increments import AT_LEAST_ONE, SALES, land, last_attempt, publish_first_batch
from tests.test_increments import COLUMNS as COLUMNS_OF_SALES
from tests.test_output_port import COLUMNS, EXEMPT, LINES, good

pytestmark = pytest.mark.engines("emr", "athena")

OTHER_ENGINE = {"emr": "athena", "athena": "emr"}
PUBLISHES = {"emr": "fast_forward", "athena": "updatetable"}


@pytest.fixture
def shop(shop: Mesh) -> Iterator[Mesh]:
    """The port shop.lines with 100 rows published, and 120 rows landed since."""
    built = shop.dbt("build")
    assert built.ok, built.output
    shop.land("lines", good(120))
    yield shop
    clear_faults()


@pytest.fixture
def portmesh(shop: Mesh, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Portmesh:
    """Calls `portmesh` in this process, in the mesh of the test."""
    monkeypatch.chdir(shop.folder)
    return captured(capsys)


def rows_published(mesh: Mesh) -> int:
    return int(mesh.value("select count(*) from shop.lines"))


def assert_explained(broken: Outcome, *sentences: str) -> None:
    assert not broken.ok
    for sentence in sentences:
        assert sentence in broken.output, broken.output


# Faults of AWS


STEPS = {
    "write": {"emr": "insert overwrite", "athena": "with (table_type"},
    "audit": {"emr": "as place", "athena": "as place"},
    "publish": {"emr": "fast_forward", "athena": "'databasename': 'shop', 'tableinput'"},
    "record": {"emr": "insert into portmesh.publications__shop", "athena": '"portmesh"."publications__shop" ('},
}
NOT_PUBLISHED = ("shop.lines was not published: the run failed. Consumers ",)
# If the engine still answers, the message says what consumers read; otherwise it says that this is unknown.
MEANINGS = {
    "write": NOT_PUBLISHED,
    "audit": NOT_PUBLISHED,
    "publish": (*NOT_PUBLISHED, "shop.lines may have been published: the run failed in that step. Consumers "),
    "record": ("shop.lines was published, but the run failed afterwards. Consumers ",),
}
READ_ONLY = {
    "service": "s3",
    "operation": "PutObject",
    "code": "AccessDenied",
    "message": "Access Denied",
    "status": 403,
}
EXPIRED = {"code": "ExpiredTokenException", "message": "The security token included in the request is expired"}
THROTTLED = {"code": "ThrottlingException", "message": "Rate exceeded"}
DENIED = {"code": "AccessDeniedException", "message": "User is not authorized to perform: glue:UpdateTable"}
TIMED_OUT = {
    "service": "s3",
    "operation": "PutObject",
    "code": "RequestTimeout",
    "message": "Your socket connection to the server was not read from or written to within the timeout period.",
    "status": 400,
}
CANCELLED = {"service": "athena", "operation": "Query", "code": "CANCELLED", "message": "Query cancelled"}
FAULTS = {
    "emr": [
        ("write", READ_ONLY, "read-only bucket"),
        ("write", TIMED_OUT, "the engine or AWS took too long to answer"),
        ("write", EXPIRED | {"service": "glue"}, "the AWS credentials have expired"),
        ("publish", DENIED | {"service": "glue", "operation": "UpdateTable"}, "a database of another owner"),
        ("publish", THROTTLED | {"service": "glue"}, "AWS limits the number of calls"),
        ("record", READ_ONLY, "read-only bucket"),
    ],
    "athena": [
        ("write", READ_ONLY, "the bucket is full or read-only"),
        ("write", TIMED_OUT, "or S3 answered too late"),
        ("write", CANCELLED, "the query was cancelled"),
        ("audit", THROTTLED | {"service": "athena"}, "AWS limits the number of calls"),
        ("audit", EXPIRED | {"service": "athena"}, "the AWS credentials have expired"),
        ("audit", CANCELLED, "the query was cancelled"),
        ("publish", DENIED | {"service": "glue", "operation": "UpdateTable"}, "a database of another owner"),
        ("publish", THROTTLED | {"service": "glue", "operation": "UpdateTable"}, "AWS limits the number of calls"),
        ("record", CANCELLED, "the query was cancelled"),
    ],
}


def test_lasting_faults_at_each_step(shop: Mesh) -> None:
    """Several failed runs in a row, without a successful run between them."""
    for step, fault, cause in FAULTS[shop.target]:
        with just_before(STEPS[step][shop.target], lambda fault=fault: add_fault(**fault)) as met:
            broken = shop.dbt("build")
        clear_faults()
        assert met, step
        assert_explained(broken, f"  step    {step}", cause, "nothing needs repair")
        assert any(meaning in broken.output for meaning in MEANINGS[step]), broken.output
        assert rows_published(shop) == (120 if step == "record" else 100), (step, cause)

    again = shop.dbt("build")

    assert again.ok, again.output
    assert rows_published(shop) == 120
    assert shop.engine.candidates("shop.lines") != [] or shop.target == "emr"


SHORT = [
    THROTTLED | {"service": "glue", "times": 2},
    THROTTLED | {"service": "athena", "times": 2},
    {"service": "s3", "code": "SlowDown", "status": 503, "times": 1},
]


def test_a_short_throttling_passes_unnoticed(shop: Mesh) -> None:
    def begin() -> None:
        for fault in SHORT:
            add_fault(**fault)

    for step in STEPS.values():
        with just_before(step[shop.target], begin) as met:
            built = shop.dbt("build")
        clear_faults()
        assert met
        assert built.ok, built.output

    assert rows_published(shop) == 120


def test_an_engine_that_is_not_up(shop: Mesh, monkeypatch: pytest.MonkeyPatch, portmesh: Portmesh) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PORTMESH_SPARK_PORT", "1")
        if shop.target == "athena":
            patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        broken, status = shop.dbt("build"), portmesh("status")

    assert_explained(broken, "failed to connect" if shop.target == "emr" else "Could not connect to the endpoint URL")
    assert status.exit_code == 2
    assert f"{'AWS' if shop.target == 'athena' else 'The engine'} cannot be reached." in status.err
    assert rows_published(shop) == 100


@pytest.mark.engines("athena")
def test_missing_credentials(shop: Mesh, monkeypatch: pytest.MonkeyPatch, portmesh: Portmesh) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        patch.delenv("AWS_SECRET_ACCESS_KEY")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        broken, status = shop.dbt("build"), portmesh("status")

    assert_explained(broken, "Unable to locate credentials")
    assert status.exit_code == 2
    assert "No AWS credentials were found." in status.err
    assert rows_published(shop) == 100


STAGED = "select * from {{ source('raw', 'lines') }}"


@pytest.mark.writes_json
def test_a_failure_before_a_port_is_reported_once_and_retried(shop: Mesh) -> None:
    for name in ("staged_lines", "staged_twice"):
        shop.write(f"domains/shop/models/staging/{name}.sql", STAGED)
    sql = LINES.replace("source('raw', 'lines')", "ref('staged_lines')") + "-- depends_on: {{ ref('staged_twice') }}"
    shop.port("shop/lines", sql, COLUMNS, meta=EXEMPT)
    service = "glue" if shop.target == "emr" else "athena"
    with just_before("staged_", lambda: add_fault(**EXPIRED, service=service)) as met:
        broken = shop.dbt("build")
    clear_faults()

    assert met
    assert_explained(broken, "The run could not use its engine.", "  failed  staged_")
    assert broken.output.count("  cause   the AWS credentials have expired, are missing or are wrong\n") == 1
    assert "  next    sign in again (on EMR: give the cluster its role), then: dbt retry" in broken.output
    assert rows_published(shop) == 100
    again = shop.dbt("retry")
    assert again.ok, again.output
    assert rows_published(shop) == 120


@pytest.mark.parametrize("step", ["audit", "publish"])
def test_a_server_that_is_killed_while_a_port_is_built(shop: Mesh, step: str) -> None:
    """dbt-athena calls Athena's API, which keeps answering when the engine has ended; only the query fails."""
    rig = Rig.in_use()
    with just_before(STEPS[step][shop.target], lambda: os.kill(rig.pid(shop.target), signal.SIGKILL)) as met:
        broken = shop.dbt("build")
    rig.command("restart", shop.target)

    assert met
    if shop.target == "athena" and step == "publish":
        # The port was switched in Glue, but the records could not be written.
        assert_explained(broken, "shop.lines was published, but the run failed afterwards.")
        assert rows_published(shop) == 120
    else:
        assert_explained(broken, f"  step    {step}", "  cause   the engine or AWS could not be reached")
        assert rows_published(shop) == 100
    assert shop.dbt("build").ok
    assert rows_published(shop) == 120


# Other tables or views with a port's name


HIVE = {"TableType": "EXTERNAL_TABLE", "Parameters": {"classification": "parquet"}}
DEFINITION = {"originalSql": "select 1 as line_id", "columns": [{"name": "line_id", "type": "integer"}]}
VIEW = {
    "TableType": "VIRTUAL_VIEW",
    "Parameters": {"presto_view": "true"},
    "ViewOriginalText": f"/* Presto View: {b64encode(json.dumps(DEFINITION).encode()).decode()} */",
    "ViewExpandedText": "/* Presto View */",
}


@pytest.mark.parametrize("kind", [HIVE, VIEW], ids=["hive table", "view"])
def test_a_table_of_another_kind_at_the_ports_name_is_left_alone(mesh: Mesh, kind: dict[str, object]) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    glue = boto3.client("glue")
    columns = [{"Name": "line_id", "Type": "bigint"}]
    storage = {
        "Columns": columns,
        "Location": f"{os.environ['PORTMESH_S3_LAKE']}/elsewhere",
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }
    glue.create_database(DatabaseInput={"Name": "shop"})
    glue.create_table(DatabaseName="shop", TableInput=kind | {"Name": "lines", "StorageDescriptor": storage})
    before = glue.get_table(DatabaseName="shop", Name="lines")["Table"]

    broken = mesh.dbt("build")

    assert_explained(broken, "shop.lines was not", "already has", "drop")
    assert glue.get_table(DatabaseName="shop", Name="lines")["Table"] == before

    glue.delete_table(DatabaseName="shop", Name="lines")
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert rows_published(mesh) == 100


# Two runs at the same time


def checkout(folder: Path, target: str, sql: str = LINES, columns: str = COLUMNS) -> Mesh:
    """The same port in another folder, for the other engine or for a second run."""
    folder.mkdir()
    other = Mesh(folder, target)
    other.set_up("shop", sources=("lines", "sales"))
    name = "sales" if sql == SALES else "lines"
    other.port(f"shop/{name}", sql, columns, meta=EXEMPT, extra=AT_LEAST_ONE if sql == SALES else "")
    assert other.dbt("deps").ok
    return other


@pytest.fixture
def both(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both engines of the rig are running."""
    rig.command("up", "emr", "athena")
    for name, value in rig.variables().items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("is_other", [False, True], ids=["one engine", "two engines"])
def test_of_two_runs_at_the_same_time_the_second_says_it_was_overtaken(
    shop: Mesh, tmp_path: Path, is_other: bool
) -> None:
    """When the first run has written and audited 120 rows, another run publishes 130 rows."""
    target = OTHER_ENGINE[shop.target] if is_other else shop.target
    other = checkout(tmp_path / "other", target)

    def overtake() -> None:
        shop.land("lines", good(130))
        build_in_another_process(other)

    with just_before("as place", overtake) as met:
        overtaken = shop.dbt("build")

    assert met
    # A full build on Athena replaces the table, and Spark's branch is gone with the table that had it.
    has_lost_its_branch = is_other and shop.target == "emr"
    explained = "another run of this port has published or written in the meantime"
    assert_explained(
        overtaken,
        "shop.lines was not published",
        explained if has_lost_its_branch else "another run has published or maintained it since this one began",
    )
    assert rows_published(shop) == rows_published(other) == 130
    assert [v for (v,) in shop.rows("select verdict from portmesh.publications__shop")] == ["published"] * 2
    built = shop.dbt("build")
    assert built.ok, built.output
    assert rows_published(other) == 130


def test_of_two_first_builds_at_the_same_time_one_is_published(mesh: Mesh, tmp_path: Path) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    other = checkout(tmp_path / "other", mesh.target)

    with just_before("as place", lambda: build_in_another_process(other)) as met:
        overtaken = mesh.dbt("build")

    assert met
    assert_explained(overtaken, "another run has published or maintained it since this one began")
    assert rows_published(mesh) == 100


@pytest.mark.usefixtures("both")
def test_a_race_that_the_comparison_does_not_see_is_refused_by_iceberg(shop: Mesh, tmp_path: Path) -> None:
    """Another run publishes between the comparison and the switch."""
    if shop.target == "athena":
        pytest.skip("Athena's adapter sends no version of the table: docs/decisions/0009")
    other = checkout(tmp_path / "other", "athena")

    with just_before("fast_forward", lambda: build_in_another_process(other)) as met:
        overtaken = shop.dbt("build")

    assert met
    assert_explained(overtaken, "another run of this port has published or written in the meantime")
    assert rows_published(other) == 120


# A port that changes its engine


@pytest.mark.usefixtures("both")
def test_a_port_changes_its_engine_and_back_with_increments_between(mesh: Mesh, tmp_path: Path) -> None:
    mesh.set_up("shop", sources=("lines", "sales"))
    mesh.port("shop/sales", SALES, COLUMNS_OF_SALES, meta=EXEMPT, extra=AT_LEAST_ONE)
    publish_first_batch(mesh, rows=100)
    other = checkout(tmp_path / "other", OTHER_ENGINE[mesh.target], SALES, COLUMNS_OF_SALES)
    builds = [(other, 95, 10), (mesh, 100, 10), (other, 105, 10)]

    for batch, (place, first, rows) in enumerate(builds, start=2):
        land(mesh, first, rows, batch, amount="2")
        built = place.dbt("build")
        assert built.ok, built.output
        assert last_attempt(mesh) == ("increment", "published", first + rows)
        last = first + rows
        seen = "select count(*), count(distinct sale_id), max(sale_id), sum(amount) from shop.sales"
        assert mesh.rows(seen) == other.rows(seen) == [(last, last, last - 1, last + last - 95)]

    sql = SALES.replace("cast(batch as", "cast(sale_id as bigint) as twin,\n    cast(batch as")
    columns = COLUMNS_OF_SALES + "- {name: twin, data_type: bigint, description: The key again.}\n"
    for place in (mesh, other):
        place.port("shop/sales", sql, columns, meta=EXEMPT, extra=AT_LEAST_ONE)
    later = "select 1 from raw.sales as later where later.sale_id = sales.sale_id and later.batch > sales.batch"
    mesh.change_source("sales", f"delete from raw.sales where exists ({later})")
    built = other.dbt("build", "--full-refresh")
    assert built.ok, built.output
    assert mesh.rows("select count(*), sum(twin - sale_id) from shop.sales") == [(115, 0)]
    land(mesh, 115, 5, 5)
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert last_attempt(mesh) == ("increment", "published", 120)
    assert other.rows("select count(*), sum(twin - sale_id) from shop.sales") == [(120, 0)]


# Partitions


@pytest.mark.parametrize("partition_by", [["day(landed_at)"], ["channel", "bucket(40, line_id)", "day(landed_at)"]])
def test_more_partitions_than_athena_writes_at_once(mesh: Mesh, partition_by: list[str]) -> None:
    landed_at = "timestamp '2026-01-01' + to_days(cast(i % 150 as int))"
    days = f"select i as line_id, 'store' as channel, 1.5 as amount, {landed_at} as landed_at"
    mesh.set_up("shop")
    mesh.port("shop/lines", f"{{{{ config(partition_by={partition_by}) }}}}" + LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", f"{days} from range(300) t(i)")
    assert mesh.dbt("deps").ok

    for rows in (300, 450):
        mesh.land("lines", f"{days} from range({rows}) t(i)")
        built = mesh.dbt("build")
        assert built.ok, built.output
        assert mesh.rows("select count(*), count(distinct line_id) from shop.lines") == [(rows, rows)]

    assert len(mesh.engine.catalog.load_table("shop.lines").inspect.partitions()) >= 150
    assert mesh.engine.candidates("shop.lines") == []
    aside = [name for name in mesh.engine.relations(f"shop{INTERNAL}") if name.endswith("__replaced")]
    assert mesh.engine.relations(f"shop{INTERNAL}") == aside
    assert len(aside) == (1 if mesh.target == "athena" else 0)


def test_a_partition_of_null_is_not_that_of_an_empty_text(mesh: Mesh) -> None:
    mesh.set_up("shop")
    columns = COLUMNS.replace("data_tests: [{accepted_values", "data_tests: [] #")
    config = "{{ config(partition_by=['channel', 'truncate(2, line_id)']) }}"
    mesh.port("shop/lines", config + LINES, columns, meta=EXEMPT)
    channel = "case i % 4 when 0 then '' when 1 then null when 2 then 'null' else 'x' end as channel"
    values = f"i as line_id, {channel}, 1 as amount, now()::timestamp as landed_at"
    mesh.land("lines", f"select {values} from range(130) t(i)")
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert len(mesh.engine.catalog.load_table("shop.lines").inspect.partitions()) == 130


def test_what_a_rule_finds_is_no_fault_of_the_engine(shop: Mesh) -> None:
    shop.port("shop/lines", LINES, COLUMNS, meta="consumers: [{name: Session timeouts, purpose: ''}]")
    refused = shop.dbt("build")
    assert "A consumer of shop.lines (Session timeouts) has no purpose." in refused.output
    assert "broke" not in refused.output, refused.output
