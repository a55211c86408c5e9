"""What the engines Spark and Athena share in tests: one Glue catalog, one lake on S3, and Iceberg tables in them.

A mesh's sources are in a DuckDB file in its folder, and are copied to the lake's database `raw`.
"""

from __future__ import annotations

import json
import os
import re
import urllib.request
import uuid
from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pyarrow
import sqlglot
from botocore.exceptions import ClientError
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

from portmesh.aws import bucket_and_key
from tests.engine import INTERNAL, Engine


def lake() -> str:
    """The address of the rig's lake, such as s3://portmesh-lake."""
    return os.environ["PORTMESH_S3_LAKE"]


def empty_lake() -> None:
    """Empty the rig's catalog and lake. The lake's bucket remains, and the database that every Spark session needs."""
    endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).close()
    boto3.client("s3").create_bucket(
        Bucket=lake().removeprefix("s3://"), CreateBucketConfiguration={"LocationConstraint": region}
    )
    boto3.client("glue").create_database(DatabaseInput={"Name": "default"})


class OnGlue(Engine):
    """An engine whose tables are Iceberg tables in Glue."""

    dialect: str
    """sqlglot's name for the engine's SQL dialect."""

    def __init__(self, folder: Path) -> None:
        self.sources = folder / "sources.duckdb"

    @abstractmethod
    def run(self, sql: str) -> Any:
        """Run a statement in the engine's own SQL. Returns the cursor (PEP 249) with its result."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.run(self.in_own_sql(sql)).fetchall())

    def execute(self, sql: str) -> None:
        self.run(self.in_own_sql(sql))

    def in_own_sql(self, sql: str) -> str:
        """A DuckDB statement translated to the engine's SQL."""
        (statement,) = sqlglot.transpile(sql, read="duckdb", write=self.dialect)
        return statement

    def make_table(self, table: str, select: str) -> None:
        schema, _ = table.split(".")
        self._change_sources(f"create schema if not exists {schema}; create or replace table {table} as {select}")
        self._copy_to_lake(table)

    def change_table(self, table: str, statement: str) -> None:
        self._change_sources(statement)
        self._copy_to_lake(table)

    def relations(self, schema: str) -> list[str]:
        try:
            pages = boto3.client("glue").get_paginator("get_tables").paginate(DatabaseName=schema)
            return sorted(table["Name"] for page in pages for table in page["TableList"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return []

    def columns(self, relation: str) -> list[tuple[str, str]]:
        return [(name, kind) for name, kind, *_ in self.run(f"select * from {relation} limit 0").description]

    def comment(self, relation: str) -> str | None:
        schema, name = relation.split(".")
        return boto3.client("glue").get_table(DatabaseName=schema, Name=name)["Table"].get("Description")

    def versions(self, port: str) -> int:
        product, name = port.split(".")
        published = self.rows(
            f"select distinct snapshot_id from portmesh.publications__{product} "
            f"where port = '{name}' and verdict = 'published'"
        )
        tables = [port, *(table for table in self.internal_versions(port) if table.endswith("__replaced"))]
        kept = {one.snapshot_id for table in tables for one in self.catalog.load_table(table).metadata.snapshots}
        return len(kept & {snapshot for (snapshot,) in published})

    def stored_in(self, port: str) -> str:
        return port

    def close(self) -> None:
        """Do nothing: dbt closes its sessions itself."""

    @cached_property
    def catalog(self) -> Catalog:
        """The rig's Glue catalog as pyiceberg sees it."""
        endpoint = os.environ["AWS_ENDPOINT_URL"]
        properties = {"warehouse": lake(), "s3.endpoint": endpoint, "s3.region": os.environ["AWS_REGION"]}
        return GlueCatalog("glue", **properties)

    def age(self, table: str, days: int) -> None:
        """Make everything in the lake, and the snapshots of one table, that many days older."""
        body = json.dumps({"days": days}).encode()
        urllib.request.urlopen(
            urllib.request.Request(f"{os.environ['AWS_ENDPOINT_URL']}/rig/age", body, method="PUT")
        ).close()
        database, name = table.split(".")
        s3, glue = boto3.client("s3"), boto3.client("glue")
        found = glue.get_table(DatabaseName=database, Name=name)["Table"]
        location = found["Parameters"]["metadata_location"]
        bucket, key = bucket_and_key(location)
        metadata = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        earlier = re.sub(r'("(?:last-updated|timestamp)-ms"\s*:\s*)(\d+)', _earlier(days), metadata)
        older = re.sub(r"(?<=-)[0-9a-f-]{36}", str(uuid.uuid4()), location)
        s3.put_object(Bucket=bucket, Key=bucket_and_key(older)[1], Body=earlier.encode())
        wanted = {key: found[key] for key in ("Name", "Parameters", "StorageDescriptor", "TableType") if key in found}
        wanted["Parameters"] |= {"metadata_location": older, "previous_metadata_location": location}
        glue.update_table(DatabaseName=database, TableInput=wanted)

    def internal_versions(self, port: str) -> list[str]:
        """Tables, other than the port, to which a version was written, as SQL names them."""
        schema, name = port.split(".")
        beside = [table for table in self.relations(f"{schema}{INTERNAL}") if table.startswith(f"{name}__2")]
        return [f"{schema}{INTERNAL}.{table}" for table in beside]

    def branches(self, port: str) -> list[str]:
        """Branches of the port, except for main."""
        try:
            refs = self.catalog.load_table(port).refs()
            return sorted(name for name, ref in refs.items() if ref.snapshot_ref_type == "branch" and name != "main")
        except (NoSuchTableError, NoSuchNamespaceError):
            return []

    def _change_sources(self, sql: str) -> None:
        with duckdb.connect(str(self.sources)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(sql)

    def _copy_to_lake(self, table: str) -> None:
        with duckdb.connect(str(self.sources), read_only=True) as connection:
            rows: pyarrow.Table = connection.sql(f"from {table}").to_arrow_table()
        self.catalog.create_namespace_if_not_exists(table.split(".")[0])
        if self.catalog.table_exists(table):
            self.catalog.drop_table(table)
        self.catalog.create_table(table, rows.schema).append(rows)


def _earlier(days: int) -> Callable[[re.Match[str]], str]:
    return lambda found: f"{found[1]}{int(found[2]) - days * 86_400_000}"
