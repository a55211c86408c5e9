"""One catalog and one lake: what one engine writes, the other reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from pyhive import hive

from tests.engines.rig.clients import Athena
from tests.rig_client import Rig


@pytest.fixture
def spark(rig: Rig) -> Iterator[Any]:
    """A session of Spark's Thrift server."""
    found = rig.variables()
    where = {"host": found["PORTMESH_SPARK_HOST"], "port": int(found["PORTMESH_SPARK_PORT"])}
    with closing(hive.connect(**where, username="tests", auth="NONE")) as connection:
        yield connection.cursor()


def rows(spark: Any, sql: str) -> list[tuple[Any, ...]]:
    spark.execute(sql)
    return list(spark.fetchall())


@pytest.mark.usefixtures("database")
def test_athena_reads_what_spark_writes(spark: Any, athena: Athena) -> None:
    spark.execute("create table rig_tests.written (id bigint, at timestamp_ntz) using iceberg")
    spark.execute("insert into rig_tests.written values (1, timestamp_ntz'2026-01-01 00:00:00')")
    assert athena.rows("select * from written") == [["1", "2026-01-01 00:00:00.000000"]]
    athena.run("update written set id = 2")
    assert rows(spark, "select id from rig_tests.written") == [(2,)]
    spark.execute("drop table rig_tests.written purge")


@pytest.mark.usefixtures("tables")
def test_spark_reads_what_athena_writes(spark: Any, athena: Athena) -> None:
    assert rows(spark, "select * from rig_tests.ice order by id") == [(1, "one"), (2, "two")]
    athena.run("delete from ice where id = 1")
    assert rows(spark, "select * from rig_tests.ice") == [(2, "two")]


def test_spark_is_set_as_the_ports_need_it(spark: Any) -> None:
    wanted = {
        "spark.sql.defaultCatalog": "glue",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.sources.partitionOverwriteMode": "STATIC",
        "spark.sql.catalog.glue.cache-enabled": "true",
        "spark.sql.catalog.glue.cache.expiration-interval-ms": "1",
    }
    assert {key: rows(spark, f"set `{key}`")[0][1] for key in wanted} == wanted


@pytest.mark.usefixtures("database")
def test_spark_writes_small_files(spark: Any) -> None:
    spark.execute("create table rig_tests.sized using iceberg as select 1 as id")
    properties = dict(rows(spark, "show tblproperties rig_tests.sized"))
    assert properties["write.target-file-size-bytes"] == "16777216"
    spark.execute("drop table rig_tests.sized purge")
