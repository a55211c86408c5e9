"""Before the last day of a consumer or of a version there is a warning; after it, one domain stops."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from portmesh.cli import main
from tests.mesh import Mesh, Outcome
from tests.test_rules import COLUMNS, LINES, PORT, said

pytestmark = pytest.mark.thorough

TODAY = datetime.now(UTC).date()
OVER, SOON, FAR = ((TODAY + timedelta(days=days)).isoformat() for days in (-20, 20, 60))
READER = "domains/desk/models/intermediate/int_desk__lines.sql"


@pytest.fixture
def mesh_of(mesh: Mesh) -> Mesh:
    """Shop publishes lines; desk and till read it, and desk has a model that reads nothing."""
    mesh.set_up("shop", "desk", "till")
    mesh.write(READER, "select * from {{ ref('shop', 'lines') }}")
    mesh.write(
        "domains/desk/models/intermediate/int_desk__lines_counted.sql", "select * from {{ ref('int_desk__lines') }}"
    )
    mesh.write("domains/desk/models/intermediate/int_desk__one.sql", "select cast(1 as bigint) as line_id")
    mesh.write("domains/till/models/intermediate/int_till__lines.sql", "select * from {{ ref('shop', 'lines') }}")
    listed(mesh, desk=FAR, till=FAR)
    assert mesh.dbt("deps").ok
    return mesh


def listed(mesh: Mesh, **until: str) -> None:
    """Set the consumers of shop.lines and their last days."""
    consumers = ", ".join(f"{{name: {name}, purpose: Reports., until: {day}}}" for name, day in until.items())
    mesh.port("shop/lines", LINES, COLUMNS, meta=f"consumers: [{consumers}]")


def versioned(mesh: Mesh, first: str, latest: int = 2) -> None:
    """shop.lines in two versions, the first with these extra keys. desk and till may read both."""
    listed(mesh, desk=FAR, till=FAR)
    (mesh.folder / PORT).with_suffix(".sql").rename((mesh.folder / PORT).with_name("lines_v1.sql"))
    mesh.write("domains/shop/models/output_ports/lines_v2.sql", LINES)
    path = mesh.folder / PORT
    second = "{v: 2, config: {meta: {version: 2.0.0}}}"
    versions = f"    latest_version: {latest}\n    versions: [{{v: 1, {first}}}, {second}]\n"
    path.write_text(path.read_text() + versions)


def warned(outcome: Outcome) -> str:
    """The rules' warnings, as one line."""
    return said(outcome).partition("from the rules.")[2].partition("START hook")[0]


@pytest.mark.writes_json
def test_an_expired_consumer_stops_only_what_reads_and_what_follows(mesh_of: Mesh) -> None:
    assert mesh_of.dbt("build").ok
    listed(mesh_of, desk=OVER, till=FAR)
    built = mesh_of.dbt("build")
    assert built.exit_code == 1
    assert built.statuses["lines"] == built.statuses["int_till__lines"] == built.statuses["int_desk__one"] == "success"
    assert (built.statuses["int_desk__lines"], built.statuses["int_desk__lines_counted"]) == ("error", "skipped")
    message = " ".join(built.messages["int_desk__lines"].split())
    assert f"desk.int_desk__lines was not built: desk's access to shop.lines expired on {OVER}." in message
    assert f"listed in {PORT} next agree on a new date with its owner (shop@example.com), or stop reading it" in message
    assert "docs/rules/PM105.md" in message
    assert "> in macro" not in built.output
    assert f"PM105 desk's access to shop.lines expired on {OVER}." in warned(built)
    # The reader's view remains, as for every model that is not built. Once the date is changed, a retry builds it.
    assert mesh_of.value("select count(*) from desk__internal.int_desk__lines_counted") == 1
    listed(mesh_of, desk=FAR, till=FAR)
    assert mesh_of.dbt("retry").statuses == {"int_desk__lines": "success", "int_desk__lines_counted": "success"}


@pytest.mark.parametrize(
    ("day", "warning"),
    [
        (SOON, f"PM105 desk's access to shop.lines ends after {SOON}."),
        (TODAY.isoformat(), "PM105 desk's access to shop.lines ends"),
        (FAR, ""),
    ],
)
@pytest.mark.ci_cases(2)
def test_a_last_day_is_announced_30_days_before(mesh_of: Mesh, day: str, warning: str) -> None:
    listed(mesh_of, desk=day, till=FAR)
    built = mesh_of.dbt("build")
    assert built.ok, built.output
    assert warning in warned(built)
    assert ("docs/rules/PM105.md" in warned(built)) == bool(warning)


def test_the_later_of_two_entries_holds(mesh_of: Mesh) -> None:
    listed(mesh_of, desk=OVER, till=FAR)
    path = mesh_of.folder / PORT
    path.write_text(path.read_text().replace("consumers: [", "consumers: [{name: desk, purpose: Another.}, "))
    built = mesh_of.dbt("build")
    assert built.ok, built.output
    assert "PM105" not in built.output


@pytest.mark.parametrize(
    ("path", "text", "stopped"),
    [
        (
            READER,
            "{{ config(materialized='ephemeral') }} select * from {{ ref('shop', 'lines') }}",
            "int_desk__lines_counted",
        ),
        (
            "domains/desk/snapshots/copied.yml",
            """
            snapshots:
              - name: copied
                relation: ref('shop', 'lines')
                config: {unique_key: line_id, strategy: check, check_cols: all}
            """,
            "copied",
        ),
        (
            "domains/desk/models/intermediate/_desk__models.yml",
            """
            models:
              - name: int_desk__one
                columns:
                  - name: line_id
                    data_tests:
                      - relationships: {name: known, arguments: {to: "ref('shop', 'lines')", field: line_id}}
            """,
            "known",
        ),
    ],
)
@pytest.mark.ci_cases(2)
def test_whatever_reads_is_stopped(mesh_of: Mesh, path: str, text: str, stopped: str) -> None:
    listed(mesh_of, desk=OVER, till=FAR)
    mesh_of.write(READER, "select cast(1 as bigint) as line_id")
    mesh_of.write(path, text)
    built = mesh_of.dbt("build")
    assert [name for name, status in built.statuses.items() if status == "error"] == [stopped], built.output
    assert f"desk's access to shop.lines expired on {OVER}." in built.messages[stopped]


def test_a_port_is_not_written_where_its_check_may_not_read(mesh_of: Mesh) -> None:
    known = "{relationships: {name: known, arguments: {to: \"ref('shop', 'lines')\", field: line_id}}}"
    sales = f"-- depends_on: {{{{ ref('shop', 'lines') }}}}\n{LINES}"
    mesh_of.port("till/sales", sales, COLUMNS.replace("[unique, not_null]", f"[unique, not_null, {known}]"))
    assert mesh_of.dbt("build").ok
    listed(mesh_of, desk=FAR, till=OVER)
    built = mesh_of.dbt("build", "--select", "sales")
    assert built.statuses["sales"] == "error"
    assert "till.sales was not built: till's access to shop.lines expired" in built.messages["sales"]
    assert mesh_of.value("select count(*) from portmesh.publications__till where port_id = 'model.till.sales'") == 1


def test_commands_that_write_nothing_still_work(mesh_of: Mesh) -> None:
    listed(mesh_of, desk=OVER, till=FAR)
    assert mesh_of.dbt("compile").ok
    assert mesh_of.dbt("build", "--exclude", "int_desk__lines+").ok


@pytest.mark.writes_json
def test_the_hook_changes_no_selection_by_state(mesh_of: Mesh) -> None:
    assert mesh_of.dbt("compile", "--target-path", str(mesh_of.folder / "before")).ok
    listed(mesh_of, desk=OVER, till=FAR)
    changed = mesh_of.dbt("compile", "--select", "state:modified", "--state", str(mesh_of.folder / "before"))
    assert changed.ok
    assert {name for name in changed.statuses if "lines_" not in name} == {"lines"}  # and the tests of the model


def test_readers_of_a_version_are_warned_and_then_stopped(mesh_of: Mesh) -> None:
    mesh_of.write(READER, "select * from {{ ref('shop', 'lines', v=1) }}")
    mesh_of.write("domains/shop/models/intermediate/int_shop__lines.sql", "select * from {{ ref('lines', v=1) }}")
    versioned(mesh_of, f"deprecation_date: {SOON}")
    built = mesh_of.dbt("build")
    assert built.ok, built.output
    assert f"PM119 desk.int_desk__lines reads shop.lines.v1, which will be deprecated after {SOON}." in warned(built)
    assert f"PM119 shop.int_shop__lines reads shop.lines.v1, which will be deprecated after {SOON}." in warned(built)
    assert "Read ref('shop', 'lines', v=2)" in warned(built)
    assert "int_till__lines" not in warned(built)
    path = mesh_of.folder / PORT
    path.write_text(path.read_text().replace(SOON, OVER))
    built = mesh_of.dbt("build")
    assert (built.statuses["int_desk__lines"], built.statuses["int_desk__lines_counted"]) == ("error", "skipped")
    # The owner decides how its own domain uses the version.
    assert built.statuses["int_till__lines"] == built.statuses["int_shop__lines"] == "success"
    message = " ".join(built.messages["int_desk__lines"].split())
    assert f"desk.int_desk__lines was not built: shop.lines.v1 was deprecated on {OVER}." in message
    assert "next Read ref('shop', 'lines', v=2) the rule docs/rules/PM119.md" in message


def test_an_unpinned_reader_of_an_old_version_is_warned(mesh_of: Mesh) -> None:
    versioned(mesh_of, f"deprecation_date: {SOON}", latest=1)
    built = mesh_of.dbt("build")
    assert built.ok, built.output
    assert f"PM119 till.int_till__lines reads shop.lines.v1, which will be deprecated after {SOON}." in warned(built)
    assert "Ask the owner (shop@example.com) what to read instead" in warned(built)


@pytest.mark.parametrize("first", [f"deprecation_date: {FAR}", "description: One row per line."])
@pytest.mark.ci_cases(1)
def test_a_version_without_a_near_date_is_read_in_peace(mesh_of: Mesh, first: str) -> None:
    mesh_of.write(READER, "select * from {{ ref('shop', 'lines', v=1) }}")
    versioned(mesh_of, first)
    built = mesh_of.dbt("build")
    assert built.ok, built.output
    assert "PM119" not in built.output


def test_status_says_what_ends(
    mesh_of: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def status(*options: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main(["status", *options])
        return capsys.readouterr().out

    assert mesh_of.dbt("build").ok
    monkeypatch.chdir(mesh_of.folder)
    assert "Access that ends" not in status()
    assert json.loads(status("--json"))["ending"] == []
    listed(mesh_of, desk=SOON, till=OVER)
    text = status()
    assert "Access that ends within 30 days or has expired:\n" in text
    assert f"  shop.lines   till's access to shop.lines expired on {OVER}.\n" in text
    assert f"  shop.lines   desk's access to shop.lines ends after {SOON}.\n" in text
    ending = json.loads(status("--json"))["ending"]
    assert [(one["reader"], one["last_day"], one["rule"]) for one in ending] == [
        ("till", OVER, "PM105"),
        ("desk", SOON, "PM105"),
    ]
