"""The mesh's tools check what they should, and refuse what is wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt import deprecations
from dbt.cli.main import dbtRunner
from dbt.context.providers import ModelContext
from sqlfluff.core import FluffConfig

from portmesh.catalog.files import Difference
from portmesh.schedule import schedule
from tests.mesh import REPOSITORY
from tests.repository import git_files
from tools import lint_conventions, lint_mesh, lint_sql

DOMAINS = sorted(folder.parent.name for folder in REPOSITORY.glob("domains/*/dbt_project.yml"))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's manifest of the real mesh."""
    return lint_conventions.parse_mesh(tmp_path_factory.mktemp("target"))


# SQL


def test_all_sql_of_the_domains_is_linted_and_read_as_statements(capfd: pytest.CaptureFixture[str]) -> None:
    """Lints a few files of each kind. `make lint` lints all files."""
    files = lint_sql.domain_sql()
    folders = {file.relative_to(REPOSITORY).parts[1] for file in files}
    assert {"platform"} <= folders <= set(DOMAINS)
    some = [f for f in files if f.name in ("publications.sql", "port_quality.sql", "stg_records__publications.sql")]
    assert len(some) == 3
    assert lint_sql.run([str(f) for f in some]) == lint_sql.FINE, capfd.readouterr().out
    assert "3 SQL files linted: 0 findings." in capfd.readouterr().out


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT order_id FROM orders\n", "CP01"),
        ("select\n    order_id\n    , quantity\nfrom orders\n", "LT04"),
        ("select order_id number from orders\n", "AL02"),
        ("select ord.order_id from orders as o inner join baskets as ord on o.order_id = ord.order_id\n", "AL06"),
        ("select order_id::bigint as order_id from orders\n", "CV11"),
        ("with\n\norders as (\n\n    select * from {{ ref('orders') }}\n\n)\n\nselect order_id from orders\n", "CV13"),
        ("select (\n", "PRS"),
    ],
)
@pytest.mark.ci_cases(3)
def test_bad_sql_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], sql: str, code: str) -> None:
    file = tmp_path / "bad.sql"
    file.write_text(sql)
    assert lint_sql.run([str(file)]) == lint_sql.FINDINGS
    assert f"  {code}  " in capfd.readouterr().out


NAMES = """select
    '{{ target.name }}' as target_name,
    '{{ run_started_at.strftime("%Y-%m-%d") }}' as run_on,
    '{{ invocation_id }}' as run_id,
    '{{ modules.datetime.datetime.now() }}' as built_at,
    '{{ config.get("materialized") }}' as kind,
    cast(week as {{ dbt.type_int() }}) as week_number,
    {{ current_timestamp() }} as read_at
from {{ ref('orders', 'order_lines') }}
{% if execute and not flags.FULL_REFRESH %}where week > 1{% endif %}
"""


@pytest.mark.thorough
def test_names_that_dbt_gives_to_every_model_are_known(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "names.sql"
    every = [name for name in ModelContext._context_members_ if name != "return"]
    assert len(every) > 50
    file.write_text(NAMES + "".join(f"-- {{{{ {name} is defined or {name}.x }}}}\n" for name in sorted(every)))
    lint_sql.run([str(file)])
    said = capfd.readouterr().out
    assert "1 SQL files linted" in said
    assert "TMP" not in said
    assert "PRS" not in said


@pytest.mark.thorough
def test_a_name_of_a_package_says_where_its_stand_in_goes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "package.sql"
    file.write_text("select {{ unheard_of.star('a') }} from orders\n")
    assert lint_sql.run([str(file)]) == lint_sql.FINDINGS
    said = capfd.readouterr().out
    assert "Undefined jinja template variable: 'unheard_of'" in said
    assert "run `dbt deps`. Add other names to tools/dbt_stand_ins/__init__.py." in said


def test_no_sql_at_all_is_a_failure(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(lint_sql, "domain_sql", list)
    assert lint_sql.run([]) == lint_sql.MISSING_ARTIFACT
    assert "There is no SQL to lint" in capfd.readouterr().err


def test_a_changed_model_is_linted_alone_and_a_changed_macro_with_all_models() -> None:
    model, macro = "domains/platform/models/output_ports/publications.sql", "macros/models/mesh_records.sql"
    assert lint_sql.if_all_are_models([model]) == [model]
    assert lint_sql.if_all_are_models([model, macro]) == []


def test_a_file_that_sqlfluff_would_skip_is_a_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "long.sql"
    file.write_text("select 1 as one\n" + "-- long\n" * 3000)
    assert lint_sql.run([str(file)]) != lint_sql.FINE
    assert "20000" in "".join(capfd.readouterr())


def test_macros_of_every_domain_are_known_to_sqlfluff() -> None:
    """`portmesh register` lists them in .sqlfluff."""
    listed = FluffConfig.from_path(str(REPOSITORY)).get("load_macros_from_path", section=("templater", "jinja"))
    folders = {f.parent for f in REPOSITORY.glob("domains/*/macros/*.sql")}
    assert folders | {REPOSITORY / "macros"} == {Path(folder.strip()) for folder in listed.split(",")}


def test_every_excluded_sqlfluff_rule_has_its_reason_above() -> None:
    lines = (REPOSITORY / ".sqlfluff").read_text().splitlines()
    (at,) = [n for n, line in enumerate(lines) if line.startswith("exclude_rules")]
    rules = lines[at].partition("=")[2].replace(" ", "").split(",")
    comment = []
    for line in reversed(lines[:at]):
        if not line.startswith("#"):
            break
        comment.append(line)
    assert rules
    assert all(rule in " ".join(comment) for rule in rules)


# Conventions


@pytest.mark.nightly
def test_every_convention_looks_at_every_domain(manifest: Path, capfd: pytest.CaptureFixture[str]) -> None:
    exit_code = lint_conventions.run(["--manifest", str(manifest)])
    said = capfd.readouterr().out
    assert exit_code == lint_conventions.FINE, said
    summary = re.search(r"^([\d,]+) checks in (\d+) domains: 0 findings\.$", said, re.M)
    assert summary, said
    assert int(summary[1].replace(",", "")) > 50
    assert 1 <= int(summary[2]) <= len(DOMAINS)


def _make_bad(manifest: dict[str, Any], kind: str) -> None:
    nodes = manifest["nodes"]
    port = nodes["model.platform.publications"]
    staging = nodes["model.platform.stg_records__publications"]
    if kind == "name":
        staging["name"] = "publications_staging"
    elif kind == "intermediate name":
        staging["original_file_path"] = "models/intermediate/stg_records__publications.sql"
    elif kind == "intermediate name of another domain":
        staging["original_file_path"] = "models/intermediate/int_finance__lines_joined.sql"
        staging["name"] = "int_finance__lines_joined"
    elif kind == "port name":
        port["name"] = "fct_publications"
    elif kind == "folder":
        port["original_file_path"] = "models/marts/publications.sql"
    elif kind == "properties file":
        port["patch_path"] = "platform://models/output_ports/everything.yml"
    elif kind == "internal properties file":
        staging["patch_path"] = "platform://models/staging/schema.yml"
    elif kind == "grain":
        port["description"] = "Lines of the tills."
    elif kind == "column description":
        port["columns"]["row_count"]["description"] = ""
    elif kind == "column type":
        port["columns"]["attempted_at"]["data_type"] = "int"
    elif kind == "key":
        gone = [i for i, n in nodes.items() if n.get("attached_node") == port["unique_id"] and "unique" in n["name"]]
        assert gone
        for unique_id in gone:
            del nodes[unique_id]
    elif kind == "source":
        port["depends_on"]["nodes"].append("source.platform.records.publications")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            "name",
            "check_internal_model_name: `staging/publications_staging` is neither `staging/stg_<source>__<entity>` nor",
        ),
        ("intermediate name", "`intermediate/stg_records__publications` is neither "),
        ("intermediate name of another domain", "`intermediate/int_finance__lines_joined` is neither "),
        ("port name", "check_model_names: A port is named for what it holds"),
        ("folder", "is located in the `marts` sub-directory"),
        ("properties file", "(`everything.yml`) does not match the expected per-model file name (`publications.yml`)"),
        ("internal properties file", "is described in `schema.yml`, not in `_platform__models.yml`."),
        ("grain", "check_model_description_contains_regexp_pattern: "),
        ("column description", "check_model_column_description_populated: "),
        ("column type", "check_model_column_name_complies_to_column_type: "),
        ("key", "`publications` does not have a test for uniqueness of a column."),
        ("source", "check_lineage_source_cannot_be_used: "),
    ],
)
def test_a_broken_convention_is_refused(
    manifest: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    kind: str,
    message: str,
) -> None:
    content = json.loads(manifest.read_text())
    _make_bad(content, kind)
    bad = tmp_path / "manifest.json"
    bad.write_text(json.dumps(content))
    monkeypatch.setattr(lint_conventions, "packages_with_models", lambda _: ["platform"])
    assert lint_conventions.run(["--manifest", str(bad)]) == lint_conventions.FINDINGS
    said = capfd.readouterr().out
    assert message in said
    assert "domains/platform/models/" in said


def test_an_intermediate_model_is_named_for_its_domain_and_step(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A staging model is moved."""
    content = json.loads(manifest.read_text())
    moved = content["nodes"]["model.platform.stg_records__publications"]
    moved["original_file_path"] = "models/intermediate/int_platform__lines_joined.sql"
    moved["name"] = "int_platform__lines_joined"
    changed = tmp_path / "manifest.json"
    changed.write_text(json.dumps(content))
    monkeypatch.setattr(lint_conventions, "packages_with_models", lambda _: ["platform"])
    lint_conventions.run(["--manifest", str(changed)])
    said = capfd.readouterr().out
    assert re.search(r"^\d+ checks in 1 domains", said, re.M)
    assert "check_internal_model_name" not in said


def test_property_files_may_end_in_yaml(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "manifest.json"
    bad.write_text(manifest.read_text().replace('.yml"', '.yaml"'))
    assert ".yaml" in bad.read_text()
    monkeypatch.setattr(lint_conventions, "packages_with_models", lambda _: ["platform"])
    lint_conventions.run(["--manifest", str(bad)])
    said = capfd.readouterr().out
    assert re.search(r"^\d+ checks in 1 domains: 0 findings\.$", said, re.M), said


def test_a_convention_that_matches_nothing_is_a_failure(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The root package has no models. By default dbt-bouncer would look only there, and so check nothing."""
    monkeypatch.setattr(lint_conventions, "packages_with_models", lambda _: ["portmesh"])
    assert lint_conventions.run(["--manifest", str(manifest)]) == lint_conventions.FINDINGS
    assert "These checks matched no resource: check_model_directories" in capfd.readouterr().out


def test_a_convention_may_match_nothing_in_some_domains(manifest: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert lint_conventions.run(["--manifest", str(manifest), "platform"]) == lint_conventions.FINE
    assert re.search(r"^\d+ checks in 1 domains: 0 findings\.$", capfd.readouterr().out, re.M)


@pytest.mark.parametrize(
    ("files", "domains"),
    [
        (["domains/orders/models/orders.yml", "domains/marketing/README.md"], ["marketing", "orders"]),
        (["domains/orders/models/orders.yml", "dbt-bouncer.yml"], []),
        ([], []),
    ],
)
def test_conventions_are_checked_in_the_domains_that_changed(files: list[str], domains: list[str]) -> None:
    assert lint_mesh.domains_of(files) == domains


def test_pages_rights_and_a_schedule_that_are_out_of_step_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each is checked, even if the first one fails."""
    monkeypatch.setattr(
        lint_mesh.catalog, "find_differences", lambda *_, **__: [Difference("docs/a.md", "out of date")]
    )
    monkeypatch.setattr(lint_mesh, "render_template", lambda *_: "another template")
    monkeypatch.setattr(schedule.Schedule, "render", lambda *_: "another schedule")
    monkeypatch.setattr(lint_mesh, "FOLDER", tmp_path)
    assert lint_mesh.run(["domains/platform/models/platform.yml"]) == lint_mesh.lint_conventions.FINDINGS
    out, err = capfd.readouterr()
    assert "The catalog is out of date: 1 finding." in err
    assert "The infrastructure template is out of date: 1 finding." in err
    assert "The schedule of Airflow is not up to date: 1 finding." in err
    assert "checks in 1 domains: 0 findings." in out


def test_a_missing_manifest_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(lint_conventions.LintError, match="Run: dbt parse"):
        lint_conventions.packages_with_models(tmp_path / "manifest.json")


@pytest.mark.thorough
def test_warnings_can_be_errors(tmp_path: Path) -> None:
    place = ["--project-dir", str(REPOSITORY), "--profiles-dir", str(REPOSITORY), "--target-path", str(tmp_path)]
    # dbt counts what other tests of this process did.
    deprecations.reset_deprecations()
    parsed = dbtRunner().invoke(["--warn-error", "parse", "--no-partial-parse", *place])
    assert parsed.success, parsed.exception


def test_dbt_finds_the_plugin_of_an_installed_kit(tmp_path: Path) -> None:
    """As dbt looks for plugins: among the modules of the folders that the environment itself names."""
    listed = "import pkgutil; print(*(module.name for module in pkgutil.iter_modules()))"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", listed], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "dbt_portmesh" in done.stdout.split()


# pre-commit


def test_every_hook_is_local_and_sees_files() -> None:
    settings = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in settings["repos"]] == ["local"]
    hooks = settings["repos"][0]["hooks"]
    assert {"sql", "macros", "mesh", "ruff", "ruff-format", "mypy"} <= {hook["id"] for hook in hooks}
    files = git_files()
    for hook in hooks:
        assert hook["language"] == "system"
        command = REPOSITORY / hook["entry"].split()[0]
        assert command.exists(), hook["entry"]
        assert any(re.search(hook.get("files", ""), file) for file in files), hook["id"]


# Ownership and requirements


def test_every_domain_has_an_owner_of_its_own() -> None:
    lines = [x.split() for x in (REPOSITORY / "CODEOWNERS").read_text().splitlines() if x and not x.startswith("#")]
    owners = {path: names for path, *names in lines}
    assert owners["*"]
    assert DOMAINS
    for domain in DOMAINS:
        assert owners[f"/domains/{domain}/"], domain
        # The last line that matches counts.
        assert [path for path, *_ in lines].index("*") < [path for path, *_ in lines].index(f"/domains/{domain}/")
    assert {path for path in owners if path.startswith("/domains/")} == {f"/domains/{d}/" for d in DOMAINS}


def test_requirements_are_pinned_and_name_no_index() -> None:
    files = sorted([*REPOSITORY.glob("requirements*.txt"), *REPOSITORY.glob("*/requirements.txt")])
    assert len(files) >= 3
    for file in files:
        lines = [x.strip() for x in file.read_text().splitlines() if x.strip() and not x.startswith("#")]
        assert lines, file.name
        for line in lines:
            assert re.fullmatch(
                r"-r requirements[a-z-]*\.txt|[A-Za-z0-9._-]+(\[[A-Za-z0-9,-]+\])?==[0-9][0-9A-Za-z.]*", line
            ), f"{file.name}: {line}"


def test_all_files_name_one_version_which_the_changelog_describes() -> None:
    package = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())["version"] == package
    assert f"## [{package}] - " in (REPOSITORY / "CHANGELOG.md").read_text()


def test_the_container_is_made_by_the_commands_of_this_repository() -> None:
    container = json.loads((REPOSITORY / ".devcontainer/devcontainer.json").read_text())
    scripts = re.findall(r"tools/\S+", container["postCreateCommand"])
    assert scripts
    assert all((REPOSITORY / script).exists() for script in scripts)


# Selectors


@pytest.fixture(scope="module")
def select(manifest: Path) -> Any:
    """`dbt ls` on the real mesh, in this process."""

    def run(*arguments: str) -> list[str]:
        place = ["--project-dir", str(REPOSITORY), "--profiles-dir", str(REPOSITORY), "--quiet"]
        place += ["--target-path", str(manifest.parent), "--log-path", str(manifest.parent)]
        result = dbtRunner().invoke(["ls", *arguments, *place])
        assert result.success, result.exception
        return list(result.result)

    return run


SELECTORS = {s["name"]: s for s in yaml.safe_load((REPOSITORY / "selectors.yml").read_text())["selectors"]}


@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_each_selector_is_described_and_selects_something(select: Any, name: str) -> None:
    assert name not in DOMAINS
    assert SELECTORS[name]["description"].strip()
    assert len(select("--selector", name, "--resource-type", "model")) >= 2


# make and CI


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A fresh clone's tools, without any environment."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    shutil.copytree(REPOSITORY / "tools", tmp_path / "tools")
    for file in REPOSITORY.glob("requirements*.txt"):
        shutil.copy(file, tmp_path)
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def _command(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def _make(folder: Path, *arguments: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "HOME": str(folder)}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_demo_says_that_python_is_too_old(fresh: Path) -> None:
    python = _command(fresh / "old-python", 'echo "3.9"')
    done = _make(fresh, "serve", f"PYTHON={python}")
    assert done.returncode != 0
    assert f"Portmesh needs Python 3.11 or newer. {python} is Python 3.9." in done.stderr
    assert "put PYTHON=python3.11 at the end of the command" in done.stderr
    assert not (fresh / ".venv").exists()


def test_demo_says_that_there_is_no_python(fresh: Path) -> None:
    done = _make(fresh, "serve", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "There is no no-such-python on the path." in done.stderr


def test_demo_says_that_venv_is_missing(fresh: Path) -> None:
    python = _command(fresh / "bare-python", 'case "$2" in *venv*) exit 1;; *) echo "3.12";; esac')
    done = _make(fresh, "serve", f"PYTHON={python}")
    assert done.returncode != 0
    assert f"{python} has no module venv. On Debian and Ubuntu: apt install python3-venv" in done.stderr


def test_an_environment_needs_git_and_says_so_is_missing(fresh: Path) -> None:
    folder = fresh / "bin"
    folder.mkdir()
    for name in ("bash", "sh", "make", "mkdir", "dirname", "cksum", "env"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    done = _make(fresh, "serve", f"PYTHON={sys.executable}", path=str(folder))
    assert done.returncode != 0
    assert "there is no git on the path. Install git." in done.stderr


def test_an_environment_whose_requirements_are_unchanged_is_left_alone(fresh: Path) -> None:
    """The pip of the fake environment records its calls."""
    (fresh / ".venv" / "bin").mkdir(parents=True)
    _command(fresh / ".venv" / "bin" / "python", f'[ "$1" = -m ] && echo "$@" >> {fresh}/calls; exit 0')

    def calls() -> int:
        done = subprocess.run(["tools/environment.sh", "run"], cwd=fresh, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return len((fresh / "calls").read_text().splitlines())

    assert [calls(), calls()] == [1, 1]
    with (fresh / "requirements.txt").open("a") as file:
        file.write("# changed\n")
    assert calls() == 2
    assert "-r requirements.txt " in (fresh / "calls").read_text()
    (fresh / "extra").mkdir()
    (fresh / "extra" / "requirements.txt").write_text("more==1.0\n")
    assert calls() == 3
    assert "-r extra/requirements.txt" in (fresh / "calls").read_text().splitlines()[-1]


def test_help_names_every_target() -> None:
    done = _make(REPOSITORY, "help")
    for target in ("serve", "test", "lint", "bench", "clean"):
        assert re.search(rf"^make {target} +[A-Z]", done.stdout, re.M), target


@pytest.mark.parametrize("name", [".ci/run", *(name for name in git_files() if name.endswith(".sh"))])
def test_scripts_can_be_run(name: str) -> None:
    script = REPOSITORY / name
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/usr/bin/env bash\n")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_ci_runs_what_the_readme_gives() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text()
    chosen = ['make test-thorough THIRD="$third"', 'make test-engines PART="$part"']
    commands = ["make lint", "make test"]
    assert [line for line in script.splitlines() if line.startswith("make ")] == [*commands, *chosen]
    jobs = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    assert set(commands) <= {step.get("run") for step in jobs["lint-and-test"]["steps"]}
    (parts,) = re.findall(r"^parts=\((.*)\)$", script, re.M)
    thirds = [f"test-thorough THIRD={number}" for number in (1, 2, 3)]
    engines = [f"test-engines PART={part}" for part in parts.split()]
    assert jobs["test-more"]["strategy"]["matrix"]["tests"] == [*thirds, *engines]
    makefile = (REPOSITORY / "Makefile").read_text()
    assert all(f"\nTESTS_{part} = " in makefile for part in parts.split())
