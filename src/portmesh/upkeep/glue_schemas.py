"""Drops databases of an environment in Glue, with their tables and the files in the lake."""

from __future__ import annotations

from collections.abc import Sequence

import boto3

from portmesh.aws import aws_errors_explained, bucket_and_key, refusal
from portmesh.errors import UsageError
from portmesh.lake.targets import aws_region, s3_lake


def drop_schemas(environment: str, schemas: Sequence[str]) -> None:
    """Drop these databases of an environment. It can be run again if it was interrupted: the records go last.

    Raises UsageError if a database is not of this environment, or if AWS refuses a request.
    """
    others = [schema for schema in schemas if environment == "prod" or not schema.startswith(f"{environment}__")]
    if others:
        raise UsageError(
            f"The environment {environment} was not dropped.",
            [("why", "\n".join(f"{schema} is not a database of {environment}" for schema in others))],
        )
    for schema in sorted(schemas, key=lambda each: (each == f"{environment}__portmesh", each)):
        with aws_errors_explained([("database", schema), ("lake", s3_lake())]):
            # Athena and Spark write a database to one folder or the other.
            for folder in (f"{s3_lake()}/{schema}/", f"{s3_lake()}/{schema}.db/"):
                _delete_files(folder)
            _delete_tables(schema)


def _delete_files(folder: str) -> None:
    s3 = boto3.client("s3", region_name=aws_region())
    bucket, prefix = bucket_and_key(folder)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        keys = [{"Key": found["Key"]} for found in page.get("Contents", [])]
        if keys:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            if refused := answer.get("Errors"):
                raise refusal(refused[0]["Code"], refused[0]["Message"], [("files", folder)])


def _delete_tables(schema: str) -> None:
    """Glue drops the tables of a database itself, but only in the course of time."""
    glue = boto3.client("glue", region_name=aws_region())
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=schema):
        for table in page["TableList"]:
            glue.delete_table(DatabaseName=schema, Name=table["Name"])
    glue.delete_database(Name=schema)
