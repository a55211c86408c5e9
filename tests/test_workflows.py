"""What GitHub runs for a pull request: who gets which rights, and the comment, whose text comes from untrusted code."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.mesh import REPOSITORY

FOLDER = REPOSITORY / ".github" / "workflows"
FILES = sorted(path.name for path in FOLDER.glob("*.yml"))
SHA = "1111111111111111111111111111111111111111"


def workflow(name: str) -> dict[str, Any]:
    text = (FOLDER / name).read_text()
    # YAML 1.1 reads the key `on` as true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(text).items()}


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    found = [(name, job, content) for name in FILES for job, content in workflow(name)["jobs"].items()]
    assert len(found) > 5
    return found


def test_the_code_of_a_fork_gets_no_rights_and_no_secrets() -> None:
    """`read` is the only job of a fork's pull request: it may read the repository, and nothing is passed to it."""
    called = workflow("pull-request.yml")
    assert called["permissions"] == {}
    assert list(called["on"]) == ["pull_request"]
    assert called["jobs"]["read"]["permissions"] == {"contents": "read"}
    assert not {"role", "build", "secrets"} & ({*called["jobs"]["read"]["with"]} | {*called["jobs"]["read"]})
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert called["jobs"]["build"]["if"] == own
    assert own in workflow("pull-request-closed.yml")["jobs"]["drop"]["if"]
    reading, building = (workflow("change.yml")["jobs"][job] for job in ("read", "build"))
    assert (reading["if"], building["if"]) == ("${{ !inputs.build }}", "${{ inputs.build }}")
    assert "github_credentials" not in str(reading)


def test_only_one_job_may_write_and_it_runs_no_code_of_the_pull_request() -> None:
    writing = {
        (name, job): right
        for name, job, content in jobs()
        for right, value in content.get("permissions", {}).items()
        if value == "write" and right != "id-token"
    }
    assert writing == {("pull-request-comment.yml", "comment"): "pull-requests"}
    steps = workflow("pull-request-comment.yml")["jobs"]["comment"]["steps"]
    assert [step["uses"].split("@")[0] for step in steps if "uses" in step] == ["actions/download-artifact"]
    assert all("pull_request_target" not in workflow(name)["on"] for name in FILES)


def test_no_workflow_has_secrets_and_no_command_contains_an_expression() -> None:
    for name, job, content in jobs():
        assert "secrets." not in str(content), (name, job)
        assert all("${{" not in step.get("run", "") for step in content.get("steps", [])), (name, job)


def test_every_action_is_pinned_and_no_checkout_keeps_its_token() -> None:
    checked = 0
    for name, _, content in jobs():
        for step in content.get("steps", []):
            if uses := step.get("uses"):
                assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", uses), (name, uses)
                checked += 1
                if "checkout" in uses:
                    assert step["with"]["persist-credentials"] is False, name
    assert checked > 8


def test_the_history_is_there_where_it_is_compared() -> None:
    for job in workflow("change.yml")["jobs"].values():
        (checkout,) = [step for step in job["steps"] if "checkout" in step.get("uses", "")]
        assert checkout["with"]["fetch-depth"] == 0


# The comment

GH = """#!/usr/bin/env python3
import json, pathlib, sys
arguments = sys.argv[1:]
place = pathlib.Path(__file__).parent
if "/pulls/" in arguments[1]:
    print(json.loads((place / "heads.json").read_text()).get(arguments[1].rsplit("/", 1)[1], "none"))
elif "--paginate" in arguments:
    print((place / "comments").read_text(), end="")
else:
    body = next(each for each in arguments if each.startswith("body=@")).removeprefix("body=@")
    (place / "calls").open("a").write(json.dumps([arguments[2], arguments[3], pathlib.Path(body).read_text()]))
"""


@pytest.fixture
def comment(tmp_path: Path) -> Any:
    """Runs the step that writes the comment, with a stand-in for GitHub's client. Returns its output and its calls."""
    (step,) = [s for s in workflow("pull-request-comment.yml")["jobs"]["comment"]["steps"] if "run" in s]
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    (tools / "heads.json").write_text(json.dumps({"7": SHA}))
    (tmp_path / "report").mkdir()

    def run(number: str | None, text: str = "", comments: str = "") -> tuple[int, str, list[str]]:
        (tools / "comments").write_text(comments)
        (tools / "calls").unlink(missing_ok=True)
        if number is not None:
            (tmp_path / "report/number").write_text(number)
            (tmp_path / "report/1-diff.md").write_text(text)
        variables = {"PATH": f"{tools}:{os.environ['PATH']}", "REPOSITORY": "a/b", "COMMIT": SHA, "RUN": "https://run"}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        calls = tools / "calls"
        return done.returncode, done.stdout + done.stderr, json.loads(calls.read_text()) if calls.exists() else []

    return run


def test_the_first_result_is_a_comment_and_later_ones_replace_it(comment: Any) -> None:
    code, output, (method, path, body) = comment("7\n", "`orders.order_lines`: minor")
    assert (code, method, path) == (0, "POST", "repos/a/b/issues/7/comments"), output
    assert body.startswith("<!-- portmesh: change -->\n`orders.order_lines`: minor")
    assert body.endswith(f"[All of it](https://run), of commit {SHA}.\n")
    _, output, (method, path, _) = comment("7\n", "again", "42\n43\n")
    assert (method, path) == ("PATCH", "repos/a/b/issues/comments/42"), output


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (None, "stored no result"),
        ("8\n", "is not the one that ran"),
        ("7; rm -rf .", "not the number of a pull request"),
        ("../7", "not the number of a pull request"),
        ("", "not the number of a pull request"),
    ],
)
def test_another_pull_request_gets_no_comment(comment: Any, number: str | None, said: str) -> None:
    _, output, calls = comment(number, "text")
    assert (calls, said in output) == ([], True), output


def test_text_of_untrusted_code_is_cut_and_notifies_nobody(comment: Any) -> None:
    code, output, (_, _, body) = comment("7", "@everyone $(touch here) `touch here` \0" + "ä" * 70000)
    assert code == 0, output
    assert "@everyone" not in body
    assert "@\u200beveryone $(touch here)" in body
    assert len(body.encode()) < 65536
