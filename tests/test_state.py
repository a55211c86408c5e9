"""The mesh at one time: the working tree, a commit, a kept manifest, and what production last ran."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from dbt.compilation import Compiler
from dbt.parser.manifest import ManifestLoader
from dbt.parser.models import ModelParser

from portmesh.dbt import parse
from portmesh.errors import MissingArtifactError, UsageError
from portmesh.git_refs import describe_commit, describe_working_tree, find_base
from portmesh.planning.plan import plan
from portmesh.state import current_state, read_state
from tests.mesh import REPOSITORY, Mesh
from tests.test_output_port import COLUMNS, EXEMPT, LINES

PORT = "model.shop.lines"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, message: str = "A change") -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """shop.lines on the branch main with three commits; the current branch left it at the second."""
    mesh = Mesh(tmp_path_factory.mktemp("history"))
    mesh.set_up("shop")
    mesh.write(".gitignore", "target/\nlogs/\ndbt_packages/\npackage-lock.yml\n")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    git(mesh.folder, "init", "-q", "-b", "main")
    commit(mesh.folder)
    mesh.port("shop/lines", f"{LINES}\nwhere amount > 1", COLUMNS, meta=EXEMPT)
    commit(mesh.folder)
    git(mesh.folder, "checkout", "-qb", "mine")
    git(mesh.folder, "checkout", "-q", "main")
    mesh.port("shop/lines", f"{LINES}\nwhere amount > 2", COLUMNS, meta=EXEMPT)
    commit(mesh.folder)
    git(mesh.folder, "checkout", "-q", "mine")
    assert mesh.dbt("deps").ok
    return mesh


def sql(manifest: Any, node: str = PORT) -> str:
    return str(manifest["nodes"][node]["compiled_code"])


def test_the_working_tree_needs_no_database(history: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(history.folder)
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", "dev_ana")
    state = current_state()
    assert "where amount > 1" in sql(state.manifest)
    assert state.manifest["nodes"][PORT]["adapter_type"] == "duckdb"
    assert (state.failed, state.mesh.ports[PORT].label) == ({}, "shop.lines")
    checks = [node for node in state.manifest["nodes"].values() if node["resource_type"] == "test"]
    assert checks
    assert all(node["compiled_code"] for node in checks)
    assert not history.database.exists()
    assert os.environ["PORTMESH_ENVIRONMENT"] == "dev_ana"


def test_a_ref_is_where_the_branch_left_it_and_is_compiled_once(history: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(history.folder)
    left_at = git(history.folder, "rev-parse", "mine")[:7]
    state = read_state("main")
    assert (state.name, "where amount > 1" in sql(state.manifest)) == (f"main ({left_at})", True)
    first = git(history.folder, "rev-parse", "main~2")
    assert "where amount" not in sql(read_state(first).manifest)
    assert git(history.folder, "worktree", "list").count("\n") == 0
    monkeypatch.setattr("portmesh.state.compile_manifest", None)
    assert read_state("main") == state


def test_what_is_not_committed_is_counted(history: Mesh) -> None:
    head = git(history.folder, "rev-parse", "HEAD")[:7]
    assert describe_working_tree(history.folder) == f"the working tree ({head})"
    added = history.write("domains/shop/models/staging/note.md", "A note.")
    try:
        assert describe_working_tree(history.folder) == f"the working tree ({head} and 1 changed file)"
    finally:
        added.unlink()


def test_without_git_the_commit_is_the_one_of_the_deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert describe_commit(tmp_path) == "", "outside git"
    monkeypatch.setenv("PORTMESH_COMMIT", "c37d5371111111111111111111111111111111ff")
    assert describe_commit(tmp_path) == "c37d537"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe_commit(REPOSITORY) == "c37d537", "git is not installed"
    monkeypatch.delenv("PORTMESH_COMMIT")
    assert describe_commit(REPOSITORY) == ""


def test_a_ref_that_does_not_exist(history: Mesh, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"git has no 'mainn'. Did you mean main\?"):
        find_base(history.folder, "mainn")
    with pytest.raises(UsageError, match="not in a git repository"):
        find_base(tmp_path, "main")


def test_a_shallow_checkout_says_how_to_get_the_rest(history: Mesh, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", "--branch", "mine", history.folder.as_uri(), str(shallow))
    with pytest.raises(MissingArtifactError, match="shallow") as found:
        find_base(shallow, "main")
    assert "fetch-depth: 0" in str(found.value)
    git(shallow, "fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main")
    with pytest.raises(MissingArtifactError, match="too little history to know where the branch left main"):
        find_base(shallow, "main")


def test_histories_without_a_common_commit(history: Mesh, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(history.folder), str(other))
    git(other, "checkout", "-q", "--orphan", "alone")
    commit(other)
    with pytest.raises(UsageError, match="main and the current branch have no commit in common"):
        find_base(other, "origin/main")


def test_a_ref_without_a_mesh_is_an_error_and_is_not_checked_out(
    history: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mesh came into a repository that had other files before."""
    before = tmp_path / "before"
    before.mkdir()
    git(before, "init", "-q", "-b", "main")
    (before / "notes.md").write_text("No mesh yet.")
    first = commit(before)
    mesh = before / "mesh"
    mesh.mkdir()
    (mesh / "dbt_project.yml").write_text("name: plain")
    second = commit(before)
    shutil.copytree(
        history.folder, mesh, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", "target")
    )
    commit(before)
    monkeypatch.chdir(mesh)
    monkeypatch.setattr("portmesh.state.checked_out", None)
    with pytest.raises(UsageError, match=f"There is no mesh at {first} .*: it has no dbt_project.yml and no domains"):
        read_state(first)
    with pytest.raises(UsageError, match=f"There is no mesh at {second} .*: it has no domains") as found:
        read_state(second)
    assert "name a ref that has them" in str(found.value)


@pytest.fixture
def asked_of_dbt(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the nodes that dbt compiles."""
    asked: list[str] = []
    compile_node = Compiler.compile_node

    def noted(compiler: Compiler, node: Any, *arguments: Any, **named: Any) -> Any:
        asked.append(node.name)
        return compile_node(compiler, node, *arguments, **named)

    monkeypatch.setattr(Compiler, "compile_node", noted)
    return asked


PLAIN = """{{ config(materialized='table', tags=['a']) }}
with lines as (select * from {{ ref('shop', 'lines') }}), again as (select * from {{ ref("lines") }})
select '{' as brace, count(*) as c from lines, {{ source('tills', 'rung') }} as r, again -- {{ this }}"""


def test_dbt_is_asked_only_for_what_it_has_to_compile(
    history: Mesh, monkeypatch: pytest.MonkeyPatch, asked_of_dbt: list[str]
) -> None:
    """What is filled in without dbt, or taken from the state before, is what dbt itself makes of it."""
    monkeypatch.chdir(history.folder)
    inside = {
        "plain": PLAIN,
        "ephemeral": "{{ config(materialized='ephemeral') }} select 1 as one",
        "over_ephemeral": "select one from {{ ref('int_shop__ephemeral') }}",
        "computed": "select {{ 1 + 1 }} as two",
    }
    folder = "domains/shop/models/intermediate"
    written = [history.write(f"{folder}/int_shop__{name}.sql", sql) for name, sql in inside.items()]
    tables = "sources: [{name: tills, schema: tills, tables: [{name: rung}]}]"
    written.append(history.write(f"{folder}/tills.yml", tables))
    of_dbt = {"lines", "int_shop__over_ephemeral", "int_shop__computed"}
    checks = {"unique_lines_line_id", "not_null_lines_line_id"}
    try:
        state = current_state()
        assert "int_shop__plain" not in asked_of_dbt
        assert {*of_dbt, *checks} <= set(asked_of_dbt)
        assert '"mesh"."tills"."rung" as r' in sql(state.manifest, "model.shop.int_shop__plain")
        asked_of_dbt.clear()
        again = current_state(before=state)
        assert set(asked_of_dbt) == of_dbt
        macro = history.write("domains/shop/macros/any.sql", "{% macro any() %}1{% endmacro %}")
        written.append(macro)
        asked_of_dbt.clear()
        by_macro = current_state(before=state)
        assert checks <= set(asked_of_dbt), "a macro may be called by anything"
        macro.unlink()
        monkeypatch.setattr("portmesh.compiling.is_plain", lambda _: False)
        asked_of_dbt.clear()
        by_dbt = current_state()
        assert {"int_shop__plain", *of_dbt, *checks} <= set(asked_of_dbt)
    finally:
        for file in written:
            file.unlink(missing_ok=True)
    for other in (again, by_dbt, by_macro):
        for id_, node in by_dbt.manifest["nodes"].items():
            told = {
                key: value
                for key, value in other.manifest["nodes"][id_].items()
                if key not in ("created_at", "decided_by")
            }
            assert told == {key: node[key] for key in told}, id_


@pytest.mark.parametrize("changed", ["where: line_id > 1", "environment", "column"])
def test_a_check_is_compiled_again_if_anything_may_decide_it(
    history: Mesh, monkeypatch: pytest.MonkeyPatch, asked_of_dbt: list[str], changed: str
) -> None:
    monkeypatch.chdir(history.folder)
    before = current_state()
    asked_of_dbt.clear()
    yaml = history.folder / "domains/shop/models/output_ports/lines.yml"
    text = yaml.read_text()
    try:
        if changed == "environment":
            monkeypatch.setenv("PORTMESH_PROJECT", "another")
        elif changed == "column":
            yaml.write_text(text.replace("{name: line_id,", "{name: line_id, quote: true,"))
        else:
            yaml.write_text(text.replace("[unique,", "[{unique: {config: {where: line_id > 1}}},"))
        assert yaml.read_text() != text or changed == "environment"
        current_state(before=before)
    finally:
        yaml.write_text(text)
    assert any(name.startswith("unique_lines") for name in asked_of_dbt)


def test_what_a_build_parsed_is_not_parsed_from_scratch_again(history: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(history.folder)
    shutil.rmtree(history.folder / "target", ignore_errors=True)
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", "prod")
    parse(["--target", "local"])
    is_kept = ManifestLoader.is_partial_parsable
    kept: list[bool] = []

    def noted(loader: ManifestLoader, manifest: Any) -> Any:
        found = is_kept(loader, manifest)
        kept.append(found[0])
        return found

    monkeypatch.setattr(ManifestLoader, "is_partial_parsable", noted)
    current_state()
    assert kept == [True]


def test_another_checkout_is_parsed_from_what_this_one_has(history: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the files that differ are parsed."""
    monkeypatch.chdir(history.folder)
    current_state()
    parsed: list[str] = []
    parse_file = ModelParser.parse_file

    def noted(parser: ModelParser, block: Any, *rest: Any) -> Any:
        parsed.append(Path(block.file.path.relative_path).stem)
        return parse_file(parser, block, *rest)

    monkeypatch.setattr(ModelParser, "parse_file", noted)
    shutil.rmtree(history.folder / "target/portmesh/states", ignore_errors=True)
    first = git(history.folder, "rev-parse", "main~2")
    state = read_state(first)
    assert "where amount" not in sql(state.manifest)
    assert set(parsed) == {"lines"}


V12 = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"}


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"metadata": {"dbt_schema_version": ".../v11.json", "dbt_version": "1.7.3"}}, "v11.json, of dbt 1.7.3"),
        ({"metadata": V12, "nodes": {"a": {"resource_type": "model"}}}, "has no compiled SQL"),
        ([], "no schema version"),
        ("{", "This file is not a manifest"),
    ],
)
def test_a_manifest_that_cannot_be_compared(
    history: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: Any, said: str
) -> None:
    monkeypatch.chdir(history.folder)
    (tmp_path / "manifest.json").write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
    for against in (tmp_path, tmp_path / "manifest.json"):
        with pytest.raises(UsageError) as found:
            read_state(str(against))
        assert said in str(found.value)


def test_a_kept_manifest(history: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(history.folder)
    node = {"resource_type": "model", "compiled_code": "select 1"}
    (tmp_path / "manifest.json").write_text(json.dumps({"metadata": V12, "nodes": {"a": node}}))
    assert read_state(str(tmp_path)).manifest["nodes"] == {"a": node}
    with pytest.raises(MissingArtifactError, match="There is no manifest"):
        read_state(str(tmp_path / "gone.json"))
    # A folder may have the name of a branch.
    with pytest.raises(UsageError, match="git has no 'domains'"):
        read_state("domains")


def test_a_model_that_does_not_compile_is_named_and_the_others_are_compiled(
    history: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(history.folder)
    only = (
        "{{ exceptions.raise_compiler_error('only on Athena') if execute and target.type == 'duckdb' }} select 1 as one"
    )
    written = history.write("domains/shop/models/intermediate/int_shop__only.sql", only)
    try:
        state = current_state()
    finally:
        written.unlink()
    ((node, said),) = state.failed.items()
    assert (node, "only on Athena" in said) == ("model.shop.int_shop__only", True)
    assert "where amount > 1" in sql(state.manifest)


PORT_META = f"{EXEMPT}\nconsumers: [{{name: desk, purpose: Reports.}}]"


@pytest.mark.thorough
def test_each_domain_is_compiled_for_its_own_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Spark nor Athena runs here. A model that compiles on one of them only is no problem."""
    mesh = Mesh(tmp_path)
    mesh.set_up("shop", "desk")
    mesh.write("profiles.yml", (REPOSITORY / "profiles" / "profiles.yml").read_text())
    mesh.port("shop/lines", LINES, COLUMNS, meta=PORT_META)
    only = "{{ exceptions.raise_compiler_error('only on Athena') if execute and target.type != 'athena' }}"
    mesh.port("desk/after", f"{only} select * from {{{{ ref('shop', 'lines') }}}}", COLUMNS, meta=EXEMPT)
    product = mesh.folder / "domains/desk/models/desk.yml"
    product.write_text(product.read_text().replace("engine: emr", "engine: athena"))
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    state = current_state("emr")
    nodes = state.manifest["nodes"]
    assert {nodes[id_]["adapter_type"] for id_ in nodes if nodes[id_]["package_name"] == "shop"} == {"spark"}
    assert {nodes[id_]["adapter_type"] for id_ in nodes if nodes[id_]["package_name"] == "desk"} == {"athena"}
    assert state.failed == {}
    assert "awsdatacatalog" in sql(state.manifest, "model.desk.after")
    mesh.port("shop/lines", LINES.replace("cast(amount", "cast(2 * amount"), COLUMNS, meta=PORT_META)
    found = plan(state, current_state("emr"))
    reasons = {each.node.label: each.reasons for each in found.nodes if each.node.kind == "model"}
    assert reasons["desk.after"] == ("amount: it reads shop.lines.amount, which changes",)
    assert list(current_state("local").failed) == ["model.desk.after"]
