"""Domains build on Athena with their own roles, and are refused access to anything else.

The roles come from the mesh's own template: `portmesh infra` generates it, moto deploys it, and the roles are copied to
the rig, whose endpoint checks every call against their policies (rig/endpoint/authorization.py).
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from portmesh.cli import main
from tests.engine_glue import empty_lake
from tests.infra_cloud import Cloud, deployed
from tests.mesh import Mesh, Outcome
from tests.rig_client import Rig

LAKE = "portmesh-lake"
PULL_REQUESTS = "pull-requests"
COLUMNS = """
- {name: line_id, data_type: bigint, description: The key., data_tests: [not_null, unique]}
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""
LINES = "select line_id, landed_at from {{ source('raw', 'lines') }}"
COUNTS = "select max(line_id) as line_id, max(landed_at) as landed_at from {{ ref('shop', 'lines') }}"
CONSUMERS = "consumers: [{name: desk, purpose: Count lines}]"


@pytest.fixture(scope="module")
def shop(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Mesh:  # noqa: ARG001 - it has to be up
    """shop publishes lines, which desk reads, and prices, which no one else may read. All of them are in the lake."""
    empty_lake()
    mesh = Mesh(tmp_path_factory.mktemp("mesh"), "athena")
    environment = "{{ env_var('PORTMESH_ENVIRONMENT', 'prod') | as_text }}"
    mesh.set_up("shop", "desk", root={"on-run-start": ["{{ create_records() }}"]}, environment=environment)
    mesh.write("seeds/words.csv", "word\nhello\n")
    mesh.port("shop/lines", LINES, COLUMNS, meta=CONSUMERS)
    mesh.port("shop/prices", LINES, COLUMNS)
    mesh.port("desk/counts", COUNTS, COLUMNS)
    assert mesh.dbt("deps").ok
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(mesh.folder)
        with pytest.raises(SystemExit, match="0"):
            main(["infra"])
    subject = {"PullRequestSubject": "repo:acme/mesh:pull_request"}
    set_up_account(deployed(lake={"LakeBucketName": LAKE}, domains=subject, mesh=mesh.folder))
    mesh.land("lines", "select unnest([1, 2, 3])::bigint as line_id, now()::timestamp as landed_at")
    build = build_as(mesh)
    seeded = build("portmesh", "seed")
    assert seeded.ok, seeded.output
    built = build("shop", "build", "--select", "package:shop")
    assert built.ok, built.output
    return mesh


@pytest.fixture
def build(shop: Mesh) -> Callable[..., Outcome]:
    return build_as(shop)


def set_up_account(cloud: Cloud) -> None:
    """Create in the rig what CloudFormation created in moto."""
    for name, location in {**cloud.databases, "raw": f"s3://{LAKE}/raw/"}.items():
        if name != "default":
            boto3.client("glue").create_database(DatabaseInput={"Name": name, "LocationUri": location})
    for name, configuration in cloud.work_groups.items():
        if name != "primary":
            boto3.client("athena").create_work_group(Name=name, Configuration=configuration)
    for name, role in cloud.roles.items():
        trust = json.dumps(role["AssumeRolePolicyDocument"])
        boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        for number, policy in enumerate(cloud.policies_of[name]):
            document = json.dumps(policy)
            boto3.client("iam").put_role_policy(RoleName=name, PolicyName=f"policy-{number}", PolicyDocument=document)


def taken_on(domain: str) -> dict[str, str]:
    """The environment variables of a caller that assumed a domain's role."""
    arn = f"arn:aws:iam::123456789012:role/portmesh-{domain}"
    credentials = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="tests")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }


def build_as(mesh: Mesh) -> Callable[..., Outcome]:
    """Run dbt with a domain's role and in its work group."""

    def build(domain: str, *arguments: str) -> Outcome:
        with pytest.MonkeyPatch.context() as patch:
            group = {"PORTMESH_ATHENA_WORKGROUP": f"portmesh-{domain}", "DBT_CACHE_SELECTED_ONLY": "true"}
            for name, value in {**taken_on(domain), **group}.items():
                patch.setenv(name, value)
            return mesh.dbt(*arguments)

    return build


def client_of(domain: str, service: str) -> Any:
    variables = taken_on(domain)
    return boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables["AWS_SESSION_TOKEN"],
        region_name=os.environ["AWS_REGION"],
    ).client(service)


def refusal_of(call: Callable[..., Any], **arguments: Any) -> str:
    """The error for a call that a role may not make."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    assert refused.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    return str(refused.value.response["Error"]["Message"])


def query(domain: str, sql: str, group: str = "") -> str:
    """Start a query with a domain's role. Returns its id."""
    start = client_of(domain, "athena").start_query_execution
    return str(start(QueryString=sql, WorkGroup=group or f"portmesh-{domain}")["QueryExecutionId"])


# A domain builds with its role


def test_a_domain_publishes_with_its_role(shop: Mesh) -> None:
    assert shop.rows("select line_id from shop.lines order by 1") == [(1,), (2,), (3,)]
    published = "select distinct port from portmesh.publications__shop where verdict = 'published'"
    assert shop.rows(published + " order by 1") == [("lines",), ("prices",)]


def test_it_publishes_again_over_what_it_published(shop: Mesh, build: Callable[..., Outcome]) -> None:
    again = build("shop", "build", "--select", "package:shop")
    assert again.ok, again.output
    assert shop.value("select count(*) from shop.lines") == 3


def test_a_consumer_builds_on_the_port_that_lists_it(shop: Mesh, build: Callable[..., Outcome]) -> None:
    built = build("desk", "build", "--select", "package:desk")
    assert built.ok, built.output
    assert shop.rows("select line_id from desk.counts") == [(3,)]


def test_a_domain_is_refused_another_ones_build(shop: Mesh, build: Callable[..., Outcome]) -> None:
    before = shop.value("select count(*) from portmesh.publications__shop")
    refused = build("desk", "build", "--select", "package:shop")
    assert not refused.ok
    assert "assumed-role/portmesh-desk/tests is not authorized to perform: glue:GetTables on resource" in refused.output
    assert "database/shop" in refused.output
    assert shop.value("select count(*) from portmesh.publications__shop") == before
    assert shop.value("select count(*) from shop.lines") == 3


def test_a_command_that_may_not_look_everywhere_does_not_take_that_for_nothing(
    shop: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("PORTMESH_ATHENA_WORKGROUP", "portmesh-shop")
    for name, value in taken_on("shop").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="2"):
        main(["status", "--json"])
    told = "".join(capsys.readouterr())
    assert "AWS does not allow this with your credentials." in told
    assert "portmesh-shop/tests is not authorized to perform: glue:GetTables" in told


# A build in a pull request


@pytest.mark.writes_json
def test_a_pull_request_builds_in_its_environment_and_drops_it(
    shop: Mesh, build: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads production's port and changes a port of production nowhere but in its own environment."""
    assert shop.dbt("parse").ok
    (shop.folder / "production").mkdir()
    shutil.copy(shop.folder / "target/manifest.json", shop.folder / "production")
    records = shop.value("select count(*) from portmesh.publications__shop")
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", "pr_7")
    deferring = ("--defer", "--state", "production", "--favor-state")
    built = build(PULL_REQUESTS, "build", "--select", "counts", *deferring)
    assert built.ok, built.output
    assert shop.rows("select line_id from pr_7__desk.counts") == [(3,)]
    assert shop.value("select count(*) from portmesh.publications__shop") == records
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop.folder)
        for name, value in {
            **taken_on(PULL_REQUESTS),
            "PORTMESH_ATHENA_WORKGROUP": f"portmesh-{PULL_REQUESTS}",
        }.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit, match="0"):
            main(["env", "drop", "pr_7", "--yes"])
    left = [each["Name"] for each in boto3.client("glue").get_databases()["DatabaseList"]]
    assert not [name for name in left if name.startswith("pr_7")]
    assert "desk" in left


def test_a_pull_request_is_refused_production(shop: Mesh, build: Callable[..., Outcome]) -> None:
    refused = build(PULL_REQUESTS, "build", "--select", "package:shop")
    assert not refused.ok
    assert "assumed-role/portmesh-pull-requests/tests is not authorized to perform: glue:" in refused.output
    assert shop.value("select count(*) from shop.lines") == 3


# A role used without dbt has the same limits


@pytest.mark.parametrize(
    ("sql", "action"),
    [
        ("select * from shop.prices", "glue:GetTable"),
        ("with p as (select * from shop.prices) select * from p", "glue:GetTable"),
        ("select * from raw.lines", "glue:GetTable"),
        ("create table desk.copy with (table_type='iceberg', is_external=false, location='s3://portmesh-lake/desk/copy')"
         " as select * from shop.prices", "glue:GetTable"),
        ("create table desk.far with (table_type='iceberg', is_external=false, location='s3://portmesh-lake/shop/far')"
         " as select 1 as line_id", "s3:PutObject"),
        ("insert into shop.lines select 4", "glue:UpdateTable"),
        ("delete from shop.lines", "glue:UpdateTable"),
        ("drop table shop.lines", "glue:DeleteTable"),
        ("drop database shop", "glue:DeleteDatabase"),
        ("drop table portmesh.publications__desk", "glue:DeleteTable"),
        ("insert into portmesh.publications__shop select * from portmesh.publications__desk", "glue:UpdateTable"),
        ("delete from portmesh.measurements__shop", "glue:UpdateTable"),
        ("create table portmesh.publications__till with (table_type='iceberg', is_external=false, "
         "location='s3://portmesh-lake/portmesh/publications__till') as select 1 as one", "glue:CreateTable"),
        ("optimize shop.lines rewrite data using bin_pack", "glue:UpdateTable"),
        ("explain select * from shop.prices", "glue:GetTable"),
    ],
)  # fmt: skip
def test_a_query_is_refused(shop: Mesh, sql: str, action: str) -> None:  # noqa: ARG001 - its tables are there
    start = client_of("desk", "athena").start_query_execution
    assert f"not authorized to perform: {action} on " in refusal_of(start, QueryString=sql, WorkGroup="portmesh-desk")


@pytest.mark.parametrize("sql", ["call system.sync()", "show tables in shop"])
def test_a_statement_that_cannot_be_judged_is_refused(shop: Mesh, sql: str) -> None:  # noqa: ARG001
    start = client_of("desk", "athena").start_query_execution
    assert "cannot find out what this statement reads" in refusal_of(start, QueryString=sql, WorkGroup="portmesh-desk")


def test_a_port_is_read_by_who_is_listed(shop: Mesh) -> None:  # noqa: ARG001
    assert query("desk", "select * from shop.lines")
    assert query("shop", "select * from shop.prices")


def test_a_view_does_not_give_access_to_the_tables_it_reads(shop: Mesh) -> None:  # noqa: ARG001
    boto3.client("glue").create_table(DatabaseName="desk", TableInput=_view("select * from shop.prices"))
    start = client_of("desk", "athena").start_query_execution
    asked = {"QueryString": "select * from desk.peep", "WorkGroup": "portmesh-desk"}
    assert refusal_of(start, **asked).endswith("because no identity-based policy allows the glue:GetTable action")
    boto3.client("glue").update_table(DatabaseName="desk", TableInput=_view("select * from shop.lines"))
    assert query("desk", "select * from desk.peep")


def _view(sql: str) -> dict[str, Any]:
    """A view as Athena stores it in Glue."""
    columns = [{"name": "line_id", "type": "bigint"}]
    content = {"originalSql": sql, "catalog": "awsdatacatalog", "schema": "desk", "columns": columns}
    text = base64.b64encode(json.dumps(content).encode()).decode()
    return {"Name": "peep", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": f"/* Presto View: {text} */",
            "StorageDescriptor": {"Columns": []}}  # fmt: skip


def test_another_work_group_is_refused(shop: Mesh) -> None:  # noqa: ARG001
    start = client_of("desk", "athena").start_query_execution
    for group in ("portmesh-shop", "primary"):
        message = refusal_of(start, QueryString="select 1", WorkGroup=group)
        assert message.endswith("because no identity-based policy allows the athena:StartQueryExecution action")
    read = client_of("desk", "athena").get_query_results
    assert "athena:GetQueryResults" in refusal_of(read, QueryExecutionId=query("shop", "select * from shop.prices"))


def test_files_are_refused_as_their_tables_are(shop: Mesh) -> None:  # noqa: ARG001
    def key_of(port: str) -> str:
        listed = boto3.client("s3").list_objects_v2(Bucket=LAKE, Prefix=f"shop/{port}/")["Contents"]
        return str(listed[0]["Key"])

    s3 = client_of("desk", "s3")
    assert s3.get_object(Bucket=LAKE, Key=key_of("lines"))["Body"].read()
    assert s3.list_objects_v2(Bucket=LAKE, Prefix="shop/lines/")["KeyCount"] > 0
    refusal_of(s3.get_object, Bucket=LAKE, Key=key_of("prices"))
    refusal_of(s3.list_objects_v2, Bucket=LAKE, Prefix="shop/prices/")
    refusal_of(s3.list_objects_v2, Bucket=LAKE)
    refusal_of(s3.put_object, Bucket=LAKE, Key="shop/lines/x.parquet", Body=b"x")
    refusal_of(s3.delete_object, Bucket=LAKE, Key=key_of("lines"))
    refusal_of(s3.delete_objects, Bucket=LAKE, Delete={"Objects": [{"Key": "desk/x"}, {"Key": key_of("lines")}]})
    refusal_of(s3.copy_object, Bucket=LAKE, Key="desk/x", CopySource=f"{LAKE}/{key_of('prices')}")
    assert s3.put_object(Bucket=LAKE, Key="desk/counts/x.parquet", Body=b"x")
    assert s3.delete_object(Bucket=LAKE, Key="desk/counts/x.parquet")


def test_the_catalog_is_refused_too(shop: Mesh) -> None:  # noqa: ARG001
    glue = client_of("desk", "glue")
    assert glue.get_table(DatabaseName="shop", Name="lines")["Table"]["Name"] == "lines"
    assert {each["Name"] for each in glue.get_databases()["DatabaseList"]} > {"desk", "shop"}
    lines = {"Name": "lines", "StorageDescriptor": {"Location": f"s3://{LAKE}/desk/lines"}}
    refusal_of(glue.get_table, DatabaseName="shop", Name="prices")
    refusal_of(glue.get_tables, DatabaseName="shop")
    refusal_of(glue.update_table, DatabaseName="shop", TableInput=lines)
    refusal_of(glue.delete_table, DatabaseName="shop", Name="lines")
    refusal_of(glue.batch_delete_table, DatabaseName="shop", TablesToDelete=["lines"])
    refusal_of(glue.delete_database, Name="shop")
    refusal_of(glue.delete_database, Name="desk")
    refusal_of(glue.create_database, DatabaseInput={"Name": "own"})
