"""The whole demonstration mesh builds on DuckDB, Spark and Athena, and every port has the same rows and types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow
import pytest

from portmesh.cli import main
from tests.engine_glue import OnGlue, empty_lake
from tests.mesh import REPOSITORY, Mesh

TARGETS = ("local", "emr", "athena")
# Columns that differ from run to run: times, ids, seconds.
OF_THE_RUN = ("platform",)
FIRST_WEEKS, NEXT_WEEK = ("2017-W02", "2017-01-16 06:00:00"), ("2017-W03", "2017-01-23 06:00:00")


class Demonstration(Mesh):
    """The repository's mesh on one engine, in an environment named after it."""

    @property
    def project(self) -> Path:
        return REPOSITORY

    def build(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PORTMESH_ENVIRONMENT", f"on_{self.target}")
            patch.setenv("DBT_TARGET_PATH", str(self.folder / self.target / "target"))
            patch.setenv("DBT_LOG_PATH", str(self.folder / self.target / "logs"))
            built = self.dbt("build", "--target", self.target, "--exclude", "file:*.py")
        assert built.ok, built.output

    def port(self, name: str) -> pyarrow.Table:  # type: ignore[override]
        """All rows of a port, read from its files."""
        product, port = name.split(".")
        if isinstance(self.engine, OnGlue):
            return self.engine.catalog.load_table(f"on_{self.target}__{product}.{port}").scan().to_arrow()
        with duckdb.connect(str(self.database)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.sql(f"from on_local__{product}.{port}").to_arrow_table()

    def kinds(self) -> dict[str, str]:
        """How each port was last attempted: full or increment."""
        records = self.engine.records("publications", f"on_{self.target}__portmesh")
        ports = (
            f"select product || '.' || port, max_by(kind, attempted_at) from {records} group by product || '.' || port"
        )
        return dict(self.rows(ports))


def land(target: str, until: str, landed_at: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["demo", "land", "--target", target, "--until", until, "--landed-at", landed_at])
    assert not stop.value.code


@pytest.fixture(scope="module")
def meshes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Demonstration]]:
    """The mesh on every engine, built from the same weeks, and built again after one more week has landed."""
    request.getfixturevalue("rig")
    folder = tmp_path_factory.mktemp("meshes")
    empty_lake()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        patch.setenv("PORTMESH_DATABASE", str(folder / "mesh.duckdb"))
        patch.setenv("PORTMESH_LAKE", str(folder / "lake"))
        meshes = {target: Demonstration(folder, target) for target in TARGETS}
        for until, landed_at in (FIRST_WEEKS, NEXT_WEEK):
            land("local", until, landed_at)
            land("emr", until, landed_at)
            for mesh in meshes.values():
                mesh.build()
        yield meshes


def ports(meshes: dict[str, Demonstration]) -> list[str]:
    return sorted(meshes["local"].kinds())


def test_every_port_is_published_on_every_engine(meshes: dict[str, Demonstration]) -> None:
    expected = meshes["local"].kinds()
    assert len(expected) == 14
    assert [name for name, kind in expected.items() if kind == "increment"]
    for target in ("emr", "athena"):
        assert meshes[target].kinds() == expected


@pytest.mark.parametrize("target", ["emr", "athena"])
def test_every_port_has_the_types_of_its_contract(meshes: dict[str, Demonstration], target: str) -> None:
    """The types as on DuckDB, except for tinyint and smallint, which Iceberg stores as int."""
    for name in ports(meshes):
        expected = {field.name: stored(field.type) for field in meshes["local"].port(name).schema}
        got = {field.name: stored(field.type) for field in meshes[target].port(name).schema}
        assert got == expected, name


def stored(kind: pyarrow.DataType) -> str:
    """A common name for equivalent Arrow types of Iceberg and DuckDB."""
    return {"int8": "int32", "int16": "int32", "large_string": "string", "date32[day]": "date"}.get(
        str(kind), str(kind)
    )


@pytest.mark.parametrize("target", ["emr", "athena"])
def test_every_port_has_the_same_rows(meshes: dict[str, Demonstration], target: str) -> None:
    for name in ports(meshes):
        if name.split(".")[0] in OF_THE_RUN:
            continue
        assert checksums(meshes[target].port(name)) == checksums(meshes["local"].port(name)), name


def checksums(rows: pyarrow.Table) -> dict[str, tuple[int, int]]:
    """The number of values and the sum of their hashes, for each column and for whole rows."""
    columns = sorted(rows.column_names)
    texts = {name: f'cast("{name}" as varchar)' for name in columns} | {
        "whole rows": "row(" + ", ".join(f'cast("{name}" as varchar)' for name in columns) + ")"
    }
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("port", rows)
        sums = ", ".join(f"count({text}), sum(hash({text}))" for text in texts.values())
        found = connection.execute(f"select {sums} from port").fetchone()
    assert found is not None
    return {name: (found[2 * place], found[2 * place + 1]) for place, name in enumerate(texts)}


def test_a_checksum_sees_every_difference() -> None:
    """The comparison finds an extra row, a value in another row, and a type with a different precision."""
    rows = pyarrow.table({"key": [1, 2], "text": ["a", "b"]})
    assert checksums(rows) == checksums(rows.take([1, 0]))
    for other in (
        pyarrow.table({"key": [1, 2, 2], "text": ["a", "b", "b"]}),
        pyarrow.table({"key": [1, 2], "text": ["b", "a"]}),
        pyarrow.table({"key": [1, 2], "text": ["a", None]}),
        pyarrow.table({"key": [1.0, 2.0], "text": ["a", "b"]}),
    ):
        assert checksums(rows) != checksums(other)
