"""A domain's models that are not ports can move from one engine to the other."""

from __future__ import annotations

from pathlib import Path

from tests import feature_mesh
from tests.engine_glue import empty_lake
from tests.mesh import Mesh
from tests.rig_client import Rig

DROP = ["run-operation", "drop_internal_views", "--args", "{domain: shop}"]
MODEL = "select '{}' as engine"
RELATION = "shop__internal.int_shop__switched"


def test_a_view_moves_from_athena_to_spark_and_back(rig: Rig, tmp_path: Path) -> None:  # noqa: ARG001 - it has to be up
    empty_lake()
    athena, spark = Mesh(tmp_path, "athena"), Mesh(tmp_path, "emr")
    feature_mesh.land_first(athena)

    def build(mesh: Mesh) -> str:
        feature_mesh.lay_out(mesh)
        mesh.write("domains/shop/models/intermediate/int_shop__switched.sql", MODEL.format(mesh.target))
        assert mesh.dbt("deps").ok
        return mesh.dbt("run", "--select", "int_shop__switched").messages["int_shop__switched"]

    assert build(athena) == "OK 0"
    assert "Input Glue table is not an iceberg table" in build(spark)
    refused = spark.dbt(*DROP)
    assert not refused.ok
    assert "dbt run-operation drop_internal_views --target athena" in refused.output
    feature_mesh.lay_out(athena)
    assert "Dropped 1 views in shop__internal." in athena.dbt(*DROP).output

    assert build(spark) == "OK"
    assert [mesh.value(f"select engine from {RELATION}") for mesh in (spark, athena)] == ["emr", "emr"]
    assert build(athena) == "OK 0"
    assert athena.value(f"select engine from {RELATION}") == "athena"
