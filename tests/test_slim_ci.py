"""A pull request's build selects what the request changes, and nothing if it changes nothing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from portmesh.compiling import compile_manifest
from portmesh.dbt import install_packages
from portmesh.state import read_state
from tests.repository import copy_repository
from tests.test_state import commit, git
from tests.test_status import run

pytestmark = pytest.mark.thorough

MODEL = "domains/platform/models/staging/stg_records__publications.sql"


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of the repository's current files."""
    place = tmp_path_factory.mktemp("git") / "main"
    copy_repository(place)
    git(place, "init", "-q", "-b", "main")
    commit(place)
    install_packages(place)
    return place


def planned(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    monkeypatch.chdir(place)
    code, text = run(capsys, "plan", "--against", "main", "--json")
    assert code == 0, text
    return dict(json.loads(text))


@pytest.mark.parametrize("environment", ["pr_7", "dev_ana"])
@pytest.mark.ci_cases(1)
def test_an_unchanged_mesh_builds_nothing_in_another_environment(
    main: Path, environment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", environment)
    facts = planned(main, monkeypatch, capsys)
    assert (facts["nodes"], facts["select"], facts["total"] > 20) == ([], [], True)
    assert facts["not_compiled"] == {}


@pytest.mark.nightly
def test_a_changed_model_is_built_with_its_readers_and_a_comment_is_not(
    main: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", "pr_7")
    model = main / MODEL
    text = model.read_text()
    try:
        model.write_text(f"{text}-- changed\n")
        monkeypatch.chdir(main)
        assert run(capsys, "plan", "--against", "main", "--selector") == (0, "fqn:nothing_changed\n")
        model.write_text(f"{text.rstrip()}\nlimit 1\n")
        facts = planned(main, monkeypatch, capsys)
        labels = {node["label"]: node["reasons"] for node in facts["nodes"] if node["kind"] == "model"}
        assert set(labels) == {"platform.publications", "platform.stg_records__publications"}
        assert "limit" in labels["platform.stg_records__publications"][0]
        assert labels["platform.publications"] == ["the rows of platform.stg_records__publications change"]
        # As people and CI get it.
        code, text_of_plan = run(capsys, "plan", "--against", "main", "--select-file", str(tmp_path / "plan.txt"))
        assert code == 0
        assert text_of_plan.startswith("2 models to build and "), text_of_plan
        assert f"portmesh build --select-file {tmp_path}/plan.txt --defer-to main" in text_of_plan
        assert (tmp_path / "plan.txt").read_text().split() == facts["select"]
        assert "fqn:platform.staging.stg_records__publications" in facts["select"]
    finally:
        model.write_text(text)


@pytest.mark.nightly
def test_a_checkout_as_on_windows_builds_nothing(
    main: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = main.parent / "windows"
    subprocess.run(
        ["git", "-c", "core.autocrlf=true", "clone", "-q", str(main), str(windows)], check=True, capture_output=True
    )
    assert b"\r\n" not in (windows / MODEL).read_bytes()
    install_packages(windows)
    assert planned(windows, monkeypatch, capsys)["nodes"] == []


def test_an_environment_reads_its_own_records(main: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(main)
    state = read_state("main").manifest["nodes"]["model.platform.stg_records__publications"]
    assert '"portmesh"."publications__platform"' in state["compiled_code"]
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", "pr_7")
    there = compile_manifest(main, "local", tmp_path).manifest["nodes"]["model.platform.stg_records__publications"]
    assert '"pr_7__portmesh"."publications__platform"' in there["compiled_code"]
