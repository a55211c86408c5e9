"""`portmesh new domain` makes a domain that is listed everywhere, parses, and passes lint and every rule."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from portmesh.commands import new, questions
from tests.mesh import REPOSITORY
from tests.portmesh_call import Portmesh
from tests.repository import copy_repository

ANSWERS = {
    "--owner": "Finance data team",
    "--email": "finance@example.com",
    "--channel": "#data-finance",
    "--description": 'What the stores earn: day by day, in "net" prices.',
    "--purpose": "One place where the stores' earnings are counted, für alle.",
    "--kind": "consumer-aligned",
    "--engine": "emr",
    "--github": "@portmesh/finance-data",
}
OPTIONS = [word for answer in ANSWERS.items() for word in answer]


def options(**other: str) -> list[str]:
    """The options, some of them with another answer."""
    return [word for option, answer in ANSWERS.items() for word in (option, other.get(option[2:], answer))]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with its domains installed."""
    folder = tmp_path_factory.mktemp("new") / "portmesh"
    copy_repository(folder)
    for environment in (".venv", ".venv-bouncer"):
        (folder / environment).symlink_to(REPOSITORY / environment)
    subprocess.run([".venv/bin/dbt", "--quiet", "deps"], cwd=folder, check=True)
    return folder


@pytest.fixture
def root(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(copy)
    return copy


def files_of(root: Path) -> dict[str, bytes]:
    """What a person sees of the repository: everything but what dbt writes."""
    names = ("domains", "docs", "infra", "packages.yml", "dbt_project.yml", "CODEOWNERS")
    files = [file for name in names for file in (root / name, *(root / name).rglob("*")) if file.is_file()]
    return {str(file.relative_to(root)): file.read_bytes() for file in files}


def test_what_it_refuses_it_refuses_before_it_writes(root: Path, portmesh: Portmesh) -> None:
    before = files_of(root)
    (root / "domains/half/models").mkdir(parents=True)
    refused = {
        ("platform", *OPTIONS): "The folder domains/platform exists already.",
        ("half", *OPTIONS): "The folder domains/half exists already.",
        ("Finance", *OPTIONS): "A domain cannot be named Finance: it becomes the name of a schema",
        ("dbt_utils", *OPTIONS): "A domain cannot be named dbt_utils: that is the name of a dbt package.",
        ("landed", *OPTIONS): "A domain cannot be named landed: that is where files land.",
        (
            "finance",
            *options(kind="consumer"),
        ): "There is no kind of product 'consumer'. Did you mean consumer-aligned?",
        ("finance", *options(engine="spark")): "There is no engine 'spark'.",
        ("finance", *options(email="finance")): "--email is no address.",
        ("finance", *options(github="finance")): "--github is nobody whom CODEOWNERS could name.",
        ("finance", *options(purpose=" ")): "--purpose is empty.",
        ("finance", *options(purpose="{{ 1 + 1 }}")): "dbt would run what follows {{",
        ("finance", *options(owner="a\x1bb")): "This has a character that cannot be printed.",
    }
    for arguments, said in refused.items():
        called = portmesh("new", "domain", *arguments)
        assert called.exit_code == 2, called
        assert said in called.err
    assert portmesh("new", "domain").exit_code == 2
    (root / "domains/half/models").rmdir()
    (root / "domains/half").rmdir()
    assert files_of(root) == before


def test_without_a_terminal_missing_answers_are_named_and_nothing_is_written(root: Path, portmesh: Portmesh) -> None:
    before = files_of(root)
    refused = portmesh("new", "domain", "finance", "--owner", "Finance data team")
    assert refused.exit_code == 2
    assert "6 answers are missing, and there is no terminal to ask on. Nothing was written." in refused.err
    for option in ANSWERS.keys() - {"--owner", "--engine"}:
        assert f"  {option} " in refused.err
    assert "--engine" not in refused.err
    as_json = portmesh("new", "domain", "finance", "--json")
    assert as_json.exit_code == 2
    assert "--owner" in json.loads(as_json.out)
    assert files_of(root) == before


PRODUCT = """
apiVersion: v1.1.0
kind: DataProduct
id: f1
name: Store Costs
status: active
type: aggregate
description: {purpose: One place where costs are counted.}
customProperties: [{property: engine, value: emr, vendor: portmesh}]
outputPorts: [{name: costs, version: 1.0.0}]
support: [{channel: "#data-finance", url: "https://chat.example.com", tool: slack}]
team: {name: Finance data team, members: [{username: finance@example.com, role: owner}]}
"""


def test_a_product_of_the_standard_becomes_a_domain(
    root: Path, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(new, "generate", lambda *_: [])
    file = tmp_path / "costs.odps.yaml"
    file.write_text(PRODUCT)
    before = files_of(root)
    refused = portmesh("import", "odps", file)
    assert refused.exit_code == 2
    assert "--description   What does its data hold" in refused.err
    assert "--owner" not in refused.err
    assert files_of(root) == before
    of_ours = {"description": "What stores cost.", "github": "'@a/b'"}
    own = ", ".join(f"{{property: {key}, value: {text}, vendor: portmesh}}" for key, text in of_ours.items())
    file.write_text(PRODUCT.replace("vendor: portmesh}]", f"vendor: portmesh}}, {own}]"))
    made = portmesh("import", "odps", file)
    assert made.exit_code == 0, made.err
    assert "stage     proposed; the file says active" in made.out
    assert "ports     costs: portmesh import odcs FILE --domain store_costs" in made.out
    (group,) = yaml.safe_load((root / "domains/store_costs/models/store_costs.yml").read_text())["groups"]
    assert group["owner"] == {"name": "Finance data team", "email": "finance@example.com", "github": "@a/b"}
    meta = group["config"]["meta"]
    assert (meta["kind"], meta["engine"], meta["channel"]) == ("aggregate", "emr", "#data-finance")
    assert portmesh("import", "odps", file).exit_code == 2
    shutil.rmtree(root / "domains/store_costs")
    assert portmesh("register").exit_code == 0
    assert files_of(root) == before
    file.write_text("kind: DataContract\n")
    assert "The file is no product of the Open Data Product Standard." in portmesh("import", "odps", file).err


def test_a_broken_domain_beside_it_is_named_and_nothing_is_written(root: Path, portmesh: Portmesh) -> None:
    file = root / "domains/platform/dbt_project.yml"
    text = file.read_text()
    file.write_text("name: [platform\n")
    before = files_of(root)
    refused = portmesh("new", "domain", "finance", *OPTIONS)
    file.write_text(text)
    assert refused.exit_code == 1
    assert "domains/platform/dbt_project.yml cannot be read." in refused.err
    assert "finance" not in "".join(before)
    assert not (root / "domains/finance").exists()


def test_a_mesh_that_dbt_cannot_read_gets_its_domain_and_dbts_message(root: Path, portmesh: Portmesh) -> None:
    broken = root / "domains/platform/models/output_ports/broken.sql"
    broken.write_text("{{ nothing(\n")
    before = files_of(root)
    made = portmesh("new", "domain", "finance", *OPTIONS)
    broken.unlink()
    assert made.exit_code == 1
    assert made.err.startswith("The domain finance was made, but the mesh cannot be read.")
    assert "broken.sql" in made.err
    assert "dbt deps, portmesh catalog, portmesh infra and portmesh schedule" in made.err
    for file in (root / "domains/finance").rglob("*"):
        if file.is_file():
            file.unlink()
    subprocess.run(["rm", "-r", str(root / "domains/finance")], check=True)
    assert portmesh("register").exit_code == 0
    del before["domains/platform/models/output_ports/broken.sql"]
    assert files_of(root) == before


@pytest.mark.thorough
def test_a_person_is_asked_once_more_after_a_wrong_answer(
    root: Path, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ["", "Costs team", "nobody", "costs@example.com", "#costs", "Costs.", "Counting.", "agregate", "aggregate"]
    monkeypatch.setattr(questions, "is_terminal", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join([*typed, "", "@acme/costs"]) + "\n"))
    made = portmesh("new", "domain", "costs")
    assert made.exit_code == 0, made.err
    assert "--email is no address." in made.out
    assert "Did you mean aggregate?" in made.out
    (group,) = yaml.safe_load((root / "domains/costs/models/costs.yml").read_text())["groups"]
    assert group["owner"] == {"name": "Costs team", "email": "costs@example.com", "github": "@acme/costs"}
    assert group["config"]["meta"]["kind"] == "aggregate"
    assert group["config"]["meta"]["engine"] == "athena"


@pytest.mark.nightly
@pytest.mark.thorough
def test_the_new_domain_parses_and_passes_lint_and_every_rule(root: Path, portmesh: Portmesh) -> None:
    made = portmesh("new", "domain", "finance", *OPTIONS)
    assert made.exit_code == 0, made.err
    assert made.out.startswith("The domain finance is ready.\n")
    written = ("domains/finance/dbt_project.yml", "domains/finance/models/finance.yml", "domains/finance/README.md")
    lists = ("packages.yml", "dbt_project.yml", "CODEOWNERS", "docs/catalog/finance.md", "infra/domains.yaml")
    for path in (*written, *lists):
        assert path in made.out
        assert (root / path).is_file()
    (group,) = yaml.safe_load((root / "domains/finance/models/finance.yml").read_text())["groups"]
    meta = group["config"]["meta"]
    assert group["owner"] == {key[2:].replace("owner", "name"): ANSWERS[key] for key in list(ANSWERS)[:2]} | {
        "github": ANSWERS["--github"]
    }
    assert (group["description"], meta["purpose"]) == (ANSWERS["--description"], ANSWERS["--purpose"])
    assert (meta["channel"], meta["kind"], meta["engine"]) == ("#data-finance", "consumer-aligned", "emr")
    assert meta["stage"] == "proposed"
    (root / "costs.csv").write_text("Shop Nr;Datum;Kosten\n1;01.02.2026;1,50\n")
    about = [
        "--description",
        "The ledger's export, once a day.",
        "--every",
        "day",
        "--grain",
        "One row per shop and day.",
    ]
    added = portmesh("new", "source", "finance.ledger", "--from", "costs.csv", *about)
    assert added.exit_code == 0, added.err
    assert "infra/domains.yaml" in added.out
    for command in (
        "portmesh register --check",
        "python -m tools.lint_mesh",
        "check-yaml domains/finance/models/finance.yml domains/finance/models/staging/_finance__sources.yml",
        "dbt --warn-error compile",
        "dbt build --select package:finance",
    ):
        done = subprocess.run([f".venv/bin/{command.split()[0]}", *command.split()[1:]], cwd=root, check=False)
        assert done.returncode == 0, command
    again = portmesh("new", "domain", "finance", *OPTIONS)
    assert again.exit_code == 2
    assert "The folder domains/finance exists already." in again.err
