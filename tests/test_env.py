"""`portmesh env` lists environments, and drops one of them, but nothing that is shared or not the mesh's."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from portmesh.commands import env as command
from tests.mesh import Mesh
from tests.portmesh_call import Portmesh

pytestmark = pytest.mark.thorough


@pytest.fixture
def use(shop: Mesh, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes commands use an environment of the mesh."""
    monkeypatch.chdir(shop.folder)

    def change(environment: str) -> None:
        profiles = shop.folder / "profiles.yml"
        profile = yaml.safe_load(profiles.read_text())
        profile["portmesh"]["outputs"][shop.target]["schema"] = environment
        profiles.write_text(yaml.safe_dump(profile))

    return change


@pytest.fixture
def built(shop: Mesh, use: Callable[[str], None]) -> Mesh:
    """The port shop.lines in production and in dev_ana, and schemas that only look like those of environments."""
    for environment in ("dev_ana", "prod"):
        use(environment)
        assert shop.dbt("build").ok
    for statement in (
        "create schema dev_ana__erp",
        "create table dev_ana__erp.costs (id int)",
        "create schema erp__raw",
    ):
        shop.execute(statement)
    return shop


def listed(portmesh: Portmesh) -> dict[str, Any]:
    found = portmesh("env", "list", "--json")
    assert found.exit_code == 0, found.err
    # Before it is what dbt printed.
    facts = json.loads(found.out[found.out.index("{\n") :])
    return {each["name"]: each for each in facts["environments"]}


def test_a_database_without_environments(use: Callable[[str], None], portmesh: Portmesh) -> None:
    use("prod")
    empty = portmesh("env", "list")
    assert empty.exit_code == 0, empty.err
    assert "There is no environment in the database of local: nothing was built yet." in empty.out


def test_each_environment_is_listed_with_what_it_holds(built: Mesh, portmesh: Portmesh) -> None:
    rows = built.value("select count(*) from shop.lines")
    found = listed(portmesh)
    assert list(found) == ["dev_ana", "prod"]
    assert set(found["dev_ana"]["schemas"]) == {"dev_ana__shop", "dev_ana__shop__internal", "dev_ana__portmesh"}
    assert found["dev_ana"]["foreign"] == ["dev_ana__erp"]
    assert {name: (each["ports"], each["rows"]) for name, each in found.items()} == {
        "dev_ana": (1, rows),
        "prod": (1, rows),
    }
    assert all(each["bytes"] > 0 and each["bytes"] % 1024 == 0 for each in found.values())
    shown = portmesh("env", "list")
    assert "prod (current)" in shown.out
    assert f"{found['prod']['bytes'] / 1000:,.1f} kB" in shown.out
    assert "dev_ana__erp" in shown.out
    assert "erp__raw" not in shown.out


def test_an_environment_is_dropped_and_nothing_else(built: Mesh, portmesh: Portmesh) -> None:
    planned = portmesh("env", "drop", "dev_ana")
    assert planned.exit_code == 0
    assert "Nothing was dropped." in planned.out
    assert "portmesh env drop dev_ana --yes" in planned.out
    assert built.has("dev_ana__shop.lines")
    dropped = portmesh("env", "drop", "dev_ana", "--yes")
    assert dropped.exit_code == 0, dropped.err
    assert "dev_ana__erp: not made by the mesh" in dropped.out
    assert "Dropped dev_ana." in dropped.out
    assert list(listed(portmesh)) == ["prod"]
    assert built.has("dev_ana__erp.costs")
    assert built.value("select count(*) from shop.lines") > 0


@pytest.mark.usefixtures("built")
def test_a_person_is_asked(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "is_terminal", lambda: True)
    for answer, names in (("n", ["dev_ana", "prod"]), ("y", ["prod"])):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{answer}\n"))
        assert portmesh("env", "drop", "dev_ana").exit_code == 0
        assert list(listed(portmesh)) == names


def test_what_is_shared_or_unknown_is_never_dropped(built: Mesh, portmesh: Portmesh) -> None:
    project = built.folder / "dbt_project.yml"
    refused = {
        "prod": "prod is production: it is never dropped.",
        "dev_an": "There is no environment 'dev_an'. Did you mean dev_ana?",
        "erp": "There is no environment 'erp'.",
    }
    project.write_text(project.read_text() + "vars: {shared_environments: [dev_ana]}\n")
    refused["dev_ana"] = "dev_ana is shared: it is never dropped."
    for name, said in refused.items():
        called = portmesh("env", "drop", name, "--yes")
        assert called.exit_code == 2
        assert said in called.err
    assert list(listed(portmesh)) == ["dev_ana", "prod"]


def test_what_something_else_reads_is_not_dropped(built: Mesh, portmesh: Portmesh) -> None:
    built.execute("create view main.report as select * from dev_ana__shop.lines")
    refused = portmesh("env", "drop", "dev_ana", "--yes")
    assert refused.exit_code == 1
    assert "the view main.report reads from dev_ana__shop" in refused.err
    built.execute("drop view main.report")
    source = built.write("domains/shop/models/staging/_more.yml", "sources: [{name: a, schema: dev_ana__shop}]")
    refused = portmesh("env", "drop", "dev_ana", "--yes")
    assert refused.exit_code == 1
    source.unlink()
    assert built.has("dev_ana__shop.lines")


def test_the_macro_refuses_what_is_not_of_the_environment(built: Mesh) -> None:
    for name, schemas in (("prod", ["shop"]), ("dev_ana", ["shop"]), ("dev_ana", ["dev_ana__shop", "dev_anna__shop"])):
        arguments = json.dumps({"name": name, "schemas": schemas})
        refused = built.dbt("run-operation", "drop_environment", "--args", arguments)
        assert not refused.ok
        assert f"The environment {name} was not dropped." in refused.output
    assert built.has("shop.lines")
    assert built.has("dev_ana__shop.lines")


# Databases in Glue


@pytest.mark.engines("emr", "athena")
def test_an_environment_on_glue_is_listed_and_dropped(
    shop: Mesh, use: Callable[[str], None], portmesh: Portmesh
) -> None:
    for environment in ("dev_ana", "prod"):
        use(environment)
        built = shop.dbt("build")
        assert built.ok, built.output
    found = listed(portmesh)
    assert list(found) == ["dev_ana", "prod"]
    assert all(each["bytes"] > 0 and each["rows"] == 100 for each in found.values())
    dropped = portmesh("env", "drop", "dev_ana", "--yes")
    assert dropped.exit_code == 0, dropped.err
    assert list(listed(portmesh)) == ["prod"]
    assert shop.value("select count(*) from shop.lines") == 100
    use("dev_ana")
    built = shop.dbt("build")
    assert built.ok, built.output
