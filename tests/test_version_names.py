"""The kit parses the version names that the macros create, and no other names."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from portmesh.dbt import run_operation
from portmesh.upkeep.port_facts import read_mesh_facts
from portmesh.upkeep.version_names import VersionName, parse_version_name
from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("lines__20261123_061400_ab12cd", VersionName("lines", datetime(2026, 11, 23, 6, 14), "ab12cd")),
        (
            "lines__20261123_061400_ab12cd__increment",
            VersionName("lines", datetime(2026, 11, 23, 6, 14), "ab12cd", "increment"),
        ),
        (
            "a__20250101_000000_aaaaaa__20261123_061400_ab12cd",
            VersionName("a__20250101_000000_aaaaaa", datetime(2026, 11, 23, 6, 14), "ab12cd"),
        ),
        ("lines", None),
        ("lines__backup", None),
        ("__20261123_061400_ab12cd", None),
        ("lines_20261123_061400_ab12cd", None),
        ("lines__20261123_061400_ab12cg", None),
        ("lines__20261123_061400_ab12cd_old", None),
        ("lines__20261123_061400_ab12cd__OLD", None),
        ("lines__20269999_061400_ab12cd", None),
        ("lines__20261123_061400_ab12cd\n", None),
    ],
)
def test_the_parts_of_a_name(name: str, found: VersionName | None) -> None:
    assert parse_version_name(name) == found


@pytest.mark.engines(*ENGINES)
def test_the_names_that_a_build_makes_are_read(mesh: Mesh) -> None:
    """A first version, an increment and a refused one."""
    mesh.set_up("shop")
    mesh.port("shop/lines", "{{ config(unique_key='line_id') }}" + LINES, COLUMNS, meta=EXEMPT)
    assert mesh.dbt("deps").ok
    for rows in (good(50), good(60), f"{good(70)}{DUPLICATE}"):
        mesh.land("lines", rows)
        mesh.dbt("build")
    recorded = mesh.rows("select version, invocation_id, attempted_at from portmesh.publications__shop")
    assert len(recorded) == 3
    for name, run, attempted_at in recorded:
        found = parse_version_name(name)
        assert found, name
        assert (found.table, found.run, found.part) == ("lines", run[:6], "")
        assert found.began_at <= attempted_at.replace(tzinfo=None)
    beside = [name for name in mesh.engine.relations("shop__internal") if name.startswith("lines__2")]
    assert beside or mesh.target != "local"
    assert all(parse_version_name(name) for name in beside), beside


def test_the_macros_and_the_kit_take_the_same_for_versions(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    monkeypatch.chdir(mesh.folder)
    stem = "lines__20260101_000000_abcdef"
    made = [stem, f"{stem}__replaced", f"{stem}_old", f"{stem[:-1]}g", "lines__backup", f"other_{stem}", f"my_{stem}"]
    for name in made:
        mesh.engine.make_table(f"shop__internal.{name}", "select 1 as one")
    (told,) = json.loads(run_operation("mesh_status")[-1])["ports"]
    listed = {version["name"] for version in told["left"]}
    of_lines = {
        name for name in made if (parse_version_name(name) or VersionName("", datetime.min, "")).table == "lines"
    }
    assert listed == of_lines == {stem, f"{stem}__replaced"}


def test_a_table_whose_name_only_looks_like_a_versions_is_left_alone(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    monkeypatch.chdir(mesh.folder)
    mesh.engine.make_table("shop__internal.lines__20269999_000000_abcdef", "select 1 as one")
    (port,) = read_mesh_facts().ports
    assert port.left == []
