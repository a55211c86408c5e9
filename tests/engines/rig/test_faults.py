"""Injected faults affect exactly the callers and calls that they name."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.engines.rig.clients import Athena, Faults
from tests.engines.rig.conftest import place

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=1)


def test_throttled_and_tried_again(faults: Faults, tables: str) -> None:
    faults.add(service="glue", operation="GetTable", code="ThrottlingException", times=2)
    patient = boto3.client("glue", config=Config(retries={"total_max_attempts": 3}))
    assert patient.get_table(DatabaseName=tables, Name="ice")["ResponseMetadata"]["RetryAttempts"] == 2
    assert faults.waiting() == []


def test_throttled_and_not_tried_again(faults: Faults, tables: str) -> None:
    faults.add(service="glue", operation="GetTable", code="ThrottlingException")
    impatient = boto3.client("glue", config=ONCE)
    for _ in range(2):
        with pytest.raises(ClientError, match="ThrottlingException"):
            impatient.get_table(DatabaseName=tables, Name="ice")
    impatient.get_tables(DatabaseName=tables)
    faults.clear()
    impatient.get_table(DatabaseName=tables, Name="ice")


def test_a_time_out(faults: Faults) -> None:
    faults.add(service="s3", operation="ListObjectsV2", delay=3, times=1)
    with pytest.raises(ReadTimeoutError):
        boto3.client("s3", config=ONCE).list_objects_v2(Bucket="portmesh-lake")
    boto3.client("s3", config=ONCE).list_objects_v2(Bucket="portmesh-lake")


def test_expired_credentials(faults: Faults) -> None:
    for service, code in (("glue", "ExpiredTokenException"), ("s3", "ExpiredToken"), ("sts", "ExpiredToken")):
        faults.add(service=service, code=code, message="The security token is expired", status=403, times=1)
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        boto3.client("glue").get_databases()
    with pytest.raises(ClientError, match="ExpiredToken"):
        boto3.client("s3").list_buckets()
    with pytest.raises(ClientError, match="ExpiredToken"):
        boto3.client("sts").get_caller_identity()


@pytest.mark.usefixtures("tables")
def test_a_bucket_that_takes_nothing(faults: Faults, athena: Athena, s3: Any) -> None:
    faults.add(service="s3", operation="PutObject", match="/rig_tests/", code="AccessDenied", status=403)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="portmesh-lake", Key="rig_tests/new", Body=b"x" * 1_000_000)
    # The connection still works, and other locations can still be read.
    s3.put_object(Bucket="portmesh-lake", Key="rig-tests/new", Body=b"x")
    assert "Error committing write" in athena.refused("insert into ice values (3, 'three')")
    faults.clear()
    assert athena.rows("select count(*) from ice") == [["2"]]
    athena.run("insert into ice values (3, 'three')")


@pytest.mark.usefixtures("tables")
def test_one_caller_only(faults: Faults, athena: Athena, s3: Any) -> None:
    faults.add(service="s3", operation="PutObject", access_key="rig-trino", code="AccessDenied", status=403)
    s3.put_object(Bucket="portmesh-lake", Key="rig_tests/new", Body=b"x")
    assert athena.refused(f"create table t with (external_location='{place('t')}') as select 1 as id")


def test_athena_throttles(faults: Faults, athena: Athena) -> None:
    faults.add(service="athena", operation="StartQueryExecution", code="TooManyRequestsException", times=1)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        boto3.client("athena", config=ONCE).start_query_execution(
            QueryString="select 1 as one", ResultConfiguration={"OutputLocation": athena.output}
        )


@pytest.mark.usefixtures("tables")
def test_athena_cancels_a_query(faults: Faults, athena: Athena) -> None:
    faults.add(service="athena", operation="Query", match="into ice", code="CANCELLED", message="Query cancelled!")
    status = athena.wait(athena.start("insert into ice values (3, 'three')"))["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Query cancelled!")
    assert athena.rows("select count(*) from ice") == [["2"]]


@pytest.mark.usefixtures("database")
def test_athena_fails_a_query(faults: Faults, athena: Athena) -> None:
    faults.add(service="athena", operation="Query", code="GENERIC_INTERNAL_ERROR", message="Please retry.", times=1)
    assert athena.refused("select 1 as one") == "GENERIC_INTERNAL_ERROR: Please retry."
    assert athena.rows("select 1 as one") == [["1"]]


def test_a_fault_that_cannot_be(faults: Faults) -> None:
    for wrong in ({"operation": "GetTable"}, {"service": "glue", "error": "Throttling"}):
        with pytest.raises(OSError, match="400"):
            faults.add(**wrong)
    assert faults.waiting() == []
