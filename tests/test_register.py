"""The lists of the domains are written from their folders, and dbt names a domain that is not listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import Portmesh

pytestmark = pytest.mark.thorough

LISTS = ("packages.yml", "dbt_project.yml", "CODEOWNERS", ".sqlfluff")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, portmesh: Portmesh) -> Path:
    """A repository with one domain, platform, and the real lists. Nothing in it is for dbt to read."""
    for name in LISTS:
        (tmp_path / name).write_text((REPOSITORY / name).read_text())
    monkeypatch.chdir(tmp_path)
    add(tmp_path, "platform", "@acme/platform")
    assert portmesh("register").exit_code == 0
    return tmp_path


def add(root: Path, name: str, owner: str = "", package: str = "") -> Path:
    """Make the folder of a domain; its package may have another name."""
    models = root / "domains" / name / "models"
    models.mkdir(parents=True)
    (models.parent / "dbt_project.yml").write_text(f"name: {package or name}\n")
    github = f', github: "{owner}"' if owner else ""
    (models / f"{name}.yml").write_text(f"groups:\n  - name: {name}\n    owner: {{name: Team{github}}}\n")
    return models.parent


def texts(root: Path) -> dict[str, str]:
    return {name: (root / name).read_text() for name in LISTS}


def test_the_repositorys_own_lists_are_up_to_date(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    checked = portmesh("register", "--check")
    assert checked.exit_code == 0, checked.err
    assert "up to date" in checked.out


def test_a_new_folder_is_a_new_domain_in_every_list(root: Path, portmesh: Portmesh) -> None:
    (add(root, "finance", "@acme/finance") / "macros").mkdir()
    (root / "domains/finance/macros/tidy.sql").write_text("")
    before = texts(root)
    checked = portmesh("register", "--check")
    assert checked.exit_code == 1
    assert "out of date: 4 findings" in checked.err
    assert texts(root) == before
    written = portmesh("register")
    assert written.exit_code == 0
    for line in (
        "packages.yml      + - local: domains/finance",
        "dbt_project.yml   + finance: {+group: finance, output_ports: *output_ports}",
        "CODEOWNERS        + /domains/finance/   @acme/finance",
        ".sqlfluff         + ,domains/finance/macros",
        "dbt deps, then portmesh infra, catalog and schedule",
    ):
        assert line in " ".join(written.out.split("\n")), written.out
    project = yaml.safe_load((root / "dbt_project.yml").read_text())["models"]
    assert project["finance"]["output_ports"] == project["platform"]["output_ports"]
    assert project["finance"]["+group"] == "finance"
    assert portmesh("register", "--check").exit_code == 0
    assert portmesh("register").out.strip() == "The lists of the domains are up to date: 2 domains."


def test_a_folder_that_is_gone_leaves_every_list_and_other_lines_stay(root: Path, portmesh: Portmesh) -> None:
    packages = root / "packages.yml"
    packages.write_text(packages.read_text() + "  - package: dbt-labs/dbt_utils # ours\n    version: 1.3.0\n")
    before = texts(root)
    folder = add(root, "finance", "@acme/finance")
    assert portmesh("register").exit_code == 0
    assert texts(root) != before
    folder.rename(root / "elsewhere")
    gone = portmesh("register", "--check")
    assert gone.exit_code == 1
    assert "- - local: domains/finance" in gone.err
    assert portmesh("register").exit_code == 0
    assert texts(root) == before


def test_a_domain_without_an_owner_on_github_is_a_finding_if_there_is_a_codeowners(
    root: Path, portmesh: Portmesh
) -> None:
    add(root, "finance")
    written = portmesh("register")
    assert written.exit_code == 0
    assert "finance: CODEOWNERS has no line for it" in written.out
    checked = portmesh("register", "--check", "--json")
    assert checked.exit_code == 1
    assert json.loads(checked.out)["no_owner"] == ["finance"]
    (root / "CODEOWNERS").unlink()
    assert portmesh("register", "--check").exit_code == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("dbt_utils", "that is the name of a dbt package"),
        ("dbt", "that is the name of a dbt package"),
        ("portmesh", "that is the name of the mesh itself"),
        ("order", "that is a reserved word of SQL"),
        ("insert", "that is a reserved word of SQL"),
        ("information_schema", "that is the engines' own schema"),
        ("landed", "that is where files land"),
        ("ledger", "domains/platform/models/_sources.yml reads a source from a schema of that name"),
        ("codegen", "a dbt package of that name is installed"),
        ("Finance", "it becomes the name of a schema and of a dbt package"),
        ("store__costs", "it becomes the name of a schema and of a dbt package"),
        ("f" * 41, "it becomes the name of a schema and of a dbt package"),
    ],
)
def test_a_name_that_would_collide_is_refused(root: Path, portmesh: Portmesh, name: str, why: str) -> None:
    (root / "domains/platform/models/_sources.yml").write_text("sources:\n  - {name: books, schema: ledger}\n")
    (root / "package-lock.yml").write_text("packages:\n  - {name: codegen, package: dbt-labs/codegen}\n")
    add(root, name)
    before = texts(root)
    refused = portmesh("register")
    assert refused.exit_code == 2
    assert f"A domain cannot be named {name}: {why}" in refused.err
    assert f"domains/{name}" in refused.err
    assert texts(root) == before


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("dbt_project.yml", "name: [finance\n", r"expected ',' or ']'"),
        ("dbt_project.yml", "name: finance\nname: other\n", 'found duplicate key "name"'),
        ("dbt_project.yml", "- finance\n", "it is a list, not keys with values"),
        (
            "dbt_project.yml",
            "name: finanzen\n",
            "a package named finanzen: a domain's folder and package have one name",
        ),
        ("dbt_project.yml", "", "a package named nothing: a domain's folder and package have one name"),
        ("models/finance.yml", "groups:\n\t- name: finance\n", "found character '\\t' that cannot start any token"),
        (
            "models/finance.yml",
            "groups: [{name: finance, owner: {github: '@'}}]\n",
            "nobody whom CODEOWNERS could name",
        ),
    ],
)
def test_a_domain_that_cannot_be_read_is_refused_with_its_file(
    root: Path, portmesh: Portmesh, file: str, text: str, said: str
) -> None:
    (add(root, "finance") / file).write_text(text)
    before = texts(root)
    refused = portmesh("register")
    assert refused.exit_code == 1
    assert said in refused.err
    assert f"domains/finance/{file}" in refused.err
    assert texts(root) == before


def test_a_file_without_a_place_for_its_list_is_refused(root: Path, portmesh: Portmesh) -> None:
    (root / "packages.yml").write_text("packages: []\n")
    refused = portmesh("register")
    assert refused.exit_code == 2
    assert "packages.yml has no place for the list of the domains." in refused.err
    assert "# domains: written by `portmesh register`" in refused.err


def test_leftovers_and_folders_without_a_project_are_no_domains(root: Path, portmesh: Portmesh) -> None:
    add(root, "finance").rename(root / "domains/.finance.part")
    (root / "domains/drafts").mkdir()
    assert portmesh("register", "--check").exit_code == 0


def test_without_a_mesh_the_command_says_where_it_was_called(
    tmp_path: Path, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = portmesh("register")
    assert refused.exit_code == 2
    assert "This is not a mesh" in refused.err


# dbt's own commands


@pytest.mark.parametrize("command", ["parse", "build", "ls"])
@pytest.mark.ci_cases(1)
def test_dbt_names_a_domain_that_is_not_listed(shop: Mesh, command: str) -> None:
    said = "domains/finance is not in packages.yml, so dbt leaves it out: portmesh register, then dbt deps"
    assert said not in shop.dbt(command).output
    add(shop.folder, "finance")
    # The second time nothing has changed since dbt has parsed the mesh.
    for _ in range(2):
        named = shop.dbt(command)
        assert named.ok
        assert said in named.output
    assert shop.dbt("--warn-error", command).exit_code == 2
    (shop.folder / "domains/finance/dbt_project.yml").unlink()
    assert said not in shop.dbt(command).output


@pytest.mark.parametrize("command", ["status", "catalog", "clean"])
@pytest.mark.ci_cases(1)
def test_commands_name_a_domain_that_is_not_listed(
    shop: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(shop.folder)
    assert shop.dbt("build").ok
    assert "not list" not in portmesh(command).err
    add(shop.folder, "finance")
    refused = portmesh(command)
    assert refused.exit_code == 2
    assert "packages.yml does not list domains/finance, so dbt would leave it out." in refused.err
    assert "next   portmesh register, then dbt deps, then the same command" in refused.err


def test_broken_yaml_is_said_once(shop: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    shop.write("domains/shop/models/staging/_broken.yml", "sources: [\n  x: {")
    for command in ("status", "clean"):
        refused = portmesh(command)
        assert refused.exit_code == 1
        assert refused.err.count("Parsing Error") == 1
        assert refused.err.count("_broken.yml") == 1


def test_the_settings_of_a_domain_without_models_are_no_warning(shop: Mesh) -> None:
    project = shop.folder / "dbt_project.yml"
    settings = yaml.safe_load(project.read_text())
    models = settings["models"]
    models["finance"] = models["shop"] | {"+group": "finance"}
    project.write_text(yaml.safe_dump(settings))
    (shop.folder / "packages.yml").write_text("packages: [{local: domains/shop}, {local: domains/finance}]\n")
    add(shop.folder, "finance")
    assert shop.dbt("deps").ok
    assert "models.finance" not in shop.dbt("parse", "--no-partial-parse").output
    assert "domains/finance" not in shop.dbt("parse").output
    models["fnance"] = models["finance"]
    project.write_text(yaml.safe_dump(settings))
    assert "models.fnance" in shop.dbt("parse", "--no-partial-parse").output
