"""Statistics, billing, limits, result reuse and the end of queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import trino
from botocore.exceptions import ClientError

from rig.billing import billed_bytes
from rig.endpoint.athena import nodes
from tests.engines.rig.clients import Athena
from tests.engines.rig.conftest import place

REUSE = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 10}}}
# Two columns of random numbers, which Parquet cannot compress: 16 bytes per row.
RANDOM = (
    "select random() as a, random() as b from unnest(sequence(1, 10000)) as s (x), unnest(sequence(1, {})) as t (y)"
)
ENDLESS = "select count(*) from unnest(sequence(1, 10000)) a (x), unnest(sequence(1, 10000)) b (y), {}".format(
    "unnest(sequence(1, 10000)) c (z)"
)


@pytest.fixture
def group(athena: Athena) -> Iterator[str]:
    """A work group that limits queries to 10 MB and enforces an output location."""
    results = {"OutputLocation": "s3://portmesh-lake/rig-tests/enforced/"}
    athena.client.create_work_group(
        Name="limited",
        Configuration={
            "ResultConfiguration": results,
            "EnforceWorkGroupConfiguration": True,
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
    )
    yield "limited"
    athena.client.delete_work_group(WorkGroup="limited", RecursiveDeleteOption=True)


def scanned(execution: dict[str, Any]) -> int:
    return int(execution["Statistics"]["DataScannedInBytes"])


@pytest.mark.usefixtures("tables")
def test_a_query_is_described_as_it_was_sent(athena: Athena) -> None:
    sql = '-- a comment\n/* {"port": "orders.order_lines"} */ select id from ice order by id'
    execution = athena.run(sql)
    assert execution["Query"] == sql
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "SELECT")
    assert execution["ResultConfiguration"]["OutputLocation"] == f"{athena.output}{execution['QueryExecutionId']}.csv"


@pytest.mark.parametrize(
    ("sql", "kind", "part"),
    [
        (
            f"create table t with (external_location='{place('t')}') as (select 1 as id)",
            "DML",
            "CREATE_TABLE_AS_SELECT",
        ),
        ("insert into ice select 3, 'three'", "DML", "INSERT"),
        ("create or replace view v as select 1 as id", "DDL", "CREATE_VIEW"),
        ("drop table hive", "DDL", "DROP_TABLE"),
        ("alter table ice add columns (more string)", "DDL", "ALTER_TABLE"),
        ("show tables", "UTILITY", "SHOW"),
    ],
)
@pytest.mark.usefixtures("tables")
def test_kinds_of_statements(athena: Athena, sql: str, kind: str, part: str) -> None:
    execution = athena.run(sql)
    assert (execution["StatementType"], execution["SubstatementType"]) == (kind, part)


@pytest.mark.usefixtures("tables")
def test_the_result_is_a_file(athena: Athena, s3: Any) -> None:
    sql = "select id, name, cast(null as varchar) as nothing, 'a \"quote\", a\ncomma' as text from ice where id = 1"
    location = athena.run(sql)["ResultConfiguration"]["OutputLocation"]
    bucket, _, key = location.removeprefix("s3://").partition("/")
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert content == '"id","name","nothing","text"\n"1","one",,"a ""quote"", a\ncomma"\n'


@pytest.mark.usefixtures("database")
def test_results_come_in_pages(athena: Athena) -> None:
    execution_id = athena.run("select n from unnest(sequence(1, 2500)) as t (n)")["QueryExecutionId"]
    pages = list(athena.client.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id))
    values = [row["Data"][0]["VarCharValue"] for page in pages for row in page["ResultSet"]["Rows"]]
    assert [len(page["ResultSet"]["Rows"]) for page in pages] == [1000, 1000, 501]
    assert values == ["n", *map(str, range(1, 2501))]


@pytest.mark.usefixtures("tables")
def test_changed_rows_are_counted(athena: Athena) -> None:
    execution_id = athena.run("insert into ice values (3, 'three'), (4, 'four')")["QueryExecutionId"]
    assert athena.client.get_query_results(QueryExecutionId=execution_id)["UpdateCount"] == 2


@pytest.mark.usefixtures("database")
def test_bytes_are_those_read_from_s3(athena: Athena) -> None:
    athena.run(f"create table t with (external_location='{place('t')}', format='parquet') as {RANDOM.format(60)}")
    one = scanned(athena.run("select sum(a) from t"))
    both = scanned(athena.run("select sum(a), sum(b) from t"))
    assert 4_000_000 < one < 5_500_000
    assert 1.8 * one < both < 2.2 * one
    # The counts in Iceberg's and Parquet's metadata are enough, without reading columns.
    assert scanned(athena.run("select count(*) from t")) < 200_000
    assert scanned(athena.run("select 1 as one")) == 0


@pytest.mark.parametrize(
    ("kind", "read", "state", "billed"),
    [
        ("DML", 0, "SUCCEEDED", 10_000_000),
        ("DML", 10_000_000, "SUCCEEDED", 10_000_000),
        ("DML", 10_000_001, "SUCCEEDED", 11_000_000),
        ("DML", 25_500_000, "CANCELLED", 26_000_000),
        ("DML", 25_500_000, "FAILED", 0),
        ("DDL", 25_500_000, "SUCCEEDED", 0),
        ("UTILITY", 0, "SUCCEEDED", 0),
    ],
)
def test_what_is_billed(kind: str, read: int, state: str, billed: int) -> None:
    assert billed_bytes(kind, read, state) == billed


@pytest.mark.usefixtures("database")
def test_a_work_group_limits_bytes(athena: Athena, group: str) -> None:
    create = f"create table {{}} with (format='parquet') as {RANDOM}"
    athena.run(create.format("small", 20))
    athena.run(create.format("large", 120))
    assert athena.rows("select count(a), count(b) from small", WorkGroup=group) == [["200000", "200000"]]
    over = athena.wait(athena.start("select count(a), count(b) from large", WorkGroup=group))
    under = athena.wait(athena.start("select count(a), count(b) from large", WorkGroup="primary"))
    assert (over["Status"]["State"], over["Status"]["StateChangeReason"]) == (
        "CANCELLED",
        "Bytes scanned limit was exceeded",
    )
    assert under["Status"]["State"] == "SUCCEEDED"


@pytest.mark.usefixtures("database")
def test_a_work_group_enforces_its_output(athena: Athena, group: str) -> None:
    execution = athena.run("select 1 as one", WorkGroup=group)
    location = "s3://portmesh-lake/rig-tests/enforced/"
    assert execution["ResultConfiguration"]["OutputLocation"] == f"{location}{execution['QueryExecutionId']}.csv"
    create = f"create table t with (external_location='{place('t')}') as select 1 as id"
    assert "enforces a centralized output location" in athena.refused(create, WorkGroup=group)
    athena.run("create table t as select 1 as id", WorkGroup=group)
    athena.client.update_work_group(WorkGroup=group, ConfigurationUpdates={"EnforceWorkGroupConfiguration": False})
    execution = athena.run("select 1 as one", WorkGroup=group)
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(athena.output)
    # If the client names no location, the work group's location counts.
    assert athena.run("select 1 as one", WorkGroup=group, ResultConfiguration={})["ResultConfiguration"][
        "OutputLocation"
    ].startswith(location)


def test_a_work_group_is_changed(athena: Athena, group: str) -> None:
    shown = athena.client.get_work_group(WorkGroup=group)["WorkGroup"]["Configuration"]
    assert (shown["EnforceWorkGroupConfiguration"], shown["BytesScannedCutoffPerQuery"]) == (True, 10_000_000)
    athena.client.update_work_group(
        WorkGroup=group, ConfigurationUpdates={"RemoveBytesScannedCutoffPerQuery": True}, State="DISABLED"
    )
    shown = athena.client.get_work_group(WorkGroup=group)["WorkGroup"]
    assert "BytesScannedCutoffPerQuery" not in shown["Configuration"]
    with pytest.raises(ClientError, match="is disabled"):
        athena.start("select 1 as one", WorkGroup=group)
    names = [item["Name"] for item in athena.client.list_work_groups()["WorkGroups"]]
    assert names == ["primary", "limited"]


def test_what_a_work_group_may_not_be(athena: Athena, group: str) -> None:
    with pytest.raises(ClientError, match="already created"):
        athena.client.create_work_group(Name=group)
    with pytest.raises(ClientError, match="cannot be deleted"):
        athena.client.delete_work_group(WorkGroup="primary")
    with pytest.raises(ClientError, match="is not found"):
        athena.start("select 1 as one", WorkGroup="nobodys")


def test_an_output_location_is_needed(athena: Athena) -> None:
    with pytest.raises(ClientError, match="No output location provided"):
        athena.start("select 1 as one", ResultConfiguration={})


@pytest.mark.usefixtures("tables")
def test_a_result_is_used_again(athena: Athena) -> None:
    sql = "select count(*) as n, sum(id) as total from ice"
    first = athena.run(sql, **REUSE)
    athena.run("insert into ice values (3, 'three')")
    again = athena.run(sql, **REUSE)
    # As in Athena, a result is reused if it is recent enough, even if the table has changed.
    assert athena.rows(sql, **REUSE) == [["2", "3"]]
    fresh = athena.run(sql)
    assert athena.rows(sql) == [["3", "6"]]
    reused = [e["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] for e in (first, again, fresh)]
    assert reused == [False, True, False]
    assert scanned(again) == 0 < scanned(fresh)


@pytest.mark.usefixtures("database")
def test_a_query_is_stopped(athena: Athena) -> None:
    execution_id = athena.start(ENDLESS)
    athena.client.stop_query_execution(QueryExecutionId=execution_id)
    assert athena.wait(execution_id)["Status"]["State"] == "CANCELLED"
    with pytest.raises(ClientError, match="did not finish successfully"):
        athena.client.get_query_results(QueryExecutionId=execution_id)
    athena.client.stop_query_execution(QueryExecutionId=execution_id)
    assert athena.wait(execution_id)["Status"]["State"] == "CANCELLED"


@pytest.mark.usefixtures("database")
def test_queries_are_listed_newest_first(athena: Athena, group: str) -> None:
    ids = [athena.run(f"select {n} as n", WorkGroup=group)["QueryExecutionId"] for n in range(3)]
    assert athena.client.list_query_executions(WorkGroup=group)["QueryExecutionIds"][:3] == ids[::-1]
    shown = athena.client.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
    assert [execution["Query"] for execution in shown] == [f"select {n} as n" for n in range(3)]
    with pytest.raises(ClientError, match="was not found"):
        athena.client.get_query_execution(QueryExecutionId="00000000-0000-0000-0000-000000000000")


class StartingTrino:
    """A cursor of a Trino that does not know its own node for this many attempts."""

    def __init__(self, refusals: int, error: str = "NO_NODES_AVAILABLE") -> None:
        self.refusals = refusals
        self.error = error

    def execute(self, sql: str) -> None:
        self.refusals -= 1
        if self.refusals >= 0:
            raise trino.exceptions.TrinoQueryError({"errorName": self.error, "message": sql})

    def fetchall(self) -> list[list[int]]:
        return [[1]]


def test_a_query_waits_for_trinos_own_node(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nodes.rows_of(StartingTrino(2), "select 1") == [[1]]
    with pytest.raises(trino.exceptions.TrinoQueryError, match="SYNTAX_ERROR"):
        nodes.rows_of(StartingTrino(1, "SYNTAX_ERROR"), "select 1")
    monkeypatch.setattr(nodes, "SECONDS_WITHOUT_A_NODE", 0)
    with pytest.raises(trino.exceptions.TrinoQueryError, match="NO_NODES_AVAILABLE"):
        nodes.rows_of(StartingTrino(1000), "select 1")


def test_a_query_that_the_heap_does_not_hold_names_the_variable(athena: Athena) -> None:
    """Athena has more memory than a rig's Trino, so a failure that only a rig has says how to give it more."""
    large = ENDLESS.replace("count(*)", "cardinality(array_agg(x * 10000 + y))")
    reason = athena.refused(large)
    assert reason.startswith("EXCEEDED_LOCAL_MEMORY_LIMIT: ")
    assert reason.endswith("(On the rig: RIG_TRINO_HEAP=6G .venv-rig/bin/python -m rig restart athena)")
