"""Drops databases of an environment in Glue, with their tables and the files in the lake."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import boto3

from portmesh.aws import aws_errors_explained, bucket_and_key, objects_below
from portmesh.errors import FindingsError, UsageError
from portmesh.lake.targets import aws_region, s3_lake
from portmesh.upkeep.orphans import delete_keys


def drop_schemas(environment: str, schemas: Sequence[str]) -> None:
    """Drop these databases of an environment. It can be run again if it was interrupted: the records go last.

    Raises UsageError if a database is not of this environment, or if AWS refuses a request, and FindingsError if a view
    of another database reads from one of them.
    """
    others = [schema for schema in schemas if environment == "prod" or not schema.startswith(f"{environment}__")]
    if others:
        raise UsageError(
            f"The environment {environment} was not dropped.",
            [("why", "\n".join(f"{schema} is not a database of {environment}" for schema in others))],
        )
    _assert_no_view(schemas)
    for schema in sorted(schemas, key=lambda each: (each == f"{environment}__portmesh", each)):
        with aws_errors_explained([("database", schema), ("lake", s3_lake())]):
            s3, (bucket, _) = boto3.client("s3", region_name=aws_region()), bucket_and_key(s3_lake())
            delete_keys(s3, bucket, [file["Key"] for file in _files(s3, schema)], f"{s3_lake()}/{schema}/")
            _delete_tables(schema)


def bytes_of(schemas: Sequence[str]) -> int:
    """The bytes of the databases' files, used by a table or not. Raises UsageError if AWS refuses a request."""
    with aws_errors_explained([("lake", s3_lake())]):
        s3 = boto3.client("s3", region_name=aws_region())
        return sum(file["Size"] for schema in schemas for file in _files(s3, schema))


def _files(s3: Any, schema: str) -> Iterator[dict[str, Any]]:
    """The files of a database. Athena and Spark write it to one folder or the other."""
    for folder in (f"{s3_lake()}/{schema}/", f"{s3_lake()}/{schema}.db/"):
        yield from objects_below(s3, folder)


def _delete_tables(schema: str) -> None:
    """Glue drops the tables of a database itself, but only in the course of time."""
    glue = boto3.client("glue", region_name=aws_region())
    for table in list(_tables(glue, schema)):
        glue.delete_table(DatabaseName=schema, Name=table["Name"])
    glue.delete_database(Name=schema)


def _tables(glue: Any, schema: str) -> Iterator[dict[str, Any]]:
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=schema):
        yield from page["TableList"]


def _assert_no_view(schemas: Sequence[str]) -> None:
    """Raises FindingsError if the SQL of a view in another database names one of these."""
    named = re.compile(rf"(?i)\b({'|'.join(map(re.escape, schemas))})[\"`]?\.")
    with aws_errors_explained([("databases", "\n".join(schemas))]):
        glue = boto3.client("glue", region_name=aws_region())
        pages = glue.get_paginator("get_databases").paginate()
        others = [one["Name"] for page in pages for one in page["DatabaseList"] if one["Name"] not in schemas]
        found = [
            (f"{other}.{table['Name']}", f"a view that reads from {name[1]}")
            for other in others
            for table in _tables(glue, other)
            if (name := named.search(_sql_of(table)))
        ]
    if found:
        message = "Views of other databases read from this environment, so it was not dropped."
        raise FindingsError(message, found, "drop these views, or let them read from elsewhere")


def _sql_of(table: dict[str, Any]) -> str:
    """The SQL of a view; empty for a table. Athena writes it as JSON in base64."""
    text = str(table.get("ViewOriginalText") or "")
    encoded = re.fullmatch(r"/\* Presto View: (\S+) \*/", text)
    return str(json.loads(base64.b64decode(encoded[1])).get("originalSql")) if encoded else text
