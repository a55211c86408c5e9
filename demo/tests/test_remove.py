"""`portmesh demo remove`, on a copy of the repository: everything goes or nothing does, and what stays works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from portmesh_demo import remove
from portmesh_demo.remove import DOMAINS, FOLDER, plan_removal

from portmesh.errors import FindingsError, MissingArtifactError, PortmeshError, UsageError
from tests.mesh import REPOSITORY
from tests.portmesh_call import Portmesh
from tests.repository import copy_repository

pytestmark = pytest.mark.thorough

GONE = [FOLDER, *(f"domains/{domain}" for domain in DOMAINS)]
# What still speaks of the demonstration: history, and samples in examples.
MAY_NAME_IT = ("CHANGELOG.md", "docs/")
QUICK = ["tests/test_help.py", "tests/test_rooms.py", "tests/test_docs.py", "tests/test_register.py"]
# The other tests that read the repository itself. All others make their own mesh.
OF_THE_REPOSITORY = [
    "tests/test_benchmarks.py", "tests/test_catalog.py", "tests/test_docs_run.py", "tests/test_infra.py",
    "tests/test_lint_macros.py", "tests/test_reading_ports.py", "tests/test_rules_alone.py", "tests/test_schema.py",
    "tests/test_slim_ci.py", "tests/test_tooling.py",
]  # fmt: skip


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
    done = subprocess.run(["git", *person, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def typed(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in a repository, with its own kit, as if it were installed there."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PORTMESH_", "DBT_", "PYTEST_"))}
    environment |= {"PYTHONPATH": f"{folder}/src:{folder}/demo", "PATH": f"{folder}/.venv/bin:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def portmesh_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return typed(folder, sys.executable, "-m", "portmesh", *arguments)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository in which everything is committed."""
    folder = tmp_path_factory.mktemp("remove") / "portmesh"
    copy_repository(folder)
    for name in (".venv", ".venv-bouncer"):
        if (REPOSITORY / name).exists():
            (folder / name).symlink_to(REPOSITORY / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A clone")
    return folder


@pytest.fixture
def clone(committed: Path) -> Path:
    """That copy. A test that changes it has its changes undone."""
    git(committed, "reset", "--quiet", "--hard")
    git(committed, "clean", "--quiet", "--force", "-d")
    return committed


@pytest.fixture(scope="module")
def removed(committed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another copy, after `portmesh demo remove --yes` and a new installation."""
    git(committed, "reset", "--quiet", "--hard")
    folder = Path(shutil.copytree(committed, tmp_path_factory.mktemp("removed") / "portmesh", symlinks=True))
    done = portmesh_in(folder, "demo", "remove", "--yes")
    assert done.returncode == 0, done.stderr
    assert "folders    demo\n" in done.stdout
    assert "Removed." in done.stdout
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Take out the demonstration")
    # What an installation writes, found before the environment's own: the kit, and a demonstration without commands.
    for name in ("portmesh", "portmesh_demo"):
        metadata = folder / f"src/{name}.egg-info"
        metadata.mkdir()
        (metadata / "PKG-INFO").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    assert typed(folder, "dbt", "--quiet", "deps").returncode == 0
    return folder


def files(folder: Path) -> list[str]:
    return git(folder, "ls-files").splitlines()


# What is refused


@pytest.mark.nightly
def test_it_says_what_it_would_remove_and_changes_nothing_if_nobody_can_confirm(clone: Path) -> None:
    done = portmesh_in(clone, "demo", "remove")
    assert done.returncode == 2
    for name in (*GONE, "docs/catalog/orders.md", "packages.yml", "README.md"):
        assert f" {name}\n" in done.stdout, name
    assert "There is no terminal to ask, so nothing was removed." in done.stderr
    assert "portmesh demo remove --yes" in done.stderr
    assert git(clone, "status", "--porcelain") == ""


def test_who_says_no_keeps_everything(clone: Path, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clone)
    monkeypatch.setattr("portmesh_demo.remove_command.sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_: False)
    said = portmesh("demo", "remove")
    assert (said.exit_code, "Nothing was removed." in said.out) == (0, True), said
    assert git(clone, "status", "--porcelain") == ""


def _edit(path: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with (folder / path).open("a") as file:
            file.write(text)

    return change


def _commit(change: Callable[[Path], None]) -> Callable[[Path], None]:
    def committed(folder: Path) -> None:
        change(folder)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "A change")

    return committed


READER = "domains/finance/models/output_ports/costs.sql"
REFUSED: dict[str, tuple[Callable[[Path], None], type[PortmeshError], list[str]]] = {
    "a change": (_edit("Makefile", "#\n"), UsageError, ["changes that are not committed", "Makefile"]),
    "a new file": (_edit("notes.md", "#\n"), UsageError, ["changes that are not committed", "notes.md"]),
    "a reader": (
        _commit(_edit(READER, "select * from {{ ref('orders', 'baskets') }}")),
        FindingsError,
        ["Other domains read ports of the demonstration", READER, "reads the domain orders"],
    ),
    "a lost end": (
        _commit(_edit("Makefile", "# demonstration: begin\n")),
        FindingsError,
        ["has no begin or no end", "Makefile"],
    ),
    "no demonstration": (
        _commit(lambda folder: shutil.rmtree(folder / FOLDER)),
        MissingArtifactError,
        ["There is no demonstration here."],
    ),
    "no git": (lambda folder: (folder / ".git").rename(folder / ".got"), UsageError, ["git cannot say"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_nothing_is_removed(clone: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, error, words = REFUSED[case]
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(clone.parent))
    before = git(clone, "rev-parse", "HEAD").strip()
    change(clone)
    try:
        with pytest.raises(error) as refused:
            plan_removal(clone)
    finally:
        if (clone / ".got").exists():
            (clone / ".got").rename(clone / ".git")
        assert all((clone / name).exists() for name in GONE) or case == "no demonstration"
        git(clone, "reset", "--quiet", "--hard", before)
    for word in words:
        assert word in str(refused.value)


def test_if_a_file_cannot_be_written_everything_is_as_it_was(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **_more: object) -> None:
        assert not (clone / FOLDER).exists()
        raise KeyboardInterrupt

    plan = plan_removal(clone)
    monkeypatch.setattr("portmesh_demo.remove.write_all", fail)
    with pytest.raises(KeyboardInterrupt):
        remove.remove(plan)
    assert git(clone, "status", "--porcelain", "--ignored=no") == ""
    assert not (clone / remove.ASIDE).exists()


# What stays


@pytest.mark.nightly
def test_folders_and_mentions_are_gone(removed: Path) -> None:
    assert [name for name in GONE if (removed / name).exists()] == []
    assert (removed / "domains/platform").is_dir()
    assert not (removed / remove.ASIDE).exists()
    assert git(removed, "status", "--porcelain") == ""
    names = re.compile(r"completejourney|portmesh_demo|portmesh demo\b|\bdemo/|make demo\b|demonstration: (begin|end)")
    read = [name for name in files(removed) if not name.startswith(MAY_NAME_IT) and (removed / name).is_file()]
    assert len(read) > 400
    assert [name for name in read if names.search((removed / name).read_text(errors="replace"))] == []


def test_no_setting_names_its_domains(removed: Path) -> None:
    """A domain is named as a package, a folder, a group, or in the id of a model."""
    name = re.compile(
        rf"(domains/|package[:,] ?|group: |docs/catalog/)({'|'.join(DOMAINS)})\b|\bmodel\.({'|'.join(DOMAINS)})\."
    )
    read = [
        "packages.yml", "dbt_project.yml", "CODEOWNERS", ".sqlfluff", "pyproject.toml", "Makefile",
        "infra/domains.yaml", "dbt-bouncer.yml", ".pre-commit-config.yaml", ".github/workflows/change.yml",
        *(name for name in files(removed) if name.startswith("docs/catalog/")),
    ]  # fmt: skip
    assert [file for file in read if name.search((removed / file).read_text())] == []


@pytest.mark.nightly
def test_what_stays_is_parsed_compiled_and_built(removed: Path) -> None:
    for command in ("parse", "compile", "build"):
        done = typed(removed, "dbt", "--no-use-colors", command)
        assert done.returncode == 0, done.stdout
    assert "publications" in done.stdout
    status = portmesh_in(removed, "status")
    assert "2 ports: 2 published." in status.stdout, status


@pytest.mark.nightly
def test_lists_pages_and_rights_are_up_to_date(removed: Path) -> None:
    for command in ("register", "catalog", "infra"):
        done = portmesh_in(removed, command, "--check")
        assert done.returncode == 0, done.stderr
    assert "No such command 'demo'" in portmesh_in(removed, "demo").stderr


@pytest.mark.nightly
def test_quick_tests_of_what_stays_pass(removed: Path) -> None:
    done = typed(removed, sys.executable, "-m", "pytest", "-q", "-m", "not thorough and not nightly", *QUICK)
    assert done.returncode == 0, done.stdout


@pytest.mark.nightly
def test_all_tests_of_what_stays_are_collected(removed: Path) -> None:
    done = typed(removed, sys.executable, "-m", "pytest", "-q", "--collect-only")
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+)(?:/\d+)? tests collected", done.stdout)[0]) > 1000


@pytest.mark.nightly
def test_tests_that_read_the_repository_pass(removed: Path) -> None:
    done = typed(removed, sys.executable, "-m", "pytest", "-q", *OF_THE_REPOSITORY)
    assert done.returncode == 0, done.stdout


@pytest.mark.nightly
def test_lint_finds_nothing(removed: Path) -> None:
    done = typed(removed, ".venv/bin/pre-commit", "run", "--all-files")
    assert done.returncode == 0, done.stdout
