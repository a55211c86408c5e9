"""A company sees which of the platform's files it changed, and merges a later release without a conflict."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from portmesh.errors import FindingsError, MissingArtifactError, PortmeshError
from tests.mesh import REPOSITORY
from tools import lint_platform
from tools.lint_platform import REASONS, YOURS, assert_unchanged

Git = Callable[..., str]
BEGIN, END = "# domains: written by `portmesh register`", "# end of domains"
FILES = {
    "dbt_project.yml": f"name: portmesh\nversion: 0.1.0\nmodels:\n  platform: {{}}\n  {BEGIN}\n  {END}\nseeds: {{}}\n",
    "packages.yml": f"packages:\n  {BEGIN}\n  - local: domains/platform\n  {END}\n",
    "macros/rule.sql": "one\ntwo\nthree\nfour\n",
    "README.md": "Portmesh\n",
    "trial/data.csv": "1\n",
    "Makefile": "all:\n# trial: begin\ntrial:\n# trial: end\nlint:\n",
    "docs/trial.md": "<!-- trial: begin -->\ntext\n<!-- trial: end -->\n",
    "domains/platform/model.sql": "select 1\n",
    "domains/orders/model.sql": "select 1\n",
}


def git_in(folder: Path) -> Git:
    def run(*arguments: str) -> str:
        name = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
        done = subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout

    return run


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """A clone of a small platform with the tag v0.1.0, as docs/upgrading.md says, with the domain finance in it."""
    upstream = tmp_path / "platform"
    for name, text in FILES.items():
        (upstream / name).parent.mkdir(parents=True, exist_ok=True)
        (upstream / name).write_text(text)
    git = git_in(upstream)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "Release 0.1.0")
    git("tag", "v0.1.0")
    git_in(tmp_path)("clone", "-q", str(upstream), "company")
    folder = tmp_path / "company"
    git_in(folder)("remote", "rename", "origin", "upstream")
    edit(folder, "packages.yml", f"  {END}", f"  - local: domains/finance\n  {END}")
    edit(folder, "dbt_project.yml", f"  {END}", f"  finance: {{}}\n  {END}")
    edit(folder, "README.md", "Portmesh", "Our mesh")
    (folder / "domains/finance").mkdir()
    (folder / "domains/finance/model.sql").write_text("select 1\n")
    (folder / "macros/ours.sql").write_text("ours\n")
    commit(folder)
    return folder


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


def commit(folder: Path) -> None:
    git_in(folder)("add", "-A")
    git_in(folder)("commit", "-qm", "Change")


def test_what_is_yours_may_change(company: Path) -> None:
    edit(company, "domains/orders/model.sql", "1", "2")
    assert assert_unchanged(company).startswith("The platform is as in v0.1.0")


def test_what_was_taken_out_as_a_whole_is_no_change(company: Path) -> None:
    git_in(company)("rm", "-rq", "trial", "domains/orders", "docs/trial.md")
    edit(company, "Makefile", "# trial: begin\ntrial:\n# trial: end\n", "")
    commit(company)
    assert assert_unchanged(company).startswith("The platform is as in v0.1.0")


@pytest.mark.parametrize("is_committed", [True, False])
def test_each_changed_file_of_the_platform_is_named(company: Path, is_committed: bool) -> None:
    edit(company, "macros/rule.sql", "two", "2")
    edit(company, "dbt_project.yml", "seeds: {}", "seeds: {x: 1}")
    edit(company, "Makefile", "lint:", "")
    (company / "domains/platform/model.sql").unlink()
    if is_committed:
        commit(company)
    with pytest.raises(FindingsError, match=r"differ from v0\.1\.0: 4 findings") as found:
        assert_unchanged(company)
    assert dict(found.value.facts[:-1]) == {
        "Makefile": "changed", "dbt_project.yml": "changed", "domains/platform/model.sql": "deleted",
        "macros/rule.sql": "changed",
    }  # fmt: skip


def test_a_change_may_have_a_reason_and_a_reason_needs_a_change(company: Path) -> None:
    edit(company, "macros/rule.sql", "two", "2")
    (company / REASONS).write_text("macros/rule.sql: our products also need a cost centre\n")
    assert "1 files changed, each with its reason" in assert_unchanged(company)
    (company / REASONS).write_text("macros/rule.sql:\n")
    with pytest.raises(FindingsError, match=r"macros/rule\.sql +changed"):
        assert_unchanged(company)
    edit(company, "macros/rule.sql", "2", "two")
    (company / REASONS).write_text("macros/rule.sql: left over\n")
    with pytest.raises(FindingsError, match=r"has a reason, but it is as in v0\.1\.0"):
        assert_unchanged(company)


def test_without_upstream_or_its_tag_it_says_so(company: Path, tmp_path: Path) -> None:
    edit(company, "dbt_project.yml", "0.1.0", "0.9.0")
    with pytest.raises(MissingArtifactError, match=r"(?s)the tag v0\.9\.0.*git fetch upstream --tags"):
        assert_unchanged(company)
    git_in(company)("remote", "remove", "upstream")
    assert assert_unchanged(company) == "There is no remote upstream, so there is no release to compare with."
    with pytest.raises(PortmeshError, match="git cannot compare this repository"):
        assert_unchanged(tmp_path)


def test_a_later_release_merges_without_a_conflict(company: Path) -> None:
    upstream = company.parent / "platform"
    edit(upstream, "macros/rule.sql", "four", "4")
    edit(upstream, "dbt_project.yml", "0.1.0", "0.2.0")
    edit(upstream, "dbt_project.yml", "seeds: {}", "seeds: {+enabled: true}")
    commit(upstream)
    git_in(upstream)("tag", "v0.2.0")
    git = git_in(company)
    git("fetch", "-q", "upstream", "--tags")
    git("merge", "-q", "--no-edit", "v0.2.0")
    assert "finance" in (company / "dbt_project.yml").read_text()
    assert "+enabled" in (company / "dbt_project.yml").read_text()
    assert assert_unchanged(company).startswith("The platform is as in v0.2.0")


def test_the_page_lists_what_is_yours_as_the_code_does() -> None:
    page = (REPOSITORY / "docs/upgrading.md").read_text()
    table = page.partition("## What is yours")[2].partition("\n\n")[0]
    assert dict(re.findall(r"^\| `(.+?)` \| (.+) \|$", table, re.MULTILINE)) == dict(YOURS)
    assert f"`{lint_platform.NOT_YOURS[0]}`" in page


def test_each_path_of_the_list_is_there() -> None:
    assert [path for path in YOURS if path != REASONS and not (REPOSITORY / path).exists()] == []
