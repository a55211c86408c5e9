"""dbt-spark needs each macro in macros/engines/spark/adapter.sql. These tests show what goes wrong without it."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager

import boto3
import pytest
from pyhive.exc import OperationalError

from tests import feature_mesh
from tests.engine_glue import empty_lake, lake
from tests.engines.adapter import left_to_the_adapter
from tests.mesh import Mesh
from tests.rig_client import Rig

pytestmark = pytest.mark.writes_json

BUILT = [
    "int_shop__merge",
    "int_shop__change_sync_all_columns",
    "sales_by_check",
    "sales_by_timestamp",
    "int_shop__switched",
    "+lines",
]


@pytest.fixture(scope="module")
def mesh(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Mesh:  # noqa: ARG001 - it has to be up
    """The mesh of tests/features on Spark, built once and then changed for a second run."""
    empty_lake()
    mesh = Mesh(tmp_path_factory.mktemp("features"), "emr")
    feature_mesh.lay_out(mesh)
    assert mesh.dbt("deps").ok
    feature_mesh.land_first(mesh)
    built = feature_mesh.build(mesh, "--select", *BUILT)
    assert built.ok, built.output
    shutil.copytree(mesh.folder / "target", mesh.folder / "production")
    feature_mesh.overlay(mesh, "second")
    mesh.land("sales", feature_mesh.SECOND)
    assert mesh.dbt("run", "--select", "stg_raw__sales").ok
    return mesh


def without(mesh: Mesh, *names: str) -> AbstractContextManager[None]:
    return left_to_the_adapter(mesh, "spark", *names)


def test_a_view_is_not_stored(mesh: Mesh) -> None:
    with without(mesh, "view"):
        built = mesh.dbt("run", "--select", "int_shop__view_of_merge")
    assert "is not supported by catalog" in built.messages["int_shop__view_of_merge"]


def test_a_database_has_no_place_in_the_lake(mesh: Mesh) -> None:
    def location(schema: str) -> str:
        return str(boto3.client("glue").get_database(Name=schema)["Database"].get("LocationUri", ""))

    assert location("shop") == f"{lake()}/shop"
    feature_mesh.lay_out(mesh, environment="dev_bo")
    with without(mesh, "spark__create_schema"):
        assert mesh.dbt("run", "--select", "int_shop__hooked").ok
    feature_mesh.lay_out(mesh)
    feature_mesh.overlay(mesh, "second")
    assert location("dev_bo__shop__internal") != f"{lake()}/dev_bo__shop__internal"


def test_relations_are_not_listed_by_one_statement(mesh: Mesh) -> None:
    with pytest.raises(OperationalError, match="SHOW TABLE EXTENDED is not supported for v2 tables"):
        mesh.engine.run("show table extended in shop like '*'")


def test_a_statement_without_rows_fails_in_run_query(mesh: Mesh) -> None:
    with without(mesh, "run_query"):
        done = mesh.dbt("run-operation", "shop.tidy")
    assert "'NoneType' object is not iterable" in done.output


def test_a_seeds_large_number_of_a_guessed_type_changes(mesh: Mesh) -> None:
    mesh.write("domains/shop/seeds/exact.csv", "id\n9007199254740993\n")
    with without(mesh, "spark__load_csv_rows"):
        assert mesh.dbt("seed", "--select", "exact").ok
    assert mesh.value("select id from shop__internal.exact") == 9007199254740992
    assert mesh.dbt("seed", "--select", "exact").ok
    assert mesh.value("select id from shop__internal.exact") == 9007199254740993


def test_a_snapshots_second_run_wants_a_view(mesh: Mesh) -> None:
    with without(mesh, "spark_build_snapshot_staging_table"):
        built = mesh.dbt("snapshot", "--select", "sales_by_check")
    assert "is not supported by catalog" in built.messages["sales_by_check"]


def test_a_snapshots_record_of_a_deleted_row_is_empty(mesh: Mesh) -> None:
    with without(mesh, "spark__get_columns_in_relation"):
        assert mesh.dbt("snapshot", "--select", "sales_by_timestamp").ok
    deleted = mesh.rows("select sale_id, amount from shop__internal.sales_by_timestamp where dbt_is_deleted = 'True'")
    assert deleted == [(None, None)]


def test_a_snapshots_times_have_a_zone(mesh: Mesh) -> None:
    with without(mesh, "spark__current_timestamp"):
        assert mesh.dbt("snapshot", "--select", "changing_columns").ok
    types = dict(mesh.engine.columns("shop__internal.changing_columns"))
    assert types["dbt_valid_from"] == "timestamp"
    types = dict(mesh.engine.columns("shop__internal.sales_by_check"))
    assert types["dbt_valid_from"] == "timestamp_ntz"


def test_nothing_is_added_to_a_time(mesh: Mesh) -> None:
    later = """select {{ dbt.dateadd('hour', 1, "cast('2024-02-29 23:30:00' as timestamp)") }} as later"""
    with without(mesh, "spark__dateadd"):
        assert not mesh.dbt("show", "--inline", later).ok
    assert "2024-03-01 00:30:00" in mesh.dbt("show", "--inline", later).output


def test_a_column_cannot_go(mesh: Mesh) -> None:
    with without(mesh, "spark__alter_relation_add_remove_columns"):
        built = mesh.dbt("run", "--select", "int_shop__change_sync_all_columns")
    assert "does not support dropping columns" in built.messages["int_shop__change_sync_all_columns"]


def test_a_description_with_a_backslash_breaks_the_statement(mesh: Mesh) -> None:
    with without(mesh, "spark__comment_clause"):
        built = mesh.dbt("run", "--select", "int_shop__described_table")
    assert "PARSE_SYNTAX_ERROR" in built.messages["int_shop__described_table"]


def test_a_port_has_no_description(mesh: Mesh) -> None:
    feature_mesh.lay_out(mesh, environment="dev_dora")
    with without(mesh, "spark__persist_docs"):
        built = mesh.dbt("run", "--select", "+lines")
    feature_mesh.lay_out(mesh)
    feature_mesh.overlay(mesh, "second")
    assert built.ok, built.output
    assert feature_mesh.descriptions(mesh, "dev_dora__shop.lines")["dev_dora__shop.lines"] is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("clone", "shallow clone requires file_format be set to 'delta'"),
        ("spark__create_or_replace_clone", "PARSE_SYNTAX_ERROR"),
    ],
)
def test_iceberg_has_no_clones(mesh: Mesh, name: str, fault: str) -> None:
    feature_mesh.lay_out(mesh, environment=f"dev_{name[:5]}")
    with without(mesh, name):
        cloned = mesh.dbt("clone", "--select", "int_shop__merge", "--state", str(mesh.folder / "production"))
    feature_mesh.lay_out(mesh)
    feature_mesh.overlay(mesh, "second")
    assert fault in cloned.messages["int_shop__merge"]


def test_grants_fail(mesh: Mesh) -> None:
    with without(mesh, "spark__apply_grants"):
        seeded = mesh.dbt("seed", "--select", "kinds")
    assert seeded.statuses["kinds"] == "error"
    assert "Operation not allowed: grant" in seeded.messages["kinds"]
