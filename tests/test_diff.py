"""`portmesh diff` on a small mesh in git, through dbt: what dbt itself misses, and consent as files of consumers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mesh import Mesh
from tests.portmesh_call import Call, Portmesh, captured
from tests.test_output_port import EXEMPT
from tests.test_state import commit, git

READ_BY_DESK = "consumers: [{name: desk, purpose: A test.}]"
COLUMNS = """
- {name: id, data_type: int, description: The line., data_tests: [not_null]}
- {name: channel, data_type: string, description: Where it was sold.}
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""
SQL = "select 1 as id, 'web' as channel, cast('2026-11-01' as timestamp) as landed_at"
PYTHON = "def model(dbt, session):\n    return session.range(1)"
STATUS = """
- name: status
  data_type: string
  description: The status.
  data_tests: [{accepted_values: {arguments: {values: [VALUES]}}}]
"""
VERSIONS = "latest_version: 1\nversions: [{v: 1, config: {alias: versioned}}]"


def with_status(values: str) -> str:
    return COLUMNS + STATUS.replace("VALUES", values).lstrip()


def renamed(text: str) -> str:
    return text.replace("channel", "sales_channel")


def reordered() -> str:
    first, second, third = COLUMNS.strip().splitlines()
    return "\n".join([second, first, third])


def write(mesh: Mesh, changed: bool) -> None:
    """The mesh before a change, or after it: each port has one change, and desk reads two of the ports."""
    with_checks = f"{SQL}, 'open' as status"
    mesh.port(
        "shop/versioned", renamed(SQL) if changed else SQL, renamed(COLUMNS) if changed else COLUMNS, VERSIONS, EXEMPT
    )
    values = "open, paid, returned" if changed else "open, paid"
    mesh.port("shop/checked", with_checks, with_status(values), meta=f"{EXEMPT}\n{READ_BY_DESK}")
    mesh.port("shop/protected", SQL, COLUMNS, meta=EXEMPT)
    mesh.port("shop/reordered", SQL, reordered() if changed else COLUMNS, meta=EXEMPT)
    mesh.port("shop/other_sql", f"{SQL} where 1 = 1 and 2 = 2", COLUMNS, meta=f"{EXEMPT}\n{READ_BY_DESK}")
    if changed:
        mesh.port(
            "shop/other_sql",
            f"with a as ({SQL} where 2 = 2 and 1 = 1)\n\nselect * from a",
            COLUMNS,
            meta=f"{EXEMPT}\n{READ_BY_DESK}",
        )
    mesh.port("shop/same_python", f"{PYTHON}  # {'other' if changed else 'some'} words", COLUMNS, meta=EXEMPT)
    mesh.port("shop/other_python", PYTHON.replace("1", "2") if changed else PYTHON, COLUMNS, meta=EXEMPT)
    mesh.port("shop/new_name" if changed else "shop/old_name", SQL, COLUMNS, meta=EXEMPT)


READS = """
select status from {{ ref('shop', 'checked') }}
union all
select channel from {{ ref('shop', 'other_sql') }}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """The branch `mine` has left main with a change in each port of shop."""
    mesh = Mesh(tmp_path_factory.mktemp("diff"))
    mesh.set_up("shop", "desk")
    mesh.write(".gitignore", "target/\nlogs/\ndbt_packages/\npackage-lock.yml\n")
    mesh.write("domains/desk/models/intermediate/int_desk.sql", READS)
    write(mesh, changed=False)
    git(mesh.folder, "init", "-q", "-b", "main")
    commit(mesh.folder)
    git(mesh.folder, "checkout", "-qb", "mine")
    for old in mesh.folder.glob("domains/shop/models/output_ports/old_name.*"):
        old.unlink()
    write(mesh, changed=True)
    # The root's access beats the one that a model says itself. Rule PM112 refuses to build it; it can be compared.
    ports = "    output_ports: &id001\n"
    replace_in(mesh.folder / "dbt_project.yml", ports, f"{ports}      protected: {{+access: protected}}\n")
    commit(mesh.folder)
    assert mesh.dbt("deps").ok
    return mesh


@pytest.fixture
def portmesh(shop: Mesh, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Portmesh]:
    monkeypatch.chdir(shop.folder)
    yield captured(capsys)
    git(shop.folder, "checkout", "-q", ".")


def facts(found: Call) -> dict[str, Any]:
    return dict(json.loads(found.out))


def test_what_dbt_misses_is_found(portmesh: Portmesh) -> None:
    found = portmesh("diff", "--against", "main", "--json")
    assert found.exit_code == 1
    ports = {port["port"]: port for port in facts(found)["ports"]}
    said = {
        label: [(one["rule"], one["level"], one["about"]) for one in port["differences"]]
        for label, port in ports.items()
    }
    assert said == {
        "shop.checked": [("PM336", "major", "accepted_values of status")],
        "shop.new_name": [("PM303", "major", None), ("PM310", "patch", None)],
        "shop.other_python": [("PM373", "undetermined", None)],
        "shop.other_sql": [("PM374", "patch", None)],
        "shop.protected": [("PM305", "major", None)],
        "shop.reordered": [("PM314", "minor", None)],
        "shop.same_python": [("PM374", "patch", None)],
        "shop.versioned.v1": [("PM313", "major", "channel")],
    }
    (desk,) = ports["shop.checked"]["consumers"]
    assert (desk["name"], desk["state"]) == ("desk", "reached")
    assert desk["nodes"] == [{"name": "desk.int_desk", "kind": "model", "columns": ["status"], "rows": False}]


def test_people_and_pull_requests_read_what_to_do(portmesh: Portmesh, shop: Mesh) -> None:
    text = portmesh("diff", "--against", "main")
    assert text.exit_code == 1
    assert text.out.splitlines()[0].startswith("8 of 8 ports change, compared with main (")
    assert "ask desk to agree" in text.out
    assert "domains/desk/models/desk.yml: config.meta.agreements: [{port: shop.checked, version: 2.0.0," in text.out
    assert str(shop.folder) not in text.out
    markdown = portmesh("diff", "--against", "main", "--format", "markdown")
    assert (markdown.exit_code, markdown.out.splitlines()[0]) == (1, "<!-- portmesh diff -->")
    assert "PM336" in markdown.out


def test_what_it_says_to_do_is_enough(portmesh: Portmesh, shop: Mesh) -> None:
    for port in facts(portmesh("diff", "--against", "main", "--json"))["ports"]:
        path = f"domains/shop/models/output_ports/{port['port'].split('.')[1]}.yml"
        replace_in(shop.folder / path, "version: 1.0.0", f"version: {port['version_asked_for'] or '1.0.0'}")
    group = shop.folder / "domains/desk/models/desk.yml"
    agreed = "agreements: [{port: shop.checked, version: 2.0.0, by: Ana, date: 2026-11-01}]"
    replace_in(group, "purpose: A test.", f"purpose: A test.\n      {agreed}")
    found = portmesh("diff", "--against", "main")
    assert (found.exit_code, "agreed by Ana on 2026-11-01" in " ".join(found.out.split())) == (0, True), found


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
