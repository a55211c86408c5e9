"""Input from outside the mesh: the environment, the target, the current folder, copies of domains."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import Portmesh
from tests.test_output_port import COLUMNS, EXEMPT, LINES

pytestmark = pytest.mark.thorough


@pytest.fixture
def portmesh(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, shop: Mesh) -> Portmesh:
    monkeypatch.chdir(shop.folder)
    return portmesh


# The environment


@pytest.mark.parametrize(
    "name",
    ["", " ", "pr-12", "123", "1pr", "pr 12", "Dev_Ana", "PROD", "Prod", "_dev", "dev_", "dev__ana", "é", "x" * 41],
)
def test_a_name_that_is_no_environment_is_refused_before_anything_is_made(shop: Mesh, name: str) -> None:
    shop.set_up("shop", environment=name)
    before = shop.rows("select schema_name from duckdb_schemas()")
    refused = shop.dbt("build")
    assert refused.exit_code == 2
    assert "PORTMESH_ENVIRONMENT is not a valid environment name, so nothing was done." in refused.output
    assert f"  got       {name if name.strip() else 'nothing'}\n" in refused.output
    assert "allowed   prod, or up to 40 lower-case letters, digits and single underscores" in refused.output
    assert shop.rows("select schema_name from duckdb_schemas()") == before


@pytest.mark.parametrize("name", ["prod", "dev_ana", "pr_12", "a", "ci2", "x" * 40])
def test_a_name_of_an_environment_is_taken(shop: Mesh, name: str) -> None:
    shop.set_up("shop", environment=name)
    assert shop.dbt("build").ok
    prefix = "" if name == "prod" else f"{name}__"
    assert shop.value(f"select count(*) from {prefix}shop.lines") == 100


def test_the_kit_says_the_same(shop: Mesh, portmesh: Portmesh) -> None:
    shop.set_up("shop", environment="pr-12")
    for command in (["status"], ["build"], ["rollback", "shop.lines"], ["clean"]):
        refused = portmesh(*command)
        assert refused.exit_code == 2
        assert refused.err.startswith("PORTMESH_ENVIRONMENT is not a valid environment name, so nothing was done.\n")


@pytest.mark.parametrize("target", ["lokal", "prod", "a b", "LOCAL"])
def test_an_unknown_target_is_one_sentence(portmesh: Portmesh, target: str) -> None:
    refused = portmesh("status", "--target", target)
    assert refused.exit_code == 2
    assert refused.err.startswith(f"There is no target '{target}'.")
    assert "allowed   local" in refused.err
    assert ("Did you mean local?" in refused.err) is (target in ("lokal",))


# The folder of a call


def _relative_database(mesh: Mesh) -> Path:
    """Use a profile with a relative database file. Returns a folder inside the mesh's folder."""
    profile = mesh.folder / "profiles.yml"
    profile.write_text(profile.read_text().replace(str(mesh.database), "mesh.duckdb"))
    folder = mesh.folder / "docs"
    folder.mkdir()
    return folder


def test_the_kit_reads_the_meshs_database_from_any_folder(
    shop: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _relative_database(shop)
    assert shop.dbt("build").ok
    monkeypatch.chdir(folder)
    assert "1 port: 1 published." in portmesh("status").out
    assert portmesh("build", "--select", "lines").exit_code == 0
    assert not list(folder.iterdir())


def test_dbt_in_another_folder_stops_at_a_database_that_is_not_the_meshs(
    shop: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _relative_database(shop)
    monkeypatch.chdir(folder)
    stopped = shop.dbt("build")
    assert stopped.exit_code == 1
    assert "This is not the mesh's own database, so nothing was built." in stopped.output
    assert f"allowed   mesh.duckdb in {shop.folder}" in stopped.output
    monkeypatch.chdir(shop.folder)
    assert shop.dbt("build").ok


def test_the_profile_names_one_database_wherever_dbt_is_called(shop: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTMESH_DATABASE", raising=False)
    profile = shop.folder / "profiles.yml"
    shutil.copy(REPOSITORY / "profiles" / "profiles.yml", profile)
    elsewhere = shop.folder / "docs"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert shop.dbt("build").ok
    assert shop.value("select count(*) from shop.lines") == 100
    assert not list(elsewhere.iterdir())


# Copies of domains


def _copy_the_domain(mesh: Mesh) -> None:
    """Do what `dbt deps` does when it cannot create links."""
    link = mesh.folder / "dbt_packages" / "shop"
    link.unlink()
    shutil.copytree(mesh.folder / "domains" / "shop", link)


@pytest.mark.nightly
@pytest.mark.parametrize("change", ["model", "contract", "new file", "file that is gone"])
def test_an_old_copy_of_a_domain_is_noticed(shop: Mesh, portmesh: Portmesh, change: str) -> None:
    shop.write("domains/shop/models/intermediate/int_shop__more.sql", "select 1 as one")
    _copy_the_domain(shop)
    assert shop.dbt("build").ok
    assert portmesh("status").exit_code == 0
    if change == "model":
        shop.write("domains/shop/models/output_ports/lines.sql", LINES + "\n-- changed")
    elif change == "contract":
        shop.port("shop/lines", LINES, COLUMNS.replace("Euro", "Dollar"), meta=EXEMPT)
    elif change == "new file":
        shop.write("domains/shop/models/intermediate/int_shop__new.sql", "select 1 as one")
    else:
        shop.remove("domains/shop/models/intermediate/int_shop__more.sql")
    stopped = shop.dbt("build")
    assert stopped.exit_code == 1
    assert "The domains were edited after dbt deps copied them, so nothing was built." in stopped.output
    assert "got    dbt_packages/shop: not the same as in domains/" in stopped.output
    assert "next   dbt deps, then dbt build" in stopped.output
    refused = portmesh("status")
    assert refused.exit_code == 2
    assert "next   dbt deps, then the same command" in refused.err
    assert shop.dbt("deps").ok
    assert shop.dbt("build").ok
