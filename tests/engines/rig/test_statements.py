"""Athena's own SQL does the same on the rig as on Athena."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engines.rig.clients import Athena
from tests.engines.rig.conftest import place


def test_a_hive_table_of_files(athena: Athena, database: str, s3: Any, glue: Any) -> None:
    for day in ("2026-01-01", "2026-01-02"):
        s3.put_object(Bucket="portmesh-lake", Key=f"rig_tests/csv/day={day}/a.csv", Body=f"1;a{day}\n".encode())
    athena.run(
        "create external table csv (id bigint, name string) partitioned by (day string) "
        f"row format delimited fields terminated by ';' stored as textfile location '{place('csv')}'"
    )
    assert athena.rows("select * from csv") == []
    athena.run("alter table csv add if not exists partition (day = '2026-01-01')")
    assert athena.rows("select * from csv") == [["1", "a2026-01-01", "2026-01-01"]]
    assert "AlreadyExists" in athena.refused("alter table csv add partition (day = '2026-01-01')")
    athena.run("alter table csv add if not exists partition (day = '2026-01-01')")
    athena.run("msck repair table csv")
    assert athena.rows("select count(*) from csv") == [["2"]]
    athena.run("alter table csv drop partition (day = '2026-01-01')")
    assert athena.rows("select day from csv") == [["2026-01-02"]]
    athena.run("alter table csv replace columns (name string)")
    columns = glue.get_table(DatabaseName=database, Name="csv")["Table"]["StorageDescriptor"]["Columns"]
    assert columns == [{"Name": "name", "Type": "string"}]
    athena.run("drop table csv")
    assert s3.list_objects_v2(Bucket="portmesh-lake", Prefix="rig_tests/csv/")["KeyCount"] == 2


@pytest.mark.usefixtures("tables")
def test_the_columns_of_an_iceberg_table_change(athena: Athena) -> None:
    athena.run("alter table ice add columns (`at` timestamp, amount decimal(10,2))")
    athena.run("alter table ice change column name label string")
    athena.run("alter table ice change column id id bigint")
    athena.run("insert into ice values (3000000000, 'three', timestamp '2026-01-01 00:00:00.000001', decimal '1.50')")
    assert athena.rows("select id, label, at, amount from ice order by id desc limit 2") == [
        ["3000000000", "three", "2026-01-01 00:00:00.000001", "1.50"],
        ["2", "two", None, None],
    ]


@pytest.mark.usefixtures("database")
def test_an_iceberg_table_with_transforms(athena: Athena) -> None:
    athena.run(
        "create table t (id bigint, day string, at timestamp) partitioned by (day, month(at), bucket(4, id)) "
        f"location '{place('t')}' tblproperties ('table_type'='ICEBERG', 'format'='parquet')"
    )
    athena.run("insert into t values (1, 'monday', timestamp '2026-01-01 10:00:00.000000')")
    parts = athena.rows('select partition.day, partition.at_month, file_count from "t$partitions"')
    assert parts == [["monday", "672", "1"]]
    athena.run("insert into t values (1, 'monday', timestamp '2026-01-01 10:00:00.000000')")
    athena.run("optimize t rewrite data using bin_pack where day = 'tuesday'")
    assert athena.rows('select count(*) from "t$files"') == [["2"]]
    athena.run("optimize t rewrite data using bin_pack where day = 'monday'")
    assert athena.rows('select count(*) from "t$files"') == [["1"]]


@pytest.mark.usefixtures("tables")
def test_maintenance(athena: Athena) -> None:
    athena.run("insert into ice values (3, 'three')")
    athena.run("optimize ice rewrite data using bin_pack")
    athena.run("vacuum ice")
    assert athena.rows('select count(*) from "ice$files"') == [["1"]]
    assert athena.rows("select count(*) from ice") == [["3"]]


@pytest.mark.usefixtures("tables")
def test_an_old_version_is_read(athena: Athena) -> None:
    version = athena.rows('select snapshot_id from "ice$snapshots"')[0][0]
    athena.run("delete from ice where id = 1")
    assert athena.rows(f"select count(*) from ice for version as of {version}") == [["2"]]
    assert athena.rows("select count(*) from ice") == [["1"]]


def test_a_view(athena: Athena, tables: str, glue: Any) -> None:
    athena.run(
        "create or replace view v as select id, name, cast(row(1, 'a') as row(n bigint, s varchar)) as r from ice"
    )
    assert athena.rows("select r.n from v where id = 1") == [["1"]]
    # Glue shows the view's own columns, which `dbt docs` reads.
    columns = glue.get_table(DatabaseName=tables, Name="v")["Table"]["StorageDescriptor"]["Columns"]
    assert columns == [
        {"Name": "id", "Type": "int"},
        {"Name": "name", "Type": "string"},
        {"Name": "r", "Type": "struct<n:bigint,s:string>"},
    ]
    athena.run("drop view v")


def test_a_view_that_is_described(athena: Athena, tables: str, glue: Any) -> None:
    athena.run("create or replace view v as select id from ice")
    found = glue.get_table(DatabaseName=tables, Name="v")["Table"]
    taken = ("Name", "Owner", "StorageDescriptor", "ViewOriginalText", "ViewExpandedText", "TableType", "Parameters")
    described = {key: found[key] for key in taken} | {"Description": "A view."}
    described["Parameters"]["comment"] = "A view."
    described["StorageDescriptor"]["Columns"][0]["Comment"] = "The key."
    glue.update_table(DatabaseName=tables, TableInput=described)
    kept = glue.get_table(DatabaseName=tables, Name="v")["Table"]
    assert (kept["Description"], kept["StorageDescriptor"]["Columns"][0]["Comment"]) == ("A view.", "The key.")
    assert athena.rows("select count(*) from v") == [["2"]]
    athena.run("create or replace view v as select 1 as one")
    athena.run("drop view v")


@pytest.mark.usefixtures("database")
def test_values_as_athena_spells_them(athena: Athena) -> None:
    spelled = {
        "null": None,
        "''": "",
        "true": "true",
        "decimal '1.50'": "1.50",
        "date '2026-01-01'": "2026-01-01",
        "timestamp '2026-01-01 10:00:00.120'": "2026-01-01 10:00:00.120",
        "x'00ff'": "00 ff",
        "1e0": "1.0",
        "-12345678e0": "-1.2345678E7",
        "1e-4": "1.0E-4",
        "nan()": "NaN",
        "array[1, null]": "[1, null]",
        "map(array['k'], array[1e7])": "{k=1.0E7}",
        "cast(row(1, null, array[true]) as row(x integer, y varchar, z array(boolean)))": "{x=1, y=null, z=[true]}",
    }
    assert athena.rows(f"select {', '.join(spelled)}") == [list(spelled.values())]


@pytest.mark.usefixtures("tables")
def test_parameters(athena: Athena) -> None:
    assert athena.rows("select name from ice where id = ?", ExecutionParameters=["2"]) == [["two"]]
    assert athena.rows("select id from ice where name = ?", ExecutionParameters=["'one'"]) == [["1"]]
