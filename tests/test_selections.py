"""The kit's commands refuse a selection that matches nothing and suggest the nearest name; plain dbt only warns."""

from __future__ import annotations

import pytest

from tests.mesh import Mesh
from tests.portmesh_call import Portmesh
from tests.test_output_port import COLUMNS, EXEMPT, LINES

pytestmark = pytest.mark.thorough


@pytest.fixture
def shop(shop: Mesh) -> Mesh:
    assert shop.dbt("build").ok
    return shop


@pytest.fixture
def portmesh(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, shop: Mesh) -> Portmesh:
    monkeypatch.chdir(shop.folder)
    return portmesh


WORDS = {
    "lnes+": "lines+",
    "2+line": "2+lines",
    "package:shoop": "package:shop",
    "shop.lines_": "shop.lines",
    "zzz": "",
}


@pytest.mark.parametrize(("word", "near"), WORDS.items())
@pytest.mark.ci_cases(2)
def test_build_says_which_word_selects_nothing(portmesh: Portmesh, word: str, near: str) -> None:
    refused = portmesh("build", "--select", "lines", "--select", word)
    hint = f" Did you mean {near}?" if near else ""
    assert refused.exit_code == 2
    assert refused.err.startswith(f"{word} selects nothing, so nothing was built.{hint}\n")


def test_build_says_that_all_is_excluded(portmesh: Portmesh) -> None:
    refused = portmesh("build", "--select", "lines", "--exclude", "package:shop")
    assert refused.exit_code == 2
    assert "The selection matches no node of the mesh." in refused.err


@pytest.mark.parametrize("command", ["status", "clean", "rollback"])
def test_a_port_that_is_none_gets_the_near_one(portmesh: Portmesh, command: str) -> None:
    refused = portmesh(command, "shop.lnes")
    assert refused.exit_code == 2
    assert refused.err.startswith("There is no port 'shop.lnes'. Did you mean shop.lines?\n")


def test_status_of_one_port_shows_that_one(shop: Mesh, portmesh: Portmesh) -> None:
    shop.port("shop/more", LINES, COLUMNS, meta=EXEMPT)
    shown = portmesh("status", "shop.lines")
    assert "1 port: 1 published." in shown.out
    assert "more" not in shown.out


def test_plain_dbt_warns_and_fails_with_warn_error(shop: Mesh) -> None:
    built = shop.dbt("build", "--select", "lnes+")
    assert built.ok
    assert "The selection criterion 'lnes+' does not match any enabled nodes" in built.output
    project = shop.folder / "dbt_project.yml"
    text = project.read_text()
    assert "warn_error_options" not in text
    assert shop.dbt("--warn-error", "build", "--select", "lnes+").exit_code == 2


def test_build_says_what_stopped_it_at_its_start(shop: Mesh, portmesh: Portmesh) -> None:
    """Add a check that happens only in a run, not in the check of the rules before it."""
    project = shop.folder / "dbt_project.yml"
    stop = "{{ stop_run(''Not today.'') if execute }}"
    project.write_text(project.read_text().replace("{{ create_records() }}", stop))
    stopped = portmesh("build")
    assert stopped.exit_code == 2
    assert "local   Not today." in stopped.out
