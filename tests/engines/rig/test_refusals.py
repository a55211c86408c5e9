"""The rig refuses what Athena refuses, and accepts similar statements that Athena accepts."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.engines.rig.clients import Athena
from tests.engines.rig.conftest import place

ICEBERG = "table_type='iceberg', is_external=false"


@pytest.mark.parametrize(
    "sql",
    [
        "create or replace table ice as select 1 as id",
        "call iceberg.system.rollback_to_snapshot('rig_tests', 'ice', 1)",
        "truncate table ice",
        "comment on table ice is 'x'",
        "start transaction",
        "commit",
        "rollback",
        "grant select on ice to role someone",
        "set session query_max_run_time = '1m'",
        "analyze ice",
        "use rig_tests",
        "create materialized view m as select 1 as id",
        "create role someone",
    ],
)
@pytest.mark.usefixtures("tables")
def test_a_statement_that_athena_does_not_have(athena: Athena, sql: str) -> None:
    assert "SYNTAX_ERROR" in athena.refused(sql)


@pytest.mark.parametrize("sql", ["show current roles", "show grants", "describe output x", "describe input x"])
@pytest.mark.usefixtures("tables")
def test_a_form_of_a_statement_that_athena_does_not_have(athena: Athena, sql: str) -> None:
    assert athena.refused(sql).endswith("is not supported.")


@pytest.mark.usefixtures("tables")
def test_forms_of_the_same_statements_that_athena_has(athena: Athena) -> None:
    # Its result has no header, but `rows` removes one.
    results = athena.client.get_query_results(QueryExecutionId=athena.run("show tables")["QueryExecutionId"])
    assert [row["Data"][0]["VarCharValue"] for row in results["ResultSet"]["Rows"]] == ["hive", "ice"]
    athena.run("describe ice")


@pytest.mark.parametrize(
    ("sql", "near"),
    [
        (
            "/* step: write */ create table new (id int) location 's3://x/y' tblproperties ('table_type'='ICEBERG')",
            "'/' '*'",
        ),
        ("-- dbt's\n/* step: write */ create external table new (id int) location 's3://x/y'", "'/' '*'"),
        ("/* step: write */ alter table ice add columns (other int)", "'/' '*'"),
        ("-- dbt's\nalter table ice rename to other", "'-' '-'"),
        ("/* a */ drop table ice", "'/' '*'"),
        ("/* a */ msck repair table hive", "'/' '*'"),
        ("-- dbt's\nvacuum ice", "'-' '-'"),
        ("/* a */ optimize ice rewrite data using bin_pack", "'/' '*'"),
    ],
)
@pytest.mark.usefixtures("tables")
def test_a_comment_before_hives_ddl(athena: Athena, sql: str, near: str) -> None:
    assert f"cannot recognize input near {near}" in athena.refused(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "/* a */ select * from ice",
        "-- /* a */\n/* b */ insert into ice select * from ice where false",
        "-- /* a */\n/* b */ create or replace view rows_of_ice as select * from ice",
    ],
)
@pytest.mark.usefixtures("tables")
def test_a_comment_before_anything_else(athena: Athena, sql: str) -> None:
    athena.run(sql)


@pytest.mark.usefixtures("tables")
def test_two_statements_in_one(athena: Athena) -> None:
    assert "Only one sql statement is allowed" in athena.refused("select 1; select 2")
    assert athena.rows("select ';' as semicolon /* ; */;") == [[";"]]


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("update {} set name = 'changed' where id = 1", [["1", "changed"], ["2", "two"]]),
        ("delete from {} where id = 1", [["2", "two"]]),
        (
            "merge into {} t using (select 2 as id) s on t.id = s.id when matched then delete",
            [["1", "one"]],
        ),
    ],
)
@pytest.mark.usefixtures("tables")
def test_rows_change_in_iceberg_tables_only(athena: Athena, statement: str, rows: list[list[str]]) -> None:
    assert "only supported for transactional tables" in athena.refused(statement.format("hive"))
    athena.run(statement.format("ice"))
    assert athena.rows("select * from ice order by id") == rows


@pytest.mark.usefixtures("tables")
def test_only_iceberg_tables_are_renamed(athena: Athena) -> None:
    assert "RENAME is only supported for Iceberg" in athena.refused("alter table hive rename to other")
    athena.run("alter table ice rename to other")
    assert athena.rows("select count(*) from other") == [["2"]]


@pytest.mark.usefixtures("tables")
def test_only_iceberg_tables_lose_columns_one_by_one(athena: Athena) -> None:
    assert "DROP COLUMN is only supported for Iceberg" in athena.refused("alter table hive drop column name")
    athena.run("alter table ice drop column name")
    assert athena.rows("select * from ice order by id") == [["1"], ["2"]]


@pytest.mark.parametrize(
    "action",
    [
        "execute expire_snapshots(retention_threshold => '7d')",
        "set properties format_version = 2",
        "create branch audit",
        "set authorization someone",
    ],
)
@pytest.mark.usefixtures("tables")
def test_a_way_to_alter_a_table_that_athena_does_not_have(athena: Athena, action: str) -> None:
    assert "Athena has no ALTER TABLE" in athena.refused(f"alter table ice {action}")


@pytest.mark.parametrize("name", ["with-dash", "with space", "gr\u00f6sse"])
@pytest.mark.usefixtures("tables")
def test_a_name_has_letters_digits_and_underscores(athena: Athena, name: str) -> None:
    for sql in (f"create database `{name}`", f'create table "{name}" as select 1 as id'):
        assert "special characters other than underscore" in athena.refused(sql)


@pytest.mark.usefixtures("database")
def test_an_upper_case_name_is_the_lower_case_one(athena: Athena, glue: Any) -> None:
    athena.run(f"create table Mixed with (external_location='{place('mixed')}') as select 1 as Id")
    assert glue.get_table(DatabaseName="RIG_TESTS", Name="MIXED")["Table"]["Name"] == "mixed"
    assert athena.rows("select iD from MIXED") == [["1"]]


@pytest.mark.usefixtures("database")
def test_an_iceberg_table_needs_a_location(athena: Athena) -> None:
    assert "location can not be empty" in athena.refused(f"create table t with ({ICEBERG}) as select 1 as id")
    columns = "create table t (id bigint) {} tblproperties ('table_type'='ICEBERG')"
    assert "has no LOCATION" in athena.refused(columns.format(""))
    athena.run(columns.format(f"location '{place('t')}'"))
    assert athena.rows("select * from t") == []


@pytest.mark.usefixtures("database")
def test_external_is_for_hive_tables(athena: Athena) -> None:
    columns = f"table t (id bigint) location '{place('t')}'"
    iceberg = " tblproperties ('table_type'='ICEBERG')"
    assert "External keyword not supported" in athena.refused(f"create external {columns}{iceberg}")
    assert "needs the keyword EXTERNAL" in athena.refused(f"create {columns}")
    athena.run(f"create external {columns}")
    assert athena.rows("select * from t") == []


@pytest.mark.usefixtures("tables")
def test_create_table_like(athena: Athena) -> None:
    assert "CREATE TABLE LIKE is not supported" in athena.refused("create table t like ice")


def test_a_property_of_an_iceberg_table(athena: Athena, tables: str, glue: Any) -> None:
    for properties in ("('owner'='me')", "('write.target-file-size-bytes'='1')"):
        assert "Unsupported table property key" in athena.refused(f"alter table ice set tblproperties {properties}")
    athena.run("alter table ice set tblproperties ('vacuum_max_snapshot_age_seconds'='60')")
    parameters = glue.get_table(DatabaseName=tables, Name="ice")["Table"]["Parameters"]
    assert parameters["vacuum_max_snapshot_age_seconds"] == "60"


@pytest.mark.usefixtures("database")
def test_a_property_of_create_table_as(athena: Athena) -> None:
    for properties in ("owner='me'", f"{ICEBERG}, external_location='{place('t')}'", f"location='{place('t')}'"):
        assert "Unsupported table property" in athena.refused(f"create table t with ({properties}) as select 1 as id")
    properties = f"{ICEBERG}, location='{place('t')}', write_compression='zstd', partitioning=ARRAY['bucket(id, 4)']"
    athena.run(f"create table t with ({properties}) as select 1 as id")
    assert athena.rows("select * from t") == [["1"]]


@pytest.mark.usefixtures("database")
def test_create_table_as_needs_an_empty_location(athena: Athena, s3: Any) -> None:
    s3.put_object(Bucket="portmesh-lake", Key="rig_tests/t/old.parquet", Body=b"old")
    create = f"create table t with (external_location='{place('t')}') as select 1 as id"
    assert "HIVE_PATH_ALREADY_EXISTS" in athena.refused(create)
    s3.delete_object(Bucket="portmesh-lake", Key="rig_tests/t/old.parquet")
    athena.run(create)
    assert athena.rows("select * from t") == [["1"]]


@pytest.mark.usefixtures("tables")
def test_a_table_that_exists(athena: Athena) -> None:
    create = f"create table ice with ({ICEBERG}, location='{place('other')}') as select 9 as id"
    assert "TABLE_ALREADY_EXISTS" in athena.refused(create)
    athena.run(create.replace("create table", "create table if not exists"))
    assert athena.rows("select count(*) from ice") == [["2"]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("timestamp '2026-01-01 00:00:00.000'", "Timestamp precision (3) not supported for Iceberg"),
        ("cast(1 as smallint)", "Type not supported for Iceberg: smallint"),
        ("cast(1 as tinyint)", "Type not supported for Iceberg: tinyint"),
        ("cast('a' as char(3))", "Type not supported for Iceberg: char"),
    ],
)
@pytest.mark.usefixtures("database")
def test_types_of_an_iceberg_table(athena: Athena, value: str, message: str) -> None:
    create = f"create table t with ({ICEBERG}, location='{place('t')}') as select {value} as v"
    assert message in athena.refused(create)


@pytest.mark.usefixtures("database")
def test_timestamps_have_six_digits_in_iceberg_and_three_in_hive(athena: Athena) -> None:
    six = "select timestamp '2026-01-01 00:00:00.123456' as v"
    assert "the configured precision is MILLISECONDS" in athena.refused(
        f"create table h with (external_location='{place('h')}') as {six}"
    )
    athena.run(f"create table i with ({ICEBERG}, location='{place('i')}') as {six}")
    assert athena.rows("select v from i") == [["2026-01-01 00:00:00.123456"]]
    three = "select timestamp '2026-01-01 00:00:00.123' as v"
    athena.run(f"create table h with (external_location='{place('h')}') as {three}")
    assert athena.rows("select v from h") == [["2026-01-01 00:00:00.123"]]


@pytest.mark.parametrize("kind", ["iceberg", "hive"])
@pytest.mark.usefixtures("database")
def test_a_statement_opens_a_hundred_partitions(athena: Athena, kind: str) -> None:
    with_ = {
        "iceberg": f"{ICEBERG}, location='{{}}', partitioning=ARRAY['p']",
        "hive": "external_location='{}', partitioned_by=ARRAY['p']",
    }[kind]
    create = "create table {} with ({}) as select n as id, n as p from unnest(sequence(1, {})) as t (n)"
    refusal = athena.refused(create.format("t", with_.format(place("t")), 101))
    assert "TOO_MANY_OPEN_PARTITIONS" in refusal
    athena.run(create.format("u", with_.format(place("u")), 100))
    assert athena.rows("select count(distinct p) from u") == [["100"]]


@pytest.mark.usefixtures("database")
def test_a_statement_has_256_kilobytes(athena: Athena) -> None:
    filler = "select 1 as one -- " + "x" * 262_125
    assert len(filler) == 262_144
    assert athena.rows(filler) == [["1"]]
    with pytest.raises(ClientError, match="less than or equal to 262144"):
        athena.start(filler + "x")


@pytest.mark.usefixtures("tables")
def test_a_database_that_holds_tables(athena: Athena) -> None:
    assert "is not empty" in athena.refused("drop database rig_tests")
    athena.run("drop database rig_tests cascade")
    athena.run("create database rig_tests")
    assert "already exists" in athena.refused("create database rig_tests")
    athena.run("create database if not exists rig_tests")
