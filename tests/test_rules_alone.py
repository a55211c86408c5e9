"""A domain is built from the mesh's root, never as a separate project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.mesh import REPOSITORY, Mesh

pytestmark = pytest.mark.thorough

REFUSED = "run dbt in the root of the repository: a domain alone has no rules and no checks"


@pytest.fixture
def shop(mesh: Mesh) -> Mesh:
    """A mesh with the repository's own profile, in its root and in its folder profiles."""
    mesh.set_up("shop")
    mesh.write("domains/shop/models/intermediate/int_shop__one.sql", "select 1 as one")
    profile = yaml.safe_load((REPOSITORY / "profiles" / "profiles.yml").read_text())
    profile["portmesh"]["outputs"]["local"]["path"] = str(mesh.database)
    for folder in ("", "profiles/"):
        mesh.write(f"{folder}profiles.yml", yaml.safe_dump(profile))
    assert dbt(mesh.folder, "deps").returncode == 0
    return mesh


def dbt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("folder", "options"),
    [
        ("domains/shop", ["--profiles-dir", "../.."]),
        ("domains/shop", ["--profiles-dir", "{root}"]),
        ("domains/shop", ["--profiles-dir", "{root}/profiles"]),
        ("domains/shop/models", ["--profiles-dir", "{root}"]),
        (".", ["--project-dir", "domains/shop"]),
    ],
)
def test_the_profile_of_the_mesh_is_not_for_a_domain_alone(shop: Mesh, folder: str, options: list[str]) -> None:
    options = [option.format(root=shop.folder) for option in options]
    refused = dbt(shop.folder / folder, "run", "--profile", "portmesh", *options)
    assert refused.returncode == 2
    assert REFUSED in refused.stdout
    assert not shop.database.exists()


def test_without_a_profile_dbt_itself_refuses(shop: Mesh) -> None:
    refused = dbt(shop.folder / "domains/shop", "run")
    assert refused.returncode == 2
    assert "profile" in refused.stdout + refused.stderr


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("folder", "options"),
    [
        (".", []),
        (".", ["--profiles-dir", "profiles"]),
        ("domains", ["--profiles-dir", "{root}"]),
        ("domains", ["--profiles-dir", "../profiles"]),
    ],
)
def test_the_root_is_built_from_anywhere_in_it(shop: Mesh, folder: str, options: list[str]) -> None:
    options = [option.format(root=shop.folder) for option in options]
    parsed = dbt(shop.folder / folder, "parse", *options)
    assert parsed.returncode == 0, parsed.stdout


@pytest.mark.nightly
def test_a_root_may_lie_in_a_folder_named_domains(tmp_path: Path) -> None:
    mesh = Mesh(tmp_path / "domains" / "mesh")
    mesh.set_up("shop")
    mesh.write("domains/shop/models/intermediate/int_shop__one.sql", "select 1 as one")
    profile = (REPOSITORY / "profiles" / "profiles.yml").read_text()
    mesh.write("profiles.yml", profile)
    assert dbt(mesh.folder, "deps").returncode == 0
    parsed = dbt(mesh.folder, "parse")
    assert parsed.returncode == 0, parsed.stdout
