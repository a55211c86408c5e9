"""Ten ports of the demonstration in YAML alone have the same rows as the hand-written ones."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from portmesh.cli import main
from portmesh.scaffold.yaml_port_files import eject, plan_ejection, plan_files, write_files
from tests.mesh import Mesh
from tests.repository import copy_repository

pytestmark = pytest.mark.thorough

PORTS = yaml.safe_load(Path(__file__).with_name("yaml_ports.yml").read_text())
"""The models of the ports in YAML, by port."""


def folder_of(mesh: Mesh, port: str) -> Path:
    return mesh.folder / "domains" / port.partition(".")[0] / "models/output_ports"


def yaml_of(mesh: Mesh, port: str) -> Path:
    return folder_of(mesh, port) / f"{port.partition('.')[2]}.yml"


def build(mesh: Mesh) -> None:
    outcome = mesh.dbt("build", "--exclude", "package:platform", "product_pairs")
    assert outcome.ok, outcome.output


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """The mesh on three weeks of data: as it is. `by_hand` keeps the rows of ten ports."""
    folder = tmp_path_factory.mktemp("yaml_ports") / "mesh"
    copy_repository(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in {"DATABASE": "mesh.duckdb", "LAKE": ".lake"}.items():
            patch.setenv(f"PORTMESH_{name}", str(folder / value))
        patch.setenv("DBT_TARGET_PATH", str(folder / "target"))
        patch.setenv("DBT_LOG_PATH", str(folder / "logs"))
        with pytest.raises(SystemExit) as landed:
            main(["demo", "land", "--until", "2017-W03"])
        assert not landed.value.code
        found = Mesh(folder)
        assert found.dbt("deps").ok
        build(found)
        found.execute("create schema by_hand")
        for port in PORTS:
            found.execute(f"create table by_hand.{port.replace('.', '__')} as select * from {port}")
        yield found


@pytest.fixture(scope="module")
def in_yaml(mesh: Mesh) -> Mesh:
    for port, block in PORTS.items():
        file = yaml_of(mesh, port)
        text = textwrap.indent(yaml.safe_dump({"model": block}, sort_keys=False), " " * 8)
        file.with_suffix(".before").write_text(file.read_text())
        file.write_text(file.read_text().replace("      meta:\n", f"      meta:\n{text}", 1))
        file.with_suffix(".sql").unlink()
    assert len(write_files(plan_files(mesh.folder))) == len(PORTS) == 10
    build(mesh)
    return mesh


@pytest.mark.nightly
@pytest.mark.parametrize("port", PORTS)
def test_a_port_in_yaml_has_the_rows_of_the_hand_written_one(in_yaml: Mesh, port: str) -> None:
    made, by_hand = f"from {port}", f"from by_hand.{port.replace('.', '__')}"
    columns = in_yaml.rows(f"select column_name, column_type from (describe select * {made})")
    assert columns == in_yaml.rows(f"select column_name, column_type from (describe select * {by_hand})")
    assert in_yaml.value(f"select count(*) {made}") > 0
    assert in_yaml.rows(f"select * {made} except all select * {by_hand}") == []
    assert in_yaml.rows(f"select * {by_hand} except all select * {made}") == []


def test_eject_gives_back_each_yaml_file_as_it_was(in_yaml: Mesh) -> None:
    for port in PORTS:
        sql = yaml_of(in_yaml, port).with_suffix(".sql")
        made = sql.read_text()
        eject(plan_ejection(in_yaml.folder, port))
        assert yaml_of(in_yaml, port).read_text() == yaml_of(in_yaml, port).with_suffix(".before").read_text()
        assert made.endswith(sql.read_text())
        assert made.count("\n") - sql.read_text().count("\n") == 3
