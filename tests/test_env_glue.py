"""`portmesh env drop` on Spark and Athena: databases in Glue, and their files in the lake."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from uuid import uuid4

import boto3
import pytest

from portmesh.errors import FindingsError, UsageError
from portmesh.upkeep.environments import Environment, Environments, drop
from portmesh.upkeep.glue_schemas import bytes_of, drop_schemas
from tests.cloud import moto

SCHEMAS = ("pr_7__orders", "pr_7__orders__internal", "pr_7__portmesh")
STAY = ("orders", "pr_77__orders", "pr_7__erp")


@pytest.fixture
def lake() -> Iterator[str]:
    """Databases with a table and two files each, in Glue and in a new bucket."""
    bucket = uuid4().hex
    with moto(AWS_REGION="eu-west-1", PORTMESH_S3_LAKE=f"s3://{bucket}"):
        s3, glue = boto3.client("s3", region_name="eu-west-1"), boto3.client("glue", region_name="eu-west-1")
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for schema in (*SCHEMAS, *STAY):
            glue.create_database(DatabaseInput={"Name": schema})
            glue.create_table(DatabaseName=schema, TableInput={"Name": "lines"})
            for folder in (schema, f"{schema}.db"):
                s3.put_object(Bucket=bucket, Key=f"{folder}/lines/data.parquet", Body=b"rows")
        yield bucket
        for database in glue.get_databases()["DatabaseList"]:
            glue.delete_database(Name=database["Name"])


def databases() -> list[str]:
    found = boto3.client("glue", region_name="eu-west-1").get_databases()["DatabaseList"]
    return sorted(database["Name"] for database in found)


def folders(bucket: str) -> list[str]:
    found = boto3.client("s3", region_name="eu-west-1").list_objects_v2(Bucket=bucket).get("Contents", [])
    return sorted({each["Key"].split("/")[0] for each in found})


def test_an_environment_goes_with_its_files_and_nothing_else(lake: str) -> None:
    environment = Environment(name="pr_7", schemas=dict.fromkeys(SCHEMAS, 1), ports=1, rows=1)
    drop(environment, Environments(target="athena", engine="athena", current="pr_7", environments=[environment]))
    assert databases() == sorted(STAY)
    assert folders(lake) == sorted([*STAY, *(f"{schema}.db" for schema in STAY)])


@pytest.mark.parametrize(("name", "schemas"), [("prod", ["orders"]), ("pr_7", ["pr_7__orders", "pr_77__orders"])])
def test_what_is_not_of_the_environment_is_refused_as_a_whole(lake: str, name: str, schemas: list[str]) -> None:
    with pytest.raises(UsageError, match=f"The environment {name} was not dropped."):
        drop_schemas(name, schemas)
    assert set(databases()) == {*SCHEMAS, *STAY}
    assert set(folders(lake)) >= {*SCHEMAS, *STAY}


def test_its_bytes_are_those_of_its_files(lake: str) -> None:
    assert bytes_of(SCHEMAS) == 2 * len(SCHEMAS) * len(b"rows")
    assert bytes_of(["pr_8__orders"]) == 0
    assert len(folders(lake)) == 2 * len([*SCHEMAS, *STAY])


@pytest.mark.parametrize("is_of_athena", [False, True])
def test_what_a_view_of_another_database_reads_is_not_dropped(lake: str, is_of_athena: bool) -> None:
    sql = 'select * from "pr_7__orders"."lines"'
    encoded = f"/* Presto View: {base64.b64encode(json.dumps({'originalSql': sql}).encode()).decode()} */"
    view = {"Name": "sales", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": encoded if is_of_athena else sql}
    boto3.client("glue", region_name="eu-west-1").create_table(DatabaseName="orders", TableInput=view)
    with pytest.raises(FindingsError, match=r"so it was not dropped\.") as refused:
        drop_schemas("pr_7", SCHEMAS)
    assert refused.value.facts[0] == ("orders.sales", "a view that reads from pr_7__orders")
    assert set(databases()) == {*SCHEMAS, *STAY}
    assert set(folders(lake)) >= {*SCHEMAS, *STAY}
