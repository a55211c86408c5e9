"""A pull request's build selects what the request changes, and nothing if it changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.mesh import REPOSITORY, Mesh
from tests.repository import copy_repository
from tests.test_output_port import COLUMNS, EXEMPT, LINES
from tools import changed_ports

pytestmark = pytest.mark.thorough

DBT = str(REPOSITORY / ".venv" / "bin" / "dbt")


def _run(folder: Path, *command: str, **variables: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _checkout(folder: Path, *options: str) -> Path:
    """The repository's current tracked files, committed and checked out with these git options."""
    origin = folder / "origin"
    if not origin.exists():
        copy_repository(origin)
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        _run(origin, "git", "init", "-q")
        _run(origin, "git", "add", "-A")
        _run(origin, "git", *identity, "commit", "-qm", "All")
    place = folder / f"checkout{len(list(folder.iterdir()))}"
    _run(folder, "git", *options, "clone", "-q", str(origin), str(place))
    _run(place, DBT, "--quiet", "deps")
    return place


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the manifest of production in `state/`."""
    place = _checkout(tmp_path_factory.mktemp("git"))
    _run(place, DBT, "--quiet", "parse")
    (place / "state").mkdir()
    shutil.copy(place / "target" / "manifest.json", place / "state")
    return place


def _selected(place: Path, state: Path, **variables: str) -> list[str]:
    command = [DBT, "--quiet", "ls", "--select", "state:modified+", "--state", str(state / "state")]
    return _run(place, *command, **variables).splitlines()


@pytest.mark.parametrize("environment", ["pr_7", "dev_ana"])
def test_an_unchanged_mesh_selects_nothing_in_another_environment(main: Path, environment: str) -> None:
    assert _selected(main, main, PORTMESH_ENVIRONMENT=environment) == []


def test_a_checkout_as_on_windows_selects_nothing(main: Path) -> None:
    windows = _checkout(main.parent, "-c", "core.autocrlf=true")
    assert b"\r\n" not in (windows / "domains/platform/models/output_ports/publications.sql").read_bytes()
    assert _selected(windows, main) == []


def test_a_changed_model_is_selected_in_another_environment(main: Path) -> None:
    model = main / "domains" / "platform" / "models" / "staging" / "stg_records__publications.sql"
    text = model.read_text()
    model.write_text(text + "-- changed\n")
    assert "platform.staging.stg_records__publications" in _selected(main, main, PORTMESH_ENVIRONMENT="pr_7")
    model.write_text(text)


def test_an_environment_reads_its_own_records(main: Path) -> None:
    compiled = "target/compiled/platform/models/staging/stg_records__publications.sql"
    for environment, schema in (("pr_7", "pr_7__portmesh"), ("prod", "portmesh")):
        _run(
            main, DBT, "--quiet", "compile", "--no-introspect", "-s", "stg_records__publications",
            PORTMESH_ENVIRONMENT=environment,
        )  # fmt: skip
        assert f'"{schema}"."publications__platform"' in (main / compiled).read_text()


# Changed checks


def test_a_changed_check_names_its_port_and_a_singular_test_none(
    shop: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.dbt("parse").ok
    (shop.folder / "state").mkdir()
    shutil.copy(shop.folder / "target" / "manifest.json", shop.folder / "state")
    shop.write("tests/dbt/one.sql", "select 1 as one where false")
    monkeypatch.chdir(shop.folder)
    monkeypatch.setattr("sys.argv", ["changed_ports.py", "state"])
    capsys.readouterr()
    assert changed_ports.main() == 0
    assert capsys.readouterr().out.strip() == ""
    shop.port("shop/lines", LINES, COLUMNS.replace("[store, web]", "[store, web, phone]"), meta=EXEMPT)
    assert changed_ports.main() == 0
    assert capsys.readouterr().out.split() == ["shop.output_ports.lines"]


def test_what_dbt_leaves_out_is_no_error() -> None:
    lines = [
        json.dumps({"fqn": ["portmesh", "one"]}),
        json.dumps({"fqn": ["shop", "output_ports", "a"], "attached_node": None}),
        json.dumps({"fqn": ["shop", "output_ports", "b"], "attached_node": "model.shop.lines.v2"}),
        "Not JSON",
    ]
    assert changed_ports.ports_of(lines) == ["shop.output_ports.lines.v2"]
