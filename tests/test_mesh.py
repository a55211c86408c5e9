"""The kit reads the mesh from dbt's manifest, whatever keys dbt leaves out, and agrees with the gate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from portmesh.building import read_graph
from portmesh.catalog.limits import failures_allowed
from portmesh.checks import Check, key_of
from portmesh.dbt import parse_manifest, parse_with_checks
from portmesh.errors import FindingsError, UsageError
from portmesh.mesh import Mesh, read_mesh
from tests import mesh as on_disk
from tests.test_output_port import EXEMPT

COLUMNS = """
- name: line_id
  data_type: bigint
  description: The key.
  constraints: [{type: not_null}, {type: primary_key}]
  data_tests: [unique]
- name: amount
  data_type: double
  description: Euro.
  constraints: [{type: not_null}]
  data_tests:
    - not_null:
        config: {severity: warn}
- name: landed_at
  data_type: timestamp
  description: When it landed.
"""
META = "consumers: [{name: desk, purpose: Count them, until: 2027-06-30}]"
SQL = "select line_id, amount, landed_at from {{ source('raw', 'lines') }}"
VERSIONED = """
models:
  - name: prices
    description: One row per price.
    latest_version: 2
    config: {meta: {version: 1.0.0, classification: internal}}
    columns: [{name: line_id, data_type: bigint, description: The key.}]
    versions: [{v: 1}, {v: 2}]
"""
UNIT_TEST = """
unit_tests:
  - name: lines_pass
    model: lines
    given: [{input: "source('raw', 'lines')", rows: [{line_id: 1}]}]
    expect: {rows: [{line_id: 1}]}
"""


@pytest.fixture
def shop(mesh: on_disk.Mesh, monkeypatch: pytest.MonkeyPatch) -> on_disk.Mesh:
    """The domain shop with the port lines, the versions of prices, a singular test and a unit test; and desk."""
    mesh.set_up("shop", "desk", root={"on-run-start": []})
    mesh.port("shop/lines", SQL, COLUMNS, meta=META)
    for version in (1, 2):
        mesh.write(f"domains/shop/models/output_ports/prices_v{version}.sql", "select 1 as line_id")
    mesh.write("domains/shop/models/output_ports/prices.yml", VERSIONED)
    mesh.write("domains/shop/models/unit_tests.yml", UNIT_TEST)
    mesh.write("domains/shop/tests/no_gaps.sql", "select * from {{ ref('lines') }} where line_id is null")
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def checks_of(mesh: Mesh, label: str) -> list[tuple[str, str, str]]:
    (port,) = [port for port in mesh.ports.values() if port.label == label]
    return [(check.kind, check.column, failures_allowed(check)) for check in mesh.checks[port.id]]


LATE = [("fresh_within", "landed_at", "may fail, with a warning")]


def test_products_ports_and_consumers(shop: on_disk.Mesh) -> None:
    assert shop.domains
    mesh = read_mesh(*parse_with_checks())
    assert [product.name for product in mesh.products] == ["desk", "shop"]
    assert [port.label for port in mesh.products[1].ports] == ["shop.lines", "shop.prices.v1", "shop.prices.v2"]
    lines = mesh.ports["model.shop.lines"]
    assert [(consumer.name, str(consumer.until)) for consumer in lines.meta.consumers] == [("desk", "2027-06-30")]
    assert (lines.relation, lines.grain) == ("shop.lines", "One row per line of lines.")
    assert key_of(mesh.checks[lines.id]) == ("line_id",)
    (source,) = mesh.sources.values()
    assert (source.product, source.label, source.schema, source.table) == ("shop", "raw.lines", "raw", "lines")
    assert mesh.products[1].sources == (source,)


def test_what_can_be_built_and_what_each_test_is_attached_to(shop: on_disk.Mesh) -> None:
    assert shop.domains
    manifest = parse_manifest()
    nodes = read_mesh(manifest).nodes
    labels = {node.label: node for node in nodes.values() if node.kind == "model"}
    assert set(labels) == {"shop.lines", "shop.prices.v1", "shop.prices.v2"}
    assert labels["shop.prices.v2"].fqn == "shop.output_ports.prices.v2"
    assert labels["shop.lines"].is_port
    tests = {node.label.partition(".")[2]: node for node in nodes.values() if node.kind == "test"}
    assert tests.pop("no_gaps").attached_to == ""
    assert tests
    assert {node.attached_to for node in tests.values()} == {"model.shop.lines"}
    (unit_test,) = [node for node in nodes.values() if node.kind == "unit_test"]
    assert unit_test.parents == ("model.shop.lines",)
    graph = read_graph(manifest)
    assert graph.engines == {"shop": "emr", "desk": "emr"}
    assert graph.nodes == nodes


def test_a_key_that_is_absent_is_as_one_that_is_null(shop: on_disk.Mesh) -> None:
    assert shop.domains
    manifest = parse_manifest()
    short = without_what_is_empty(manifest)
    assert len(str(short)) < len(str(manifest))
    assert read_mesh(short) == read_mesh(manifest)
    assert read_graph(short) == read_graph(manifest)


def without_what_is_empty(value: Any) -> Any:
    """The same value without keys that are null or an empty text, list or dictionary."""
    if isinstance(value, Mapping):
        return {k: without_what_is_empty(v) for k, v in value.items() if v is not None and v not in ("", [], {})}
    return [without_what_is_empty(one) for one in value] if isinstance(value, list) else value


def test_a_constraint_is_a_check_unless_an_equally_strict_check_exists(shop: on_disk.Mesh) -> None:
    assert shop.domains
    assert checks_of(read_mesh(*parse_with_checks()), "shop.lines") == [
        ("unique", "line_id", "none"),
        ("not_null", "line_id", "none"),
        ("not_null", "amount", "any number, with a warning"),
        ("not_null", "amount", "none"),
        *LATE,
    ]


def test_the_key_of_an_increment_is_not_null(shop: on_disk.Mesh) -> None:
    config = "{{ config(incremental_strategy='merge', unique_key='amount') }}\n"
    shop.port("shop/lines", config + SQL, COLUMNS.replace("  constraints: [{type: not_null}]\n", ""))
    assert checks_of(read_mesh(*parse_with_checks()), "shop.lines")[2:] == [
        ("not_null", "amount", "any number, with a warning"),
        ("not_null", "amount", "none"),
        *LATE,
    ]


def test_a_limited_check_does_not_stand_for_a_constraint(shop: on_disk.Mesh) -> None:
    shop.port("shop/lines", SQL, COLUMNS.replace("{severity: warn}", "{limit: 1}"))
    checks = checks_of(read_mesh(*parse_with_checks()), "shop.lines")
    assert checks[2:] == [("not_null", "amount", "none"), ("not_null", "amount", "none"), *LATE]


@pytest.mark.parametrize(
    ("of_line_id", "of_amount", "key"),
    [
        ("[unique]", "[unique: {config: {severity: warn}}]", ("line_id",)),
        ("[unique: {config: {severity: warn}}]", "[unique: {config: {error_if: '> 5'}}]", ("line_id", "amount")),
        ("[unique: {config: {where: 'amount > 0'}}]", "[not_null]", ("line_id", "amount")),
    ],
)
def test_the_key_is_what_no_row_may_break(
    shop: on_disk.Mesh, of_line_id: str, of_amount: str, key: tuple[str, ...]
) -> None:
    columns = (
        f"- {{name: line_id, data_type: bigint, description: The key., data_tests: {of_line_id}}}\n"
        f"- {{name: amount, data_type: double, description: Euro., data_tests: {of_amount}}}\n"
        "- {name: landed_at, data_type: timestamp, description: When it landed.}"
    )
    pair = "data_tests: [unique_combination: {arguments: {columns: [line_id, amount]}}]"
    shop.port("shop/lines", SQL, columns, extra=pair if len(key) > 1 else "")
    mesh = read_mesh(*parse_with_checks())
    assert key_of(mesh.checks["model.shop.lines"]) == key


def test_a_port_without_a_check_of_its_keys_has_none(shop: on_disk.Mesh) -> None:
    shop.port("shop/lines", SQL, COLUMNS.replace("{type: primary_key}", "").replace("[unique]", "[not_null]"))
    mesh = read_mesh(*parse_with_checks())
    assert [check.kind for check in mesh.checks["model.shop.lines"]].count("unique") == 0
    assert key_of(mesh.checks["model.shop.lines"]) == ()


def test_the_checks_of_a_port_are_those_that_the_gate_measures(
    mesh: on_disk.Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", SQL, COLUMNS, meta=EXEMPT)
    mesh.land("lines", "select 1::bigint as line_id, 2.0::double as amount, localtimestamp as landed_at")
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    monkeypatch.chdir(mesh.folder)
    measured = mesh.rows("select kind, column_name from portmesh.measurements__shop")
    listed = [(kind, column) for kind, column, _ in checks_of(read_mesh(*parse_with_checks()), "shop.lines")]
    assert len(listed) == 5
    assert sorted(measured) == sorted(listed)


@pytest.mark.parametrize(("email", "kept"), [("[a@x.org, b@x.org]", "a@x.org"), ("", "")])
def test_an_owner_may_have_several_addresses_or_none(shop: on_disk.Mesh, email: str, kept: str) -> None:
    path = "domains/desk/models/desk.yml"
    text = (shop.folder / path).read_text()
    assert "email: desk@example.com" in text
    shop.write(path, text.replace("email: desk@example.com", f"email: {email}"))
    assert read_mesh(parse_manifest()).products[0].owner_email == kept


def test_a_project_without_the_meshs_macros_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = on_disk.Mesh(tmp_path)
    other.write("dbt_project.yml", "{name: other, version: '1.0', profile: other}")
    other.write("profiles.yml", "other: {target: local, outputs: {local: {type: duckdb, path: other.duckdb}}}")
    other.write("domains/README.md", "Nothing.")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="This is not a mesh: its root project has no macro checks_by_port"):
        parse_with_checks()
    assert not (tmp_path / "other.duckdb").exists()


def test_a_check_that_cannot_be_measured_is_said(shop: on_disk.Mesh) -> None:
    shop.port(
        "shop/lines", SQL, COLUMNS.replace("{type: primary_key}", "{type: foreign_key, expression: 'other (id)'}")
    )
    with pytest.raises(FindingsError, match=r"shop\.lines was not audited: its constraint foreign_key") as refused:
        parse_with_checks()
    assert "in macro" not in str(refused.value)


@pytest.mark.parametrize(
    ("severity", "warn_if", "error_if", "text"),
    [
        ("error", "!= 0", "!= 0", "none"),
        ("error", "> 17", ">50", "17, up to 50 with a warning"),
        ("error", "!= 0", "> 50", "50, with a warning"),
        ("error", ">50", ">50", "50"),
        ("error", "!= 0", "between 5 and 9", "unless `between 5 and 9`"),
        ("warn", "!= 0", "!= 0", "any number, with a warning"),
        ("warn", "> 3", "!= 0", "3, more with a warning"),
        ("warn", "< 3", "!= 0", "`< 3` warns"),
    ],
)
def test_how_many_failures_are_allowed(severity: str, warn_if: str, error_if: str, text: str) -> None:
    check = Check(kind="not_null", column="a", severity=severity, warn_if=warn_if, error_if=error_if)
    assert failures_allowed(check) == text


def test_a_verdict_on_the_whole_has_no_number() -> None:
    assert failures_allowed(Check(kind="fresh_within", unit="", severity="warn")) == "may fail, with a warning"
