"""What README and docs show is what the demonstration does, and the examples of the help run in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from portmesh.cli import EXAMPLES
from tests.mesh import REPOSITORY
from tests.repository import copy_repository
from tests.test_docs_run import follow, typed

PAGES = [
    "README.md",
    "docs/analyst.md",
    "docs/consumer.md",
    "docs/on-call.md",
    "docs/platform-engineer.md",
    "docs/landing.md",
]


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, built as `make demo` builds it."""
    folder = tmp_path_factory.mktemp("docs") / "portmesh"
    copy_repository(folder)
    (folder / ".venv").symlink_to(REPOSITORY / ".venv")
    (folder / "tools/environment.sh").write_text("#!/bin/sh\n# The test's own environment is used.\n")
    code, printed = typed("demo/run.sh", folder)
    assert code == 0, printed
    return folder


@pytest.fixture
def mesh(demonstration: Path, tmp_path: Path) -> Path:
    """A copy of the built demonstration, which a page may change."""
    folder = Path(shutil.copytree(demonstration, tmp_path / "portmesh", symlinks=True))
    shutil.rmtree(folder / "dbt_packages")
    assert typed("dbt --quiet deps", folder) == (0, "")
    return folder


@pytest.mark.nightly
@pytest.mark.parametrize("name", PAGES)
def test_a_page_does_what_it_shows(name: str, mesh: Path) -> None:
    assert follow(REPOSITORY / name, mesh) > 0


@pytest.mark.nightly
def test_the_examples_of_the_help_run(mesh: Path) -> None:
    """Those that need git, a renamed port, an earlier version or AWS are run by the tests of their command."""
    elsewhere = {
        "diff",
        "plan",
        "eject",
        "land",
        "rollback",
        "rename",
        "retire",
        "maintain",
        "meter",
        "sample",
        "serve",
    }
    assert elsewhere < set(EXAMPLES)
    for name in EXAMPLES.keys() - elsewhere:
        code, printed = typed(EXAMPLES[name], mesh)
        assert code == 0, printed
