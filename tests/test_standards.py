"""Ports and products in the field's standards, read by the field's own tools, and back without loss."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from open_data_contract_standard.model import DataQuality

from portmesh.contracts import odcs, odps
from portmesh.contracts.odcs_checks import NotAPortmeshCheckError, from_quality
from portmesh.contracts.odcs_import import Imported, from_odcs, read_odcs
from portmesh.contracts.port_contract import (
    PortContract,
    ProductFacts,
    contract_of,
    read_contracts,
    read_products,
    to_yaml,
)
from portmesh.contracts.types import data_type
from portmesh.contracts.yaml_text import load
from portmesh.dbt import parse_manifest
from portmesh.errors import PortmeshError
from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import Portmesh, captured

TOOLS = REPOSITORY / ".venv-standards/bin"
EXAMPLES = REPOSITORY / "tests/standards"
CONTRACTS = sorted(EXAMPLES.glob("*/*.odcs.yaml"))
ODCS_SCHEMA = json.loads((files("open_data_contract_standard") / "schema.json").read_text())
SHOP = ProductFacts(
    "shop", "The shop.", "Team shop", "shop@example.com", "aggregate", "active", "emr", "Tests.", "#shop"
)


def tool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool of the standards, without network."""
    environment = os.environ | {"COLUMNS": "250", "NO_COLOR": "1"}
    call = [str(TOOLS / words[0]), *map(str, words[1:])]
    return subprocess.run(call, capture_output=True, text=True, check=False, env=environment, timeout=300)


def back(text: str, domain: str = "shop") -> Imported:
    """A contract's text, imported."""
    return from_odcs(*read_odcs(text, "contract.odcs.yaml"), domain)


def round_trip(port: PortContract, product: ProductFacts = SHOP) -> tuple[PortContract, Imported]:
    """What the YAML means that is imported from what is exported."""
    imported = back(odcs.as_yaml(odcs.to_odcs(port, product)), port.domain)
    entry = load(to_yaml(imported.ports[0]))["models"][0]
    return contract_of(port.domain, entry, port.model_version), imported


# --- the repository's own ports ---


@pytest.fixture(scope="module")
def manifest() -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        yield parse_manifest()


@pytest.mark.nightly
def test_every_port_of_the_repository_comes_back_as_it_was(manifest: dict[str, Any]) -> None:
    ports, products = read_contracts(manifest, REPOSITORY), read_products(manifest)
    assert {"platform.publications", "platform.port_quality"} <= {port.label for port in ports}
    for port in ports:
        again, imported = round_trip(port, products[port.domain])
        assert again == port
        assert imported.left == []
        assert imported.product == products[port.domain]


@pytest.mark.thorough
def test_every_product_of_the_repository_comes_back_as_it_was(manifest: dict[str, Any]) -> None:
    ports, products = read_contracts(manifest, REPOSITORY), read_products(manifest)
    assert "platform" in products
    for product in products.values():
        own = [port for port in ports if port.domain == product.name]
        found = odps.read_odps(odps.as_yaml(odps.to_odps(product, own, [])), "product.odps.yaml")
        assert odps.facts_of(found) == product
        assert [one.contractId for one in found.outputPorts or []] == [port.label for port in own]


# --- any port ---

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=30).map(str.strip)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
TYPES = st.sampled_from(
    ["string", "boolean", "tinyint", "smallint", "int", "bigint", "double", "date", "timestamp"]
) | (st.builds("decimal({},{})".format, st.integers(19, 38), st.integers(0, 18)))
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "severity": st.sampled_from(["warn", "error", "WARN"]),
        "error_if": st.sampled_from([">10", ">= 3", "!= 0", "between 1 and 5"]),
        "warn_if": st.sampled_from([">0", ">17"]),
        "where": st.just("amount > 0"),
        "fail_calc": st.just("count(distinct a)"),
        "meta": st.fixed_dictionaries({"dimension": st.sampled_from(["accuracy", "completeness", "timeliness"])}),
    },
)
BOUNDS = st.integers(-1000, 1000) | st.floats(-10, 10).map(lambda x: round(x, 3)) | DAYS | st.just("date '2020-01-01'")
ARGUMENTS = {
    "accepted_values": st.fixed_dictionaries(
        {"values": st.lists(WORDS | st.integers() | DAYS, min_size=1, max_size=3)}, optional={"quote": st.booleans()}
    ),
    "accepted_range": st.fixed_dictionaries({"min_value": BOUNDS}, optional={"max_value": BOUNDS}),
    "matches_pattern": st.fixed_dictionaries({"pattern": WORDS}),
    "not_null_share": st.fixed_dictionaries({"at_least": st.sampled_from([0.5, 0.98, 0.9999, 1, 0])}),
    "fresh_within": st.fixed_dictionaries({"count": st.integers(1, 9), "period": st.just("day")}),
    "relationships": st.fixed_dictionaries({"to": st.sampled_from(["ref('lines')", "ref('a', 'b')"]), "field": NAMES}),
    "not_null": st.just({}),
    "unique": st.just({}),
    "own_test": st.dictionaries(NAMES, WORDS | st.integers() | st.none(), max_size=2),
}


@st.composite
def checks(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(ARGUMENTS)) -> Any:
    """A data test in any of the forms that YAML allows."""
    kind = draw(st.sampled_from(kinds))
    if kind in ("not_null", "unique") and draw(st.booleans()):
        return kind
    arguments, config = draw(ARGUMENTS[kind]), draw(CONFIGS)
    body = {"name": draw(NAMES)} if draw(st.booleans()) else {}
    body |= {"description": draw(WORDS)} if draw(st.booleans()) else {}
    body |= {"arguments": arguments} if arguments else {}
    body |= {"config": config} if config else {}
    return {kind: body} if body else kind


TABLE_CHECKS = (
    checks()
    | st.builds(
        lambda columns: {"unique_combination": {"arguments": {"columns": columns}}}, st.lists(NAMES, min_size=1)
    )
    | st.builds(
        lambda least, most: {"row_count_between": {"arguments": {"min_rows": least, "max_rows": most}}},
        st.integers(0, 9),
        st.integers(9, 99),
    )
    | st.builds(lambda text: {"expression_is_true": {"arguments": {"expression": text}}}, WORDS.filter(bool))
)


@st.composite
def columns(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        column: dict[str, Any] = {"name": name, "data_type": draw(TYPES)}
        if draw(st.booleans()):
            column["description"] = draw(WORDS.filter(bool))
        if tests := draw(st.lists(checks(), max_size=4)):
            column["data_tests"] = tests
        if draw(st.integers(0, 3)) == 0:
            column["constraints"] = [{"type": draw(st.sampled_from(["not_null", "unique", "primary_key"]))}]
        if draw(st.integers(0, 3)) == 0:
            column["config"] = {"meta": {"level": draw(st.sampled_from(["public", "restricted"]))}}
        found.append(column)
    return found


@st.composite
def ports(draw: st.DrawFn) -> PortContract:
    listed = draw(columns())
    names = [one["name"] for one in listed]
    periods = st.fixed_dictionaries({"count": st.integers(1, 99), "period": st.sampled_from(["minute", "hour", "day"])})
    freshness = st.fixed_dictionaries(
        {"column": st.sampled_from(names), "warn_after": periods}, optional={"error_after": periods}
    )
    consumer = st.fixed_dictionaries({"name": NAMES, "purpose": WORDS.filter(bool)}, optional={"until": DAYS})
    meta = draw(
        st.fixed_dictionaries(
            {"version": st.builds("{}.{}.{}".format, *[st.integers(0, 20)] * 3)},
            optional={
                "classification": st.sampled_from(["public", "internal", "confidential", "restricted"]),
                "subject": st.fixed_dictionaries({"entity": NAMES, "key": st.sampled_from(names)}),
                "freshness": freshness,
                "consumers": st.lists(consumer, min_size=1, max_size=3),
                "keep_versions": st.integers(1, 9),
                "exemptions": st.just([{"rule": "PM106", "reason": "Soon.", "until": date(2030, 1, 1)}]),
            },
        )
    )
    rest: dict[str, Any] = {}
    if draw(st.booleans()):
        rest["config"] = {"unique_key": draw(st.sampled_from(names)), "partition_by": names[:1]}
    if draw(st.booleans()):
        rest["deprecation_date"] = draw(DAYS)
    version = draw(st.sampled_from(["", "2"]))
    table_checks = draw(st.lists(TABLE_CHECKS, max_size=3))
    return PortContract("shop", draw(NAMES), version, draw(WORDS), meta, listed, table_checks, rest)


@settings(max_examples=150, deadline=None)
@given(port=ports())
@pytest.mark.nightly
def test_any_port_comes_back_as_it_was_and_fits_the_standard(port: PortContract) -> None:
    before = copy.deepcopy(port)
    text = odcs.as_yaml(odcs.to_odcs(port, SHOP))
    assert port == before
    problems = [error.message for error in Draft201909Validator(ODCS_SCHEMA).iter_errors(load(text))]
    assert problems == []
    again, imported = round_trip(port)
    assert again == port
    assert imported.left == []
    assert imported.product == SHOP


# --- a file that somebody changed ---

LINES = PortContract(
    "shop",
    "lines",
    description="One row per line.",
    meta={"version": "1.0.0", "classification": "internal", "consumers": [{"name": "desk", "purpose": "Reports."}]},
    columns=[
        {"name": "line_id", "data_type": "bigint", "data_tests": ["not_null", "unique"]},
        {
            "name": "amount",
            "data_type": "double",
            "data_tests": [
                {"not_null": {"config": {"severity": "warn", "error_if": ">5", "warn_if": ">3"}}},
                {"accepted_range": {"arguments": {"min_value": 0}}},
            ],
        },
        {"name": "_landed_at", "data_type": "timestamp"},
    ],
    checks=[{"row_count_between": {"arguments": {"min_rows": 1, "max_rows": 10}, "config": {"where": "amount > 0"}}}],
)
TEXT = odcs.as_yaml(odcs.to_odcs(LINES, SHOP))


def changed(old: str, new: str) -> Imported:
    assert TEXT.count(old) == 1, TEXT
    return back(TEXT.replace(old, new))


def test_a_changed_check_counts_and_is_not_covered_by_the_kept_words() -> None:
    found = changed("mustBeLessOrEqualTo: 3", "mustBeLessOrEqualTo: 4")
    assert found.ports[0].columns[1]["data_tests"] == [{"not_null": {"config": {"error_if": ">4", "severity": "warn"}}}]
    assert any("changed after its export" in one.why for one in found.left)
    assert any("SQL for another database" in one.why for one in found.left)


def test_a_changed_type_classification_purpose_and_version_count() -> None:
    assert (
        changed("physicalType: double", "physicalType: decimal(10,2)").ports[0].columns[1]["data_type"]
        == "decimal(10,2)"
    )
    assert changed("version: 1.0.0", "version: 1.1.0").ports[0].meta["version"] == "1.1.0"
    assert changed("    description: Reports.", "    description: Planning.").ports[0].meta["consumers"] == [
        {"name": "desk", "purpose": "Planning."}
    ]
    found = back(TEXT.replace("        classification: internal", "        classification: restricted", 1))
    assert found.ports[0].meta["classification"] == "restricted"
    assert [one.get("config") for one in found.ports[0].columns][1:] == [{"meta": {"level": "internal"}}] * 2


def test_a_changed_rule_of_the_table_counts() -> None:
    port = copy.deepcopy(LINES)
    port.checks = [{"row_count_between": {"arguments": {"min_rows": 1, "max_rows": 10}}}]
    text = odcs.as_yaml(odcs.to_odcs(port, SHOP)).replace("- 10\n", "- 20\n")
    assert back(text).ports[0].checks == [{"row_count_between": {"arguments": {"min_rows": 1, "max_rows": 20}}}]


# --- the standards' own tools ---


@pytest.mark.nightly
def test_the_tools_are_installed() -> None:
    """`make test-nightly` installs them: tools/environment.sh standards."""
    assert tool("datacontract", "--version").returncode == 0
    assert tool("dataproduct", "--version").returncode == 0


COLUMNS = """
- {name: line_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- name: amount
  data_type: decimal(10,2)
  description: Euro.
  data_tests: [{accepted_range: {arguments: {min_value: 0}}}]
- name: channel
  data_type: string
  description: Where it was sold.
  data_tests:
    - accepted_values: {arguments: {values: [web, shop]}}
    - matches_pattern: {arguments: {pattern: '^[a-z]+$'}}
    - not_null: {config: {severity: warn}}
    - not_null_share: {arguments: {at_least: 0.5}}
- {name: is_paid, data_type: boolean, description: Whether it is paid.}
- name: day
  data_type: date
  description: The day.
  data_tests: [{accepted_range: {arguments: {min_value: 2025-01-01}}}]
- {name: items, data_type: int, description: Number of items.}
- {name: weight, data_type: double, description: Kilogram.}
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""
CHECKS = """
data_tests:
  - row_count_between: {arguments: {min_rows: 1, max_rows: 10}}
  - unique_combination: {arguments: {columns: [line_id, channel]}}
  - expression_is_true: {arguments: {expression: "amount >= 0 or channel = 'web'"}}
"""
MODEL = """
select
    i as line_id, cast(i as decimal(10,2)) as amount, case when i > 1 then 'web' else 'shop' end as channel,
    true as is_paid, cast('2026-01-01' as date) as day, cast(i as int) as items, cast(i as double) as weight,
    cast(current_timestamp at time zone 'UTC' as timestamp) as landed_at
from range(1, 4) as t(i)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """A mesh with a port that has every kind of type and shared check, built; and a reader of it."""
    mesh = Mesh(tmp_path_factory.mktemp("standards"))
    mesh.set_up("shop", "desk")
    mesh.port("shop/lines", MODEL, COLUMNS, CHECKS, "consumers: [{name: desk, purpose: Reports., until: 2099-01-31}]")
    mesh.write("domains/desk/models/intermediate/int_desk__lines.sql", "select * from {{ ref('shop', 'lines') }}")
    assert mesh.dbt("deps").ok
    done = mesh.dbt("build")
    assert done.ok, done.output
    return mesh


@pytest.fixture
def portmesh(built: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Portmesh:
    monkeypatch.chdir(built.folder)
    return captured(capsys)


def readable(mesh: Mesh, folder: Path, change: str = "") -> Path:
    """The port's rows in a file that the tool's older DuckDB can read, and the exported contract that names it."""
    database, contract = folder / "older.duckdb", folder / "shop.lines.odcs.yaml"
    database.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{mesh.database}' as mesh (read_only)")
        connection.execute(f"attach '{database}' as older (storage_version 'v1.2.0')")
        connection.execute("create schema older.shop; create table older.shop.lines as from mesh.shop.lines")
        connection.execute(change or "select 1")
    contract.write_text(contract.read_text().replace(str(mesh.database), str(database)))
    return contract


@pytest.mark.nightly
def test_the_tool_measures_an_exported_contract_on_the_built_data(
    built: Mesh, portmesh: Portmesh, tmp_path: Path
) -> None:
    done = portmesh("export", "odcs", "shop.lines", "--to", tmp_path)
    assert (done.exit_code, done.out.split()) == (0, [str(tmp_path / "shop.lines.odcs.yaml")])
    assert tool("datacontract", "lint", tmp_path / "shop.lines.odcs.yaml").returncode == 0
    passed = tool("datacontract", "test", readable(built, tmp_path))
    assert passed.returncode == 0, passed.stdout
    assert "Data contract is valid. Ran 27 checks" in passed.stdout
    assert "Freshness of lines.landed_at" in passed.stdout
    assert "failed" not in passed.stdout


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update older.shop.lines set amount = -1 where line_id = 1", "amount"),
        ("update older.shop.lines set channel = 'fax' where line_id = 1", "enum values"),
        ("update older.shop.lines set line_id = 2", "no duplicate values"),
        ("alter table older.shop.lines drop column weight", "'weight' is present"),
        ("update older.shop.lines set landed_at = '2020-01-01'", "Freshness of lines.landed_at"),
        ("delete from older.shop.lines", "row_count between 1 and 10"),
    ],
)
def test_the_tool_refuses_data_that_breaks_the_contract(
    built: Mesh, portmesh: Portmesh, tmp_path: Path, change: str, said: str
) -> None:
    assert portmesh("export", "odcs", "shop.lines", "--to", tmp_path).exit_code == 0
    refused = tool("datacontract", "test", readable(built, tmp_path, change))
    assert refused.returncode == 1
    assert any("failed" in line and said in line for line in refused.stdout.splitlines()), refused.stdout


@pytest.mark.nightly
def test_the_tool_reads_an_exported_product_and_finds_its_contracts(portmesh: Portmesh, tmp_path: Path) -> None:
    assert portmesh("export", "odcs", "--to", tmp_path).exit_code == 0
    assert portmesh("export", "odps", "--to", tmp_path).exit_code == 0
    for name in ("shop", "desk"):
        read = tool("dataproduct", "lint", tmp_path / f"{name}.odps.yaml")
        assert read.returncode == 0, read.stdout + read.stderr
    desk = yaml.safe_load((tmp_path / "desk.odps.yaml").read_text())
    assert desk["inputPorts"] == [{"name": "shop.lines", "version": "1.0.0", "contractId": "shop.lines"}]
    broken = tmp_path / "broken.odps.yaml"
    broken.write_text((tmp_path / "shop.odps.yaml").read_text().replace("outputPorts:", "outputPort:"))
    assert tool("dataproduct", "lint", broken).returncode != 0


@pytest.mark.thorough
def test_contracts_are_printed_without_a_folder(portmesh: Portmesh) -> None:
    printed = portmesh("export", "odcs", "shop")
    assert printed.exit_code == 0
    assert yaml.safe_load(printed.out)["id"] == "shop.lines"
    assert len(list(yaml.safe_load_all(portmesh("export", "odps").out))) == 2
    refused = portmesh("export", "odcs", "shop.line")
    assert refused.exit_code == 2
    assert "Did you mean shop.lines?" in refused.err


# --- what others wrote ---


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, (*path, str(key)))
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, path)
    elif value not in (None, False, "", -1):
        yield path, value


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_example_of_the_standard_is_imported_without_loss_or_with_a_reason(path: Path) -> None:
    """Every value of the file is in the imported YAML, or under a place that is named with a reason."""
    found = back(path.read_text())
    texts = " ".join(to_yaml(port) for port in found.ports)
    named = {one.where.split(" ")[0] for one in found.left}
    taken = {"apiVersion", "kind", "schema.id", "schema.physicalType", "schema.logicalType", "schema.properties.id"}
    taken |= {"schema.properties.logicalType", "schema.properties.physicalType", "schema.properties.required"}
    taken |= {"schema.properties.unique", "schema.properties.primaryKey", "schema.properties.primaryKeyPosition"}
    lost = []
    looked_at = 0
    for place, value in _leaves(load(path.read_text())):
        looked_at += 1
        shown = ".".join(place)
        is_named = any(shown == one or shown.startswith(f"{one}.") for one in named)
        words = " ".join(str(value).split())
        is_rule = re.search(r"\.quality\.(type|metric|rule|mustBe\w*|unit|severity|dimension|arguments\b)", shown)
        if not (is_named or shown in taken or words in " ".join(texts.split()) or is_rule):
            lost.append((shown, value))
    assert looked_at > 4
    assert lost == []
    assert all(one.why for one in found.left)


def test_the_full_example_becomes_ports() -> None:
    found = back((EXAMPLES / "odcs/full-example.odcs.yaml").read_text())
    table, receivers = found.ports[:2]
    assert [table.label, receivers.label] == ["shop.tbl", "shop.receivers"]
    assert table.meta == {"version": "1.1.0", "classification": "restricted"}
    assert [(one["name"], one["data_type"]) for one in table.columns] == [
        ("txn_ref_dt", "date"),
        ("rcvr_id", "string"),
        ("rcvr_cntry_code", "string"),
    ]
    assert table.columns[1]["data_tests"] == [
        "not_null",
        "unique",
        {"relationships": {"arguments": {"to": "ref('receivers')", "field": "id"}}},
    ]
    assert table.columns[0]["config"] == {"meta": {"level": "public"}}
    why = {one.where: one.why for one in found.left}
    assert why["price"] == "Portmesh has no prices"
    assert why["roles microstrategy_user_opr"].startswith("a consumer needs a name and a purpose")
    assert "Purpose: Views built on top of the seller tables." in table.description


def test_the_tools_example_keeps_its_service_level() -> None:
    orders, items = back((EXAMPLES / "datacontract-cli/orders.odcs.yaml").read_text()).ports
    assert orders.meta["freshness"] == {"column": "order_timestamp", "error_after": {"count": 24, "period": "hour"}}
    assert "freshness" not in items.meta


def test_an_imported_contract_is_a_port_that_dbt_builds(built: Mesh, portmesh: Portmesh) -> None:
    file = EXAMPLES / "datacontract-cli/orders.odcs.yaml"
    shown = portmesh("import", "odcs", file, "--domain", "desk", "--dry-run")
    assert shown.exit_code == 0, shown.err
    assert "desk.orders: 5 columns, 6 checks, would be written to" in shown.out
    assert not (built.folder / "domains/desk/models/output_ports").exists()
    done = portmesh("import", "odcs", file, "--domain", "desk", "--json")
    found = json.loads(done.out)
    assert found["files"] == [f"domains/desk/models/output_ports/{name}.yml" for name in ("orders", "line_items")]
    assert any(one["where"] == "servers production" for one in found["left"])
    again = portmesh("import", "odcs", file, "--domain", "desk")
    assert (again.exit_code, "These files exist already." in again.err) == (2, True)
    folder = built.folder / "domains/desk/models/output_ports"
    orders = "select 'a' as order_id, cast('2026-01-01' as timestamp) as order_timestamp, 'c' as customer_id, "
    built.write(
        "domains/desk/models/output_ports/orders.sql", orders + "cast(1 as double) as order_total, 's' as status"
    )
    assert "dbt parse --no-partial-parse" in shown.out
    refused = built.dbt("build", "--no-partial-parse", "--select", "orders")
    assert re.findall(r"PM\d+  desk\.orders has no (.*)", refused.output) == ["classification.", "check for accuracy."]
    text = (
        (folder / "orders.yml").read_text().replace("version: 1.0.0", "version: 1.0.0\n        classification: public")
    )
    accuracy = "config: {meta: {dimension: accuracy}}"
    (folder / "orders.yml").write_text(
        text.replace("- unique", f"- unique\n          - not_null: {{name: a, {accuracy}}}")
    )
    text = (folder / "orders.yml").read_text()
    text = text.replace("version: 1.0.0", "version: 1.0.0\n        classification: public")
    text = text.replace("count: 24\n", "count: 99999\n")
    range_of_total = "        data_tests: [{accepted_range: {arguments: {min_value: 0}}}, not_null]\n"
    text = re.sub(
        r"(order_total\n(?: {8}.*\n)*?)        data_tests:\n          - not_null\n", rf"\1{range_of_total}", text
    )
    (folder / "orders.yml").write_text(text)
    (folder / "line_items.yml").unlink(missing_ok=True)
    passed = built.dbt("build", "--select", "orders")
    assert passed.ok, passed.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "The file is no YAML."),
        ("- a\n", "kind missing, apiVersion missing"),
        ("kind: DataProduct\napiVersion: v1.0.0\nid: a\n", "kind DataProduct"),
        ("kind: DataContract\napiVersion: v2.2.2\nid: a\nversion: 1.0.0\n", "apiVersion v2.2.2"),
        ("kind: DataContract\napiVersion: v3.2.0\nversion: 1.0.0\n", "'id' is a required property"),
        ("kind: DataContract\napiVersion: v3.1.0\nversion: 1.0.0\nid: a\nschema: 3\n", "schema"),
        ("kind: DataContract\napiVersion: v3.1.0\nversion: 1.0.0\nid: a\n", "describes no table"),
        (
            "kind: DataContract\napiVersion: v3.1.0\nversion: 1.0.0\nid: a\nschema: [{name: A b}, {name: a_b}]\n",
            "would become the same port",
        ),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused(portmesh: Portmesh, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "contract.yaml"
    file.write_text(text)
    refused = portmesh("import", "odcs", file, "--domain", "shop")
    assert refused.exit_code == 2
    assert said in refused.err


def test_an_unknown_domain_or_file_is_refused(portmesh: Portmesh, tmp_path: Path) -> None:
    file = tmp_path / "contract.yaml"
    missing = portmesh("import", "odcs", file, "--domain", "shop")
    assert (missing.exit_code, "There is no such file." in missing.err) == (3, True)
    file.write_text(TEXT)
    near = portmesh("import", "odcs", file, "--domain", "shp")
    assert (near.exit_code, "Did you mean shop?" in near.err) == (2, True)
    far = portmesh("import", "odcs", file, "--domain", "finance")
    assert "portmesh new domain finance" in far.err


def test_what_a_contract_says_about_the_product_is_compared(portmesh: Portmesh, tmp_path: Path) -> None:
    file = tmp_path / "contract.yaml"
    file.write_text(TEXT.replace("shop@example.com", "other@example.com").replace("lines", "other_lines"))
    found = json.loads(portmesh("import", "odcs", file, "--domain", "shop", "--dry-run", "--json").out)
    why = {one["where"]: one["why"] for one in found["left"]}
    assert why["product.owner_email"] == (
        "the owner's address is the product's own: the file says other@example.com, shop says shop@example.com"
    )


# --- products of others ---


@pytest.mark.parametrize("version", ["v0.9.0", "v1.0.0", "v1.1.0"])
@pytest.mark.parametrize("path", sorted((EXAMPLES / "odps").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_product_of_the_standard_can_be_read(path: Path, version: str) -> None:
    text = re.sub(r"apiVersion: \S+", f"apiVersion: {version}", path.read_text())
    found = odps.read_odps(text, path.name)
    assert found.outputPorts
    assert odps.facts_of(found).name == load(text)["name"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "The file is no YAML."),
        ("kind: DataContract\napiVersion: v3.2.0\nid: a\n", "kind DataContract, apiVersion v3.2.0"),
        ("kind: DataProduct\napiVersion: v1.1.0\n", "Field required"),
    ],
)
def test_a_file_that_is_no_product_is_refused(text: str, said: str) -> None:
    with pytest.raises(PortmeshError) as refused:
        odps.read_odps(text, "a.yaml")
    assert said in str(refused.value)


# --- types and rules ---


@pytest.mark.parametrize(
    ("logical", "physical", "ours"),
    [
        ("string", "varchar(18)", "string"),
        ("number", "numeric(10, 2)", "decimal(10,2)"),
        ("number", "NUMBER(12)", "decimal(12,0)"),
        ("number", "decimal(40,2)", ""),
        ("integer", "", "bigint"),
        ("integer", "INT", "int"),
        ("timestamp", "timestamp with time zone", "timestamp"),
        ("timestamp", "TIMESTAMP_NTZ", "timestamp"),
        ("date", "DATE", "date"),
        ("object", "json", ""),
        ("array", "", ""),
        ("string", "geography", "string"),
        ("", "", ""),
    ],
)
def test_types_of_other_systems(logical: str, physical: str, ours: str) -> None:
    assert data_type(logical, physical) == ours


@pytest.mark.parametrize(
    ("rule", "check"),
    [
        ({"metric": "nullValues", "mustBe": 0}, "not_null"),
        ({"metric": "missingValues", "mustBeLessThan": 5}, {"not_null": {"config": {"error_if": ">=5"}}}),
        (
            {"metric": "nullValues", "mustBeLessOrEqualTo": 2, "unit": "percent"},
            {"not_null_share": {"arguments": {"at_least": 0.98}}},
        ),
        ({"rule": "duplicateCount", "mustBe": 0}, "unique"),
        ({"metric": "rowCount", "mustBeGreaterThan": 9}, {"row_count_between": {"arguments": {"min_rows": 10}}}),
        ({"metric": "rowCount", "mustBe": 3}, {"row_count_between": {"arguments": {"min_rows": 3, "max_rows": 3}}}),
        (
            {"metric": "invalidValues", "arguments": {"pattern": "^a"}, "mustBe": 0, "severity": "warning"},
            {"matches_pattern": {"arguments": {"pattern": "^a"}, "config": {"severity": "warn"}}},
        ),
        (
            {"metric": "nullValues", "mustBe": 0, "dimension": "conformity", "name": "No Nulls!"},
            {"not_null": {"name": "no_nulls", "config": {"meta": {"dimension": "accuracy"}}}},
        ),
    ],
)
def test_rules_of_other_tools_become_checks(rule: dict[str, Any], check: Any) -> None:
    assert from_quality(DataQuality.model_validate(rule), "amount") == check


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"type": "text", "description": "Nice."}, "a text for people"),
        ({"type": "custom", "engine": "soda", "implementation": "x"}, "it is written for soda"),
        ({"type": "sql", "query": "select 1", "mustBe": 0}, "SQL for another database"),
        ({"metric": "nullValues", "mustBeGreaterThan": 3}, "how many rows may fail at most"),
        ({"metric": "rowCount"}, "neither"),
        ({"metric": "invalidValues", "unit": "percent", "mustBeLessThan": 5}, "no check measures a share of"),
        ({"metric": "duplicateValues", "mustBeLessThan": 5}, "no check measures duplicateValues"),
    ],
)
def test_rules_that_no_check_states_are_named(rule: dict[str, Any], why: str) -> None:
    with pytest.raises(NotAPortmeshCheckError, match=why):
        from_quality(DataQuality.model_validate(rule), "amount")
