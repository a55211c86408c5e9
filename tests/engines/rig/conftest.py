"""Clients of a running rig."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.engines.rig.clients import Athena, Faults
from tests.rig_client import Rig

LAKE = "portmesh-lake"


@pytest.fixture(scope="session")
def url(rig: Rig) -> str:
    """The endpoint's URL, for all AWS services."""
    return rig.variables()["AWS_ENDPOINT_URL"]


@pytest.fixture(scope="session")
def glue(url: str) -> Any:
    return boto3.client("glue", endpoint_url=url)


@pytest.fixture(scope="session")
def s3(url: str) -> Any:
    return boto3.client("s3", endpoint_url=url)


@pytest.fixture(scope="session")
def athena(url: str) -> Athena:
    return Athena(boto3.client("athena", endpoint_url=url), f"s3://{LAKE}/rig-tests/results/")


@pytest.fixture
def faults(url: str) -> Iterator[Faults]:
    """Injects faults, and clears them after the test."""
    asked = Faults(url)
    yield asked
    asked.clear()


@pytest.fixture
def database(athena: Athena, glue: Any, s3: Any) -> Iterator[str]:
    """An empty Glue database with tables in s3://<lake>/rig_tests/."""
    athena.run("create database rig_tests")
    yield "rig_tests"
    glue.delete_database(Name="rig_tests")
    found = s3.list_objects_v2(Bucket=LAKE, Prefix="rig_tests/").get("Contents", [])
    for item in found:
        s3.delete_object(Bucket=LAKE, Key=item["Key"])


@pytest.fixture
def tables(athena: Athena, database: str) -> str:
    """An Iceberg table `ice` and a Hive table `hive` in that database, with two rows each."""
    rows = "select * from (values (1, 'one'), (2, 'two')) as t (id, name)"
    athena.run(f"create table ice with (table_type='iceberg', is_external=false, location='{place('ice')}') as {rows}")
    athena.run(f"create table hive with (format='parquet', external_location='{place('hive')}') as {rows}")
    return database


def place(table: str) -> str:
    """The location of a table in that database."""
    return f"s3://{LAKE}/rig_tests/{table}/"
