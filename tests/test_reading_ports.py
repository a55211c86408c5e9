"""A domain reads another domain's port with a two-argument ref: in its models, its checks and its unit tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine import ENGINES
from tests.mesh import REPOSITORY, Mesh
from tests.test_output_port import COLUMNS, EXEMPT, LINES, good

pytestmark = pytest.mark.thorough

READS = """
    select line_id, cast(2 * amount as decimal(10,2)) as doubled, landed_at
    from {{ ref('shop', 'lines') }}
"""
READ_COLUMNS = """
    - name: line_id
      data_type: bigint
      description: Key.
      data_tests:
        - unique
        - relationships: {arguments: {to: "ref('shop', 'lines')", field: line_id}}
    - {name: doubled, data_type: "decimal(10,2)", description: Twice the amount.}
    - {name: landed_at, data_type: timestamp, description: When.}
"""
CHECK = "relationships_reads_line_id__line_id__ref_shop_lines_"


@pytest.fixture
def mesh_of_two(mesh: Mesh) -> Mesh:
    """reader.reads, a port built from shop.lines."""
    mesh.set_up("shop", "reader")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT + "\nconsumers: [{name: reader, purpose: A test.}]")
    mesh.port("reader/reads", READS, READ_COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    return mesh


def unit_test(mesh: Mesh, given: str, doubled: str = "3.00") -> None:
    mesh.write(
        "domains/reader/models/output_ports/unit.yml",
        f"""
        unit_tests:
          - name: amounts_are_doubled
            model: reads
            given: {given}
            expect:
              rows: [{{line_id: 7, doubled: {doubled}}}]
        """,
    )


def rows_of(port: str) -> str:
    return f'[{{input: "{port}", rows: [{{line_id: 7, amount: 1.50}}]}}]'


# Unit tests


@pytest.mark.engines(*ENGINES)
def test_a_unit_test_gives_rows_of_another_domains_port(mesh_of_two: Mesh) -> None:
    unit_test(mesh_of_two, rows_of("ref('shop', 'lines')"))
    built = mesh_of_two.dbt("build")
    assert built.ok, built.output
    assert built.statuses["amounts_are_doubled"] == "pass"
    assert mesh_of_two.value("select count(*) from reader.reads") == 100


@pytest.mark.engines(*ENGINES)
def test_a_unit_test_that_fails_stops_the_port(mesh_of_two: Mesh) -> None:
    unit_test(mesh_of_two, rows_of("ref('shop', 'lines')"), doubled="1.50")
    built = mesh_of_two.dbt("build")
    assert built.statuses["amounts_are_doubled"] == "fail"
    assert built.statuses["reads"] == "skipped"
    assert "3.00" in built.messages["amounts_are_doubled"]
    assert not mesh_of_two.has("reader.reads")


@pytest.mark.parametrize("version", ["v=1", "version=1"])
def test_a_unit_test_gives_rows_of_a_version_of_a_port(mesh_of_two: Mesh, version: str) -> None:
    mesh_of_two.remove("domains/shop/models/output_ports/lines.sql")
    mesh_of_two.write("domains/shop/models/output_ports/lines_v1.sql", LINES)
    mesh_of_two.write("domains/shop/models/output_ports/lines_v2.sql", LINES)
    versions = "versions: [{v: 1, config: {alias: lines}}, {v: 2, config: {alias: lines_v2}}]\nlatest_version: 2"
    consumers = EXEMPT + "\nconsumers: [{name: reader, purpose: A test.}]"
    mesh_of_two.port("shop/lines", LINES, COLUMNS, versions, consumers)
    mesh_of_two.remove("domains/shop/models/output_ports/lines.sql")
    sql, columns = (text.replace("'lines'", f"'lines', {version}") for text in (READS, READ_COLUMNS))
    mesh_of_two.port("reader/reads", sql, columns, meta=EXEMPT)
    unit_test(mesh_of_two, rows_of(f"ref('shop', 'lines', {version})"))
    built = mesh_of_two.dbt("build")
    assert built.ok, built.output
    assert built.statuses["amounts_are_doubled"] == "pass"


def test_a_unit_test_of_an_incremental_port(mesh_of_two: Mesh) -> None:
    new = " where landed_at > (select max(landed_at) from {{ this }})"
    sql = "{{ config(unique_key='line_id') }}" + READS + "{% if is_incremental() %}" + new + "{% endif %}"
    mesh_of_two.port("reader/reads", sql, READ_COLUMNS, meta=EXEMPT)
    mesh_of_two.write(
        "domains/reader/models/output_ports/unit.yml",
        """
        unit_tests:
          - name: only_new_rows_are_taken
            model: reads
            overrides: {macros: {is_incremental: true}}
            given:
              - input: ref('shop', 'lines')
                rows:
                  - {line_id: 7, amount: 1.50, landed_at: 2026-01-01}
                  - {line_id: 8, amount: 1.50, landed_at: 2026-01-03}
              - {input: this, format: sql, rows: "select timestamp '2026-01-02 00:00:00' as landed_at"}
            expect:
              rows: [{line_id: 8}]
        """,
    )
    built = mesh_of_two.dbt("build")
    assert built.ok, built.output
    assert built.statuses["only_new_rows_are_taken"] == "pass"


@pytest.mark.writes_json
def test_a_unit_test_in_an_environment_without_the_port(mesh_of_two: Mesh) -> None:
    """The rows have the types of production's port, to which the build defers."""
    unit_test(mesh_of_two, rows_of("ref('shop', 'lines')"))
    assert mesh_of_two.dbt("build").ok
    state = str(mesh_of_two.folder / "production")
    shutil.copytree(mesh_of_two.folder / "target", state)
    mesh_of_two.set_up("shop", "reader", environment="dev_ana")
    built = mesh_of_two.dbt("build", "--select", "package:reader", "--defer", "--state", state)
    assert built.ok, built.output
    assert built.statuses["amounts_are_doubled"] == "pass"
    assert not mesh_of_two.has("dev_ana__shop.lines")


def test_a_port_for_which_a_unit_test_gives_no_rows_is_named(mesh_of_two: Mesh) -> None:
    unit_test(mesh_of_two, "[]")
    built = mesh_of_two.dbt("build")
    assert built.statuses["amounts_are_doubled"] == "error"
    assert "depends on a node named 'lines' in package or project 'shop' which was not found" in built.output


def test_dbt_alone_refuses_rows_of_another_domains_port(mesh_of_two: Mesh) -> None:
    """When this test fails, dbt provides the rows itself: remove macros/mesh/ref.sql and decision 0018."""
    unit_test(mesh_of_two, rows_of("ref('shop', 'lines')"))
    _leave_out(mesh_of_two.folder / "macros", Path("mesh/ref.sql"))
    built = mesh_of_two.dbt("build")
    assert built.statuses["amounts_are_doubled"] == "error"
    assert "is not allowed because the referenced node is protected to the 'shop' package" in built.output


def _leave_out(macros: Path, file: Path) -> None:
    """Link all of the repository's macros except one file."""
    macros.unlink()
    for path in (REPOSITORY / "macros").rglob("*.*"):
        relative = path.relative_to(REPOSITORY / "macros")
        if relative != file:
            (macros / relative).parent.mkdir(parents=True, exist_ok=True)
            (macros / relative).symlink_to(path)


@pytest.mark.parametrize("by", ["ref('shop', 'int_shop__secret')", "ref('int_shop__secret')"])
def test_an_internal_model_of_another_domain_stays_out_of_reach(mesh_of_two: Mesh, by: str) -> None:
    """A unit test's rows for that port change nothing: dbt looks at the model's own refs first."""
    mesh_of_two.write("domains/shop/models/intermediate/int_shop__secret.sql", "select 7 as line_id, 1.5 as amount")
    mesh_of_two.port("reader/reads", READS.replace("ref('shop', 'lines')", by), READ_COLUMNS, meta=EXEMPT)
    unit_test(mesh_of_two, rows_of(by))
    built = mesh_of_two.dbt("build")
    assert not built.ok
    assert "is not allowed because the referenced node is protected to the 'shop' package" in built.output
    assert not mesh_of_two.has("shop.lines")


# Checks


def test_a_domain_is_built_without_the_checks_of_its_readers(mesh_of_two: Mesh) -> None:
    """The reader's port may not exist yet. A check belongs to its own port and is measured when that port is built."""
    built = mesh_of_two.dbt("build", "--select", "package:shop")
    assert built.ok, built.output
    assert "lines" in built.statuses
    assert CHECK not in built.statuses


def test_a_check_that_reads_another_domain_is_measured_with_its_port(mesh_of_two: Mesh) -> None:
    assert mesh_of_two.dbt("build", "--select", "package:shop").ok
    built = mesh_of_two.dbt("build", "--select", "package:reader")
    assert built.ok, built.output
    assert built.statuses[CHECK] == "pass"
    mesh_of_two.port("reader/reads", READS.replace("line_id,", "line_id + 1 as line_id,"), READ_COLUMNS, meta=EXEMPT)
    refused = mesh_of_two.dbt("build", "--select", "package:reader")
    assert refused.statuses["reads"] == "error"
    assert "1 of 100" in refused.messages["reads"]


def test_who_asks_for_the_checks_of_readers_gets_them(mesh_of_two: Mesh) -> None:
    assert mesh_of_two.dbt("build").ok
    tested = mesh_of_two.dbt("test", "--select", "lines", "--indirect-selection", "eager")
    assert tested.statuses[CHECK] == "pass"
