"""The docs pages: their links work, and the first hour's commands run."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mesh import REPOSITORY
from tests.repository import git_files
from tools import changes_page, checks_page

CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def broken_links(page: Path) -> list[str]:
    """A page's links to files or headings that do not exist."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", page.read_text(encoding="utf-8"))):
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        is_elsewhere = link.startswith(("http://", "https://", "mailto:"))
        if not is_elsewhere and (not target.exists() or (heading and heading not in headings(target))):
            found.append(link)
    return found


def headings(page: Path) -> set[str]:
    """The headings of a page, as GitHub names them in links."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_somewhere() -> None:
    pages = [REPOSITORY / name for name in git_files("*.md") if not name.startswith("docs/catalog/")]
    assert len(pages) > 50
    assert {str(page.relative_to(REPOSITORY)): broken_links(page) for page in pages if broken_links(page)} == {}


def test_a_link_to_nothing_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title\n[x](#a-title) [y](#other) [z](gone.md) [w](page.md#a-title)\n```\n[v](code.md)\n```\n")
    assert broken_links(page) == ["#other", "gone.md"]


def test_the_page_of_checks_is_in_step() -> None:
    assert checks_page.PAGE.read_text(encoding="utf-8") == checks_page.page(), "run: python -m tools.checks_page"


def test_the_page_of_changes_is_in_step() -> None:
    assert changes_page.PAGE.read_text(encoding="utf-8") == changes_page.page(), "run: python -m tools.changes_page"
    assert changes_page.page().count("\n## PM3") > 40


def test_the_page_of_checks_has_every_check() -> None:
    files = {file.stem for file in (REPOSITORY / "macros/checks").glob("*.sql")}
    described = set(re.findall(r"^## (\w+)$", checks_page.page(), re.MULTILINE))
    assert described
    assert described <= files


AWS = """#!/usr/bin/env bash
case "$*" in
  *get-caller-identity*) echo 123456789012 ;;
  *role/portmesh-orders*) printf 'KEY\\tSECRET\\tTOKEN\\n' ;;
  *assume-role*) echo "not authorized" >&2; exit 254 ;;
  *start-query-execution*) echo "$*" >> "$CALLS"; echo an-id ;;
  *--query*QueryExecution.Status.State*) echo SUCCEEDED ;;
  *get-query-execution*) printf 'SUCCEEDED\\tNone\\t1234\\t567\\n' ;;
esac
"""


@pytest.fixture
def first_hour(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs a command after the first block of docs/first-account.md, with a fake AWS CLI."""
    page = (REPOSITORY / "docs/first-account.md").read_text()
    block = re.findall(r"^```\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[0].replace("…", "")
    (tmp_path / "aws").write_text(AWS)
    (tmp_path / "aws").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}

    def run(line: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-c", f"set -u\n{block}\n{line}"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_first_hour_asks_athena_with_a_role(
    first_hour: Callable[[str], subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    asked = first_hour(
        'as orders ask "select 1"; as orders printenv AWS_SECRET_ACCESS_KEY; echo "${AWS_SESSION_TOKEN-none}"'
    )
    assert asked.stderr == ""
    assert asked.stdout.splitlines() == ["SUCCEEDED\tNone\t1234\t567", "SECRET", "none"]
    assert "--work-group portmesh-orders --query-string select 1" in (tmp_path / "calls").read_text()


def test_the_first_hour_runs_nothing_with_a_role_that_is_refused(
    first_hour: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    refused = first_hour("as marketing echo ran")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "not authorized\n"


def test_every_block_of_the_first_hour_is_bash() -> None:
    page = (REPOSITORY / "docs/first-account.md").read_text()
    blocks = re.findall(r"^```\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 7
    for block in blocks:
        checked = subprocess.run(["bash", "-n", "-c", block], capture_output=True, text=True, check=False)
        assert checked.stderr == "", block
