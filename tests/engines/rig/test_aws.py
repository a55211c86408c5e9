"""Glue and S3 behave as on AWS where moto alone does not."""

from __future__ import annotations

import os
from typing import Any

import pytest
from botocore.exceptions import ClientError

LAKE = "portmesh-lake"


def test_the_second_writer_of_one_version_is_refused(glue: Any, tables: str) -> None:
    read = glue.get_table(DatabaseName=tables, Name="ice")["Table"]
    wanted = {"Name": "ice", "Parameters": read["Parameters"], "StorageDescriptor": read["StorageDescriptor"]}
    glue.update_table(DatabaseName=tables, TableInput=wanted, VersionId=read["VersionId"])
    with pytest.raises(glue.exceptions.ConcurrentModificationException):
        glue.update_table(DatabaseName=tables, TableInput=wanted, VersionId=read["VersionId"])
    # Without a VersionId there is no lock, so the last writer wins.
    glue.update_table(DatabaseName=tables, TableInput=wanted)


@pytest.mark.usefixtures("database")
def test_names_are_folded(glue: Any) -> None:
    glue.create_table(DatabaseName="Rig_Tests", TableInput={"Name": "Upper", "StorageDescriptor": {"Columns": []}})
    table = glue.get_table(DatabaseName="RIG_TESTS", Name="UPPER")["Table"]
    assert (table["DatabaseName"], table["Name"]) == ("rig_tests", "upper")
    assert [found["Name"] for found in glue.get_tables(DatabaseName="rig_tests")["TableList"]] == ["upper"]


def test_a_table_always_has_partition_keys(glue: Any, database: str) -> None:
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "StorageDescriptor": {"Columns": []}})
    assert glue.get_table(DatabaseName=database, Name="t")["Table"]["PartitionKeys"] == []


def test_column_statistics_are_taken_and_none_are_given(glue: Any, tables: str) -> None:
    asked = {"DatabaseName": tables, "TableName": "hive"}
    assert glue.get_column_statistics_for_table(**asked, ColumnNames=["id"])["ColumnStatisticsList"] == []
    statistics = {"Type": "LONG", "LongColumnStatisticsData": {"NumberOfNulls": 0, "NumberOfDistinctValues": 2}}
    given = [{"ColumnName": "id", "ColumnType": "int", "AnalyzedTime": 0, "StatisticsData": statistics}]
    assert glue.update_column_statistics_for_table(**asked, ColumnStatisticsList=given)["Errors"] == []
    glue.delete_column_statistics_for_table(**asked, ColumnName="id")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=999990-", 999_990, 999_999),
        ("bytes=-10", 999_990, 999_999),
        ("bytes=999990-2000000", 999_990, 999_999),
        ("bytes=-2000000", 0, 999_999),
    ],
)
def test_parts_of_an_object(s3: Any, asked: str, first: int, last: int) -> None:
    content = os.urandom(1_000_000)
    put = s3.put_object(Bucket=LAKE, Key="rig-tests/part of/an öbject", Body=content)
    got = s3.get_object(Bucket=LAKE, Key="rig-tests/part of/an öbject", Range=asked)
    assert got["Body"].read() == content[first : last + 1]
    assert got["ContentRange"] == f"bytes {first}-{last}/1000000"
    assert got["ETag"] == put["ETag"]
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_parts_that_no_object_has(s3: Any) -> None:
    s3.put_object(Bucket=LAKE, Key="rig-tests/short", Body=b"short")
    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(Bucket=LAKE, Key="rig-tests/short", Range="bytes=5-9")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=LAKE, Key="rig-tests/missing", Range="bytes=0-0")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.get_object(Bucket="no-such-bucket", Key="a", Range="bytes=0-0")
