"""With PORTMESH_FOCUS, dbt reads one domain and the contracts that it needs. Rules, contracts and access still hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from portmesh.cli import main
from tests.mesh import Mesh, Outcome
from tests.test_rules import COLUMNS, LINES

CONSUMER = "consumers: [{name: desk, purpose: Reports., until: 2099-12-31}]"
READER = "domains/desk/models/intermediate/int_desk__lines.sql"
READS = "select line_id, amount, landed_at from {{ ref('shop', 'lines') }}"
PORT = "domains/shop/models/output_ports/lines.yml"
EXISTS = "{name: line_id, data_tests: [{relationships: {arguments: {to: \"ref('shop', 'lines')\", field: line_id}}}]}"
DASHBOARD = """
exposures: [{name: till, type: dashboard, owner: {email: till@example.com}, depends_on: ["ref('desk_lines')"]}]
"""
UNIT_TEST = """
unit_tests:
  - name: a_line_is_a_line
    model: int_desk__lines
    given: [{input: "ref('shop', 'lines')", rows: [{line_id: 7}]}]
    expect: {rows: [{line_id: 7}]}
"""


@pytest.fixture(scope="module")
def mesh_of(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """Desk publishes what it reads in shop.lines, which shop makes of an internal model; till has a port of its own."""
    mesh = Mesh(tmp_path_factory.mktemp("mesh"))
    mesh.set_up("shop", "desk", "till")
    mesh.write("domains/shop/models/intermediate/int_shop__landed.sql", LINES)
    mesh.port("shop/lines", "select * from {{ ref('int_shop__landed') }}", COLUMNS, meta=CONSUMER)
    mesh.port("till/receipts", LINES, COLUMNS)
    mesh.write(READER, READS)
    mesh.write(
        "domains/desk/models/intermediate/_desk__models.yml",
        f"models: [{{name: int_desk__lines, columns: [{EXISTS}]}}]\n{UNIT_TEST}",
    )
    mesh.port("desk/desk_lines", "select * from {{ ref('int_desk__lines') }}", COLUMNS)
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    assert built.ok, built.output
    return mesh


@pytest.fixture(autouse=True)
def _focus_on_desk(mesh_of: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTMESH_FOCUS", "desk")
    monkeypatch.chdir(mesh_of.folder)


@contextmanager
def edited(mesh: Mesh, path: str, old: str, new: str) -> Iterator[None]:
    """A file in which `old` is replaced; without `old`, a new file."""
    file = mesh.folder / path
    before = file.read_text() if old else None
    assert before is None or old in before
    mesh.write(path, new if before is None else before.replace(old, new))
    yield
    file.unlink() if before is None else file.write_text(before)


def refused(outcome: Outcome) -> str:
    assert not outcome.ok
    assert "success" not in outcome.statuses.values()
    return " ".join(outcome.output.split())


@pytest.mark.writes_json
def test_a_build_builds_the_domain_with_its_checks_and_unit_tests(mesh_of: Mesh) -> None:
    built = mesh_of.dbt("build")
    assert built.ok, built.output
    assert {name for name, status in built.statuses.items() if status == "success"} == {"int_desk__lines", "desk_lines"}
    assert built.statuses["a_line_is_a_line"] == "pass"
    assert built.statuses["relationships_int_desk__lines_line_id__line_id__ref_shop_lines_"] == "pass"
    assert built.statuses["unique_desk_lines_line_id"] == "pass"
    assert not [name for name in built.statuses if "receipts" in name or name.startswith("unique_lines")]
    assert (mesh_of.folder / "target/focus/desk/manifest.json").is_file()


@pytest.mark.writes_json
def test_only_a_run_writes_a_manifest(mesh_of: Mesh) -> None:
    manifest = mesh_of.folder / "target/focus/desk/manifest.json"
    manifest.unlink(missing_ok=True)
    assert mesh_of.dbt("ls").ok
    assert not manifest.exists()


def test_the_domain_and_what_it_reads_is_all_that_dbt_knows(mesh_of: Mesh) -> None:
    listed = mesh_of.dbt("ls", "--resource-type", "model")
    assert set(listed.output.splitlines()) >= {"shop.output_ports.lines", "desk.output_ports.desk_lines"}
    assert "receipts" not in listed.output
    assert "int_shop__landed" not in listed.output


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        (PORT, "name: desk", "name: board", "PM104 desk reads shop.lines but is not one of its consumers."),
        (PORT, "2099-12-31", "2026-01-01", "desk's access to shop.lines expired on 2026-01-01."),
        (READER, "'lines'", "'int_shop__landed'", "because the referenced node is protected to"),
        (READER, "'lines'", "'linse'", "depends on a node named 'linse' in package or project 'shop'"),
        (
            "domains/desk/models/staging/_s.yml", "", "sources: [{name: s, schema: till, tables: [{name: receipts}]}]",
            "PM109 The source s.receipts of desk is a table of the domain till (till.receipts).",
        ),
        (
            "domains/desk/models/output_ports/desk_lines.yml", "accepted_range", "not_null",
            "PM106 desk.desk_lines has no check for accuracy.",
        ),
        (
            "domains/desk/models/output_ports/desk_lines.yml", "data_type: double", "data_type: int",
            "desk.desk_lines was not written: the model does not match its contract",
        ),
        (
            "domains/desk/models/exposures.yml", "",
            DASHBOARD,
            "PM117 The exposure till has the same name as a domain",
        ),
    ],
    ids=["not listed", "expired", "internal", "unknown", "table", "unchecked", "contract", "exposure"],
)  # fmt: skip
def test_what_is_refused_in_the_mesh_is_refused_in_a_domain(
    mesh_of: Mesh, path: str, old: str, new: str, says: str
) -> None:
    with edited(mesh_of, path, old, new):
        outcome = mesh_of.dbt("build")
    said = " ".join([*outcome.output.split(), *" ".join(outcome.messages.values()).split()])
    assert not outcome.ok
    assert outcome.statuses.get("desk_lines") != "success"
    assert says in said


def test_a_port_that_is_read_for_the_first_time_is_found(mesh_of: Mesh) -> None:
    other = "domains/desk/models/intermediate/int_desk__receipts.sql"
    assert mesh_of.dbt("ls").ok
    with edited(mesh_of, other, "", "select * from {{ ref('till', 'receipts') }}"):
        assert "PM104 desk reads till.receipts but is not one of its consumers." in refused(mesh_of.dbt("build"))
    assert mesh_of.dbt("build").ok


def test_a_failing_check_keeps_the_port_from_being_published(mesh_of: Mesh) -> None:
    with edited(mesh_of, READER, "amount,", "-amount as amount,"):
        built = mesh_of.dbt("build")
    assert built.statuses["desk_lines"] == "error"
    assert "desk.desk_lines was not published" in built.messages["desk_lines"]


def test_a_name_that_is_no_domain_is_refused(mesh_of: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTMESH_FOCUS", "deks")
    said = refused(mesh_of.dbt("build"))
    assert "deks" in said
    assert "desk, shop, till" in said


@pytest.mark.writes_json
@pytest.mark.parametrize("command", [["parse"], ["run-operation", "check_rules"]])
def test_other_commands_read_the_whole_mesh(mesh_of: Mesh, command: list[str]) -> None:
    (mesh_of.folder / "target/manifest.json").unlink(missing_ok=True)
    assert mesh_of.dbt(*command).ok
    assert "till.receipts" in (mesh_of.folder / "target/manifest.json").read_text()


def test_versions_are_read_whatever_their_files_are_called(mesh_of: Mesh) -> None:
    versions = "versions: [{v: 1, defined_in: first_prices}, {v: 2}]\nlatest_version: 2"
    mesh_of.port("shop/prices", "", COLUMNS, extra=versions, meta=CONSUMER)
    mesh_of.remove("domains/shop/models/output_ports/prices.sql")
    for name in ("first_prices", "prices_v2"):
        mesh_of.write(f"domains/shop/models/output_ports/{name}.sql", LINES)
    with edited(
        mesh_of, "domains/desk/models/intermediate/a.sql", "", "select * from {{ ref('shop', 'prices', v=1) }}"
    ):
        assert {"shop.output_ports.prices.v1", "shop.output_ports.prices.v2"} <= set(
            mesh_of.dbt("ls").output.splitlines()
        )


def test_the_kit_reads_the_whole_mesh(mesh_of: Mesh, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    assert ended.value.code == 0
    assert "till" in capsys.readouterr().out
