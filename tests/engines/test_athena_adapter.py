"""dbt-athena needs each macro in macros/engines/athena/adapter.sql. These tests show what goes wrong without it."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager

import boto3
import pytest

from tests import feature_mesh
from tests.engine_glue import empty_lake
from tests.engines.adapter import left_to_the_adapter
from tests.mesh import Mesh
from tests.rig_client import Rig

pytestmark = pytest.mark.writes_json


@pytest.fixture(scope="module")
def mesh(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Mesh:  # noqa: ARG001 - it has to be up
    """The mesh of tests/features on Athena, with a table to clone."""
    empty_lake()
    mesh = Mesh(tmp_path_factory.mktemp("features"), "athena")
    feature_mesh.lay_out(mesh)
    assert mesh.dbt("deps").ok
    feature_mesh.land_first(mesh)
    built = feature_mesh.build(mesh, "--select", "+int_shop__merge")
    assert built.ok, built.output
    shutil.copytree(mesh.folder / "target", mesh.folder / "production")
    return mesh


def without(mesh: Mesh, *names: str) -> AbstractContextManager[None]:
    return left_to_the_adapter(mesh, "athena", *names)


def test_timestamps_have_milliseconds(mesh: Mesh) -> None:
    with without(mesh, "athena__type_timestamp"):
        shown = mesh.dbt("show", "--inline", "select typeof(cast('2024-01-01' as {{ dbt.type_timestamp() }})) as type")
    assert "timestamp(3)" in shown.output


def test_a_seed_loses_what_its_text_says(mesh: Mesh) -> None:
    with without(mesh, "athena__create_csv_table", "athena__load_csv_rows"):
        seeded = mesh.dbt("seed", "--select", "kinds")
    kept = mesh.rows("select counted_at, note from shop__internal.kinds where code = '007'") if seeded.ok else []
    assert not any(at.microsecond == 123456 or "\\d\\\\" in note for at, note in kept)


def test_a_clone_is_a_view(mesh: Mesh) -> None:
    feature_mesh.lay_out(mesh, environment="dev_bo")
    with without(mesh, "athena__can_clone_table"):
        cloned = mesh.dbt("clone", "--select", "int_shop__merge", "--state", str(mesh.folder / "production"))
    feature_mesh.lay_out(mesh)
    assert cloned.ok, cloned.output
    table = boto3.client("glue").get_table(DatabaseName="dev_bo__shop__internal", Name="int_shop__merge")["Table"]
    assert table["TableType"] == "VIRTUAL_VIEW"


def test_a_table_that_can_be_cloned_cannot_be_replaced(mesh: Mesh) -> None:
    feature_mesh.lay_out(mesh, environment="dev_cleo")
    with without(mesh, "athena__create_or_replace_clone"):
        cloned = mesh.dbt("clone", "--select", "int_shop__merge", "--state", str(mesh.folder / "production"))
    feature_mesh.lay_out(mesh)
    assert cloned.statuses["int_shop__merge"] == "error"


def test_a_unit_tests_types_fit_no_table(mesh: Mesh) -> None:
    folder = "domains/shop/models/intermediate"
    mesh.write(
        f"{folder}/int_shop__narrow.sql",
        "select cast(sale_id as smallint) as sale_id, cast(timestamp '2024-01-01' as timestamp(6)) as at "
        "from {{ ref('int_shop__merge') }}",
    )
    mesh.write(
        f"{folder}/_narrow.yml",
        "unit_tests: [{name: narrow, model: int_shop__narrow, expect: {rows: [{sale_id: 1}]}, "
        "given: [{input: ref('int_shop__merge'), rows: [{sale_id: 1}]}]}]",
    )
    with without(mesh, "athena__get_create_table_as_sql"):
        tested = mesh.dbt("test", "--select", "narrow")
    assert tested.statuses["narrow"] == "error", tested.output
    assert mesh.dbt("test", "--select", "narrow").ok


def test_grants_fail(mesh: Mesh) -> None:
    with without(mesh, "athena__apply_grants"):
        seeded = mesh.dbt("seed", "--select", "kinds")
    assert seeded.statuses["kinds"] == "error"
    assert "mismatched input 'grant select" in seeded.messages["kinds"]


def test_a_decimal_is_no_number_of_failures(mesh: Mesh) -> None:
    found = "{{ config(fail_calc='coalesce(sum(cast(n as decimal(10, 2))), 0)') }} select 1 as n where false"
    path = mesh.write("domains/shop/tests/summed.sql", found)
    with without(mesh, "athena__get_test_sql"):
        tested = mesh.dbt("test", "--select", "summed")
    path.unlink()
    assert "'0.00' is not of type 'integer'" in tested.messages["summed"], tested.output
