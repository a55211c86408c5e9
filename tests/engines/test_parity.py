"""Every kind of check has the same verdicts and counts on DuckDB, Spark and Athena, for every option and type."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from dbt_common.contracts.constraints import ConstraintType

from tests.engine_glue import empty_lake
from tests.mesh import REPOSITORY, Mesh
from tests.rig_client import Rig
from tests.test_output_port import EXEMPT

pytestmark = pytest.mark.writes_json

TARGETS = ("local", "emr", "athena")
TYPES = {
    "id": "bigint",
    "is_good": "boolean",
    "tiny": "tinyint",
    "small": "smallint",
    "number": "int",
    "big": "bigint",
    "ratio": "double",
    "price": "decimal(10,2)",
    "label": "string",
    "flag": "boolean",
    "day": "date",
    "landed_at": "timestamp",
}
OWN_NAMES = {"string": "{{ dbt.type_string() }}", "timestamp": "{{ dbt.type_timestamp() }}"}
# For every type: rows that pass all checks; then missing values, duplicates, extreme values, infinities, NaN, and texts
# that differ only in case, a space, an accent or a backslash.
GOOD = """
(1, true, 1, 10, 100, 1000, 0.5, 1.50, 'a', true, date '2024-01-01', timestamp '2024-01-01 00:00:00.000001'),
(2, true, 2, 20, 200, 2000, 1.5, 2.50, 'b', false, date '2024-01-02', timestamp '2024-01-02 12:30:00'),
(3, true, 3, 30, 300, 3000, 2.5, 3.50, 'it''s', true, date '2024-01-03', timestamp '2024-01-03 23:59:59.999999'),
(4, true, 4, 40, 400, 4000, 0.0, 4.50, 'c\\d', false, date '2024-01-04', timestamp '2024-01-04 00:00:00')
"""
BAD = """
(5, false, 5, 50, 400, 4000, 2.5, 4.50, 'c\\d', false, date '2024-01-04', timestamp '2024-01-04 00:00:00'),
(6, false, 1, 40, 100, 9007199254740993, 'nan'::double, 1.51, 'A', true, date '9999-12-31',
    timestamp '2024-01-02 12:30:00'),
(7, false, null, null, null, null, null, null, null, null, null, null),
(8, false, -128, -32768, -2147483648, -9223372036854775808, '-infinity'::double, -99999999.99, '', null,
    date '1970-01-01', timestamp '1970-01-01 00:00:00'),
(9, false, 127, 32767, 2147483647, 9223372036854775807, 'infinity'::double, 99999999.99, 'a ', true, date '2024-02-29',
    timestamp '2024-02-29 23:59:59.999999'),
(10, false, 3, 30, 300, 9007199254740992, 'nan'::double, 3.50, 'ä''"é;--', false, date '2024-01-03', null),
(11, false, null, 31, 301, null, -0.0, 0.01, 'a' || chr(10) || 'b', null, date '2024-01-05',
    timestamp '2024-01-05 00:00:00')
"""
PORT = """
-- depends_on: {{{{ source('raw', 'parents') }}}} {{{{ source('raw', 'deliveries') }}}}
{head}
select {columns}
from {{{{ source('raw', 'readings') }}}}
"""
NEW_ROWS = "{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}"


@dataclass(frozen=True)
class Check:
    """A check as in a port's YAML: under a column, or under the model if it has no column."""

    kind: str
    column: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)

    def entry(self, name: str, **config: Any) -> dict[str, Any]:
        return {self.kind: {"name": name, "arguments": self.arguments, "config": self.config | config}}


def in_range(column: str, low: Any, high: Any) -> list[Check]:
    return [
        Check("accepted_range", column, {"min_value": low, "max_value": high}),
        Check("accepted_range", column, {"min_value": low}),
    ]


# Each passes on the good rows, unless its name or its limit says otherwise.
CHECKS = [
    *(Check("not_null", column) for column in TYPES),
    *(Check("unique", column) for column in TYPES),
    Check("unique", "is_good", config={"where": "id < 2"}),
    Check("unique", "flag", config={"where": "id in (1, 2, 7, 8)"}),
    Check("accepted_values", "label", {"values": ["a", "b", "A", "ä"]}),
    Check("accepted_values", "number", {"values": [100, 200, 300, 400], "quote": False}),
    Check("accepted_values", "big", {"values": [1000, 2000, 3000, 9007199254740993], "quote": False}),
    Check("accepted_values", "price", {"values": [1.5, 2.5, 3.5, 4.5], "quote": False}),
    Check("accepted_values", "day", {"values": ["date '2024-01-01'", "date '9999-12-31'"], "quote": False}),
    Check("accepted_values", "flag", {"values": [True], "quote": False}),
    *(
        Check("relationships", column, {"to": "source('raw', 'parents')", "field": column})
        for column in TYPES
        if column != "id"
    ),
    *in_range("tiny", 1, 4),
    *in_range("small", 10, 40),
    *in_range("number", 100, 400),
    *in_range("big", 1000, 9007199254740992),
    *in_range("ratio", 0, 2.5),
    Check("accepted_range", "ratio", {"max_value": 2.5}),
    *in_range("price", 1.5, 4.5),
    *in_range("label", "'a'", "'z'"),
    *in_range("day", "date '2024-01-01'", "date '2024-01-04'"),
    *in_range("landed_at", "timestamp '2024-01-01 00:00:00'", "timestamp '2024-01-04 00:00:00'"),
    Check("accepted_range", "number", {"min_value": "cast(small as bigint) * 10"}),
    Check("matches_pattern", "label", {"pattern": "^[a-z]"}),
    Check("matches_pattern", "label", {"pattern": r"^(a|b|it's|c\\d)$"}),
    Check("matches_pattern", "label", {"pattern": r"^\w.*$"}),
    Check("expression_is_true", arguments={"expression": "number > small"}),
    Check("expression_is_true", arguments={"expression": "ratio >= -1 and ratio <= 1000"}),
    Check("expression_is_true", arguments={"expression": "label <> 'A' and not (flag and price > 9)"}),
    Check("expression_is_true", arguments={"expression": "day <= cast(landed_at as date)"}),
    Check("expression_is_true", "price", {"expression": "price between 0.01 and 4.5"}),
    *(Check("not_null_share", column, {"at_least": share}) for column in ("ratio", "label") for share in (0.75, 0.95)),
    Check("row_count_between", arguments={"min_rows": 4, "max_rows": 10}),
    Check("row_count_between", arguments={"min_rows": 11}),
    Check("row_count_between", arguments={"max_rows": 4}),
    Check("fresh_within", "landed_at", {"count": 90000, "period": "day"}),
    Check("fresh_within", "landed_at", {"count": 1, "period": "minute"}),
    Check("rejected_rows", arguments={"of": "source('raw', 'deliveries')", "at_most": 0.5}),
    Check("unique_combination", arguments={"columns": ["number", "label"]}),
    Check("unique_combination", arguments={"columns": ["small", "number", "day"]}),
    Check("unique_combination", arguments={"columns": ["ratio", "is_good"]}),
    Check("unique_combination", arguments={"columns": ["flag", "is_good"]}),
    Check("no_missing_weeks", "id"),
    Check("no_missing_weeks", "id", config={"where": "id <> 6"}),
]
# One check of each kind, which fails on all rows.
FAILING = [
    Check("not_null", "number"),
    Check("unique", "label"),
    Check("accepted_values", "label", {"values": ["a", "b"]}),
    Check("relationships", "number", {"to": "source('raw', 'parents')", "field": "number"}),
    Check("accepted_range", "number", {"min_value": 100, "max_value": 400}),
    Check("matches_pattern", "label", {"pattern": "^[a-z]"}),
    Check("expression_is_true", arguments={"expression": "number > 100"}),
    Check("not_null_share", "big", {"at_least": 0.95}),
    Check("rejected_rows", arguments={"of": "source('raw', 'deliveries')"}),
    Check("row_count_between", arguments={"max_rows": 4}),
    Check("fresh_within", "landed_at", {"count": 1, "period": "minute"}),
    Check("unique_combination", arguments={"columns": ["number", "label"]}),
    Check("no_missing_weeks", "id", config={"where": "id <> 6"}),
]
OPTIONS: dict[str, dict[str, Any]] = {
    "where": {"where": "is_good or id > 8"},
    "where_none": {"where": "id > 100"},
    "limit": {"limit": 1},
    "fail_calc": {"fail_calc": "count(*) * 2"},
    "fail_calc_decimal": {"fail_calc": "cast(count(*) as decimal(10, 1))"},
    "warn_if": {"severity": "warn", "warn_if": ">1"},
    "error_if": {"severity": "error", "error_if": ">100"},
    "both": {"severity": "error", "warn_if": "> 2", "error_if": "between 200 and 300"},
    "all": {"severity": "error", "where": "id <> 7", "limit": 2, "fail_calc": "count(*) + 1", "error_if": "> 3"},
}
HOLDS: dict[str, Any] = {"type": "check", "expression": "id > 0 and coalesce(number, 0) < 9999999999"}
BREAKS: dict[str, Any] = {"type": "check", "expression": "number < 300"}
CANNOT_BE_MEASURED: dict[str, dict[str, Any]] = {
    "foreign_key": {"type": "foreign_key", "columns": ["id"], "expression": "parents (id)"},
    "custom": {"type": "custom", "expression": "masked"},
}


def write_port(
    mesh: Mesh,
    name: str,
    checks: dict[str, tuple[Check, dict[str, Any]]],
    *,
    head: str = "",
    constraints: dict[str, list[dict[str, Any]]] | None = None,
    tail: str = "",
) -> None:
    """A port of all columns, with checks by name and options, and constraints by column ('' is the model)."""
    entries: dict[str | None, list[Any]] = {}
    for check_name, (check, options) in checks.items():
        entries.setdefault(check.column, []).append(check.entry(f"{name}_{check_name}", **options))
    constraints = constraints or {}
    columns = [
        {"name": column, "data_type": data_type, "description": f"A {data_type}."}
        | ({"data_tests": entries[column]} if column in entries else {})
        | ({"constraints": constraints[column]} if column in constraints else {})
        for column, data_type in TYPES.items()
    ]
    extra = [f"data_tests: {json.dumps(entries.get(None, []))}", f"constraints: {json.dumps(constraints.get('', []))}"]
    casts = [f"cast({column} as {OWN_NAMES.get(kind, kind)}) as {column}" for column, kind in TYPES.items()]
    mesh.port(
        f"shop/{name}",
        PORT.format(head=head, columns=", ".join(casts)) + tail,
        json.dumps(columns),
        extra="\n".join(extra),
        meta=EXEMPT,
    )


def write_ports(mesh: Mesh) -> None:
    warn = {"severity": "warn"}
    every_kind = {f"c{place}_{check.kind}": (check, warn) for place, check in enumerate(CHECKS)}
    options = {
        f"{check.kind}_{option}": (check, warn | given) for check in FAILING for option, given in OPTIONS.items()
    }
    errors = {f"fails_{check.kind}": (check, {"store_failures": check.kind == "unique"}) for check in FAILING}
    write_port(mesh, "by_key", every_kind, head="{{ config(unique_key='id') }}", tail=NEW_ROWS)
    write_port(
        mesh,
        "with_options",
        options,
        constraints={
            "id": [{"type": "not_null"}, {"type": "unique"}, {"type": "primary_key"}, HOLDS],
            "": [{"type": "unique", "columns": ["id", "label"]}, HOLDS],
        },
    )
    write_port(
        mesh,
        "held_back",
        errors,
        constraints={
            "label": [{"type": "not_null"}],
            "small": [{"type": "unique"}],
            "big": [{"type": "primary_key"}],
            "price": [BREAKS],
            "": [{"type": "unique", "columns": ["number", "price"]}, BREAKS],
        },
    )
    for kind, constraint in CANNOT_BE_MEASURED.items():
        write_port(mesh, f"with_{kind}", {"not_null": (Check("not_null", "id"), {})}, constraints={"": [constraint]})


@dataclass
class Audited:
    """What an engine recorded about all ports, and its messages about those that it did not publish."""

    verdicts: dict[tuple[str, int], tuple[Any, ...]]
    measurements: dict[tuple[str, int, str], tuple[Any, ...]]
    messages: dict[str, str]
    mesh: Mesh


def audit(mesh: Mesh) -> Audited:
    """Build the good rows, then all rows: an increment, full builds, and refusals."""
    mesh.set_up("shop", environment=f"on_{mesh.target}", sources=("readings", "parents", "deliveries"))
    for path in REPOSITORY.glob("domains/*/tests/generic/*.sql"):
        mesh.write(f"domains/shop/tests/generic/{path.name}", path.read_text())
    write_ports(mesh)
    readings = f"select * from (values {{}}) as t({', '.join(TYPES)})"
    mesh.land("readings", readings.format(GOOD))
    mesh.land("parents", readings.format(GOOD))
    mesh.land("deliveries", "select 'b1' as _batch_id from range(8)")
    mesh.land("deliveries__rejected", "select 'b1' as _batch_id from range(2) where false")
    assert mesh.dbt("deps").ok
    first = mesh.dbt("run", "--select", "by_key")
    assert first.ok, first.output
    mesh.land("readings", readings.format(GOOD + "," + BAD))
    mesh.land("deliveries__rejected", "select 'b1' as _batch_id from range(2)")
    second = mesh.dbt("run")
    schema = f"on_{mesh.target}__portmesh"
    verdicts = mesh.rows(
        f"select port, sequence, verdict, kind, row_count, failed_checks, findings from {schema}.publications__shop"
    )
    measurements = mesh.rows(
        "select p.port, p.sequence, m.check_name, m.kind, m.dimension, m.column_name, m.scope, m.failures, "
        "m.row_count, m.warn_if, m.error_if, m.severity, m.status "
        f"from {schema}.publications__shop as p join {schema}.measurements__shop as m "
        "on m.invocation_id = p.invocation_id and m.port = p.port"
    )
    return Audited(
        verdicts={(port, sequence): tuple(rest) for port, sequence, *rest in verdicts},
        measurements={(port, sequence, name): tuple(rest) for port, sequence, name, *rest in measurements},
        messages={name: sentence(text) for name, text in second.messages.items()},
        mesh=mesh,
    )


def sentence(message: str) -> str:
    """A message without what differs from run to run: the environment, names of versions, and the rows shown."""
    text = re.sub(r"on_\w+?__|_{2}[0-9]{8}_[0-9]{6}_[0-9a-f]{6}", "", message)
    head, found, rest = text.partition("for example\n")
    if not found:
        return text
    rows, passed, rest = re.split(r"(\n +\d+ other check)", rest, maxsplit=1)
    width = len(head) - head.rindex("\n") - 1
    return head + "\n" + "\n".join(row[:width] for row in rows.splitlines()) + passed + rest


@pytest.fixture(scope="module")
def audited(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audited]:  # noqa: ARG001 - it has to be up
    empty_lake()
    return {target: audit(Mesh(tmp_path_factory.mktemp(target), target)) for target in TARGETS}


def manifest(audited: dict[str, Audited]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((audited["local"].mesh.folder / "target/manifest.json").read_text())
    return found


@pytest.mark.parametrize("target", ["emr", "athena"])
def test_every_check_has_one_verdict(audited: dict[str, Audited], target: str) -> None:
    expected, got = audited["local"].measurements, audited[target].measurements
    assert {name: (expected[name], got.get(name)) for name in expected if got.get(name) != expected[name]} == {}
    assert got.keys() == expected.keys()


@pytest.mark.parametrize("target", ["emr", "athena"])
def test_every_port_has_one_verdict(audited: dict[str, Audited], target: str) -> None:
    assert audited[target].verdicts == audited["local"].verdicts
    assert {verdict for verdict, *_ in audited["local"].verdicts.values()} == {"published", "refused"}


@pytest.mark.parametrize("target", ["emr", "athena"])
def test_every_sentence_is_the_same(audited: dict[str, Audited], target: str) -> None:
    assert audited[target].messages == audited["local"].messages
    assert "was not published" in audited["local"].messages["held_back"]
    for kind in CANNOT_BE_MEASURED:
        assert f"constraint {kind} " in audited["local"].messages[f"with_{kind}"]


def test_dbts_own_tests_say_the_same(audited: dict[str, Audited]) -> None:
    """dbt's own results on DuckDB for the last version of each published port. Other engines are compared with these.

    dbt has no count for a test that passes, even if the test allows failures.
    """
    tested = audited["local"].mesh.dbt("test", "--select", "by_key", "with_options")
    last = {
        port: max(at for name, at in audited["local"].verdicts if name == port) for port in ("by_key", "with_options")
    }
    recorded = {
        name: (status, 0 if status == "pass" else failures)
        for (port, sequence, name), (_, _, _, _, failures, _, _, _, _, status) in audited["local"].measurements.items()
        if name.startswith(port) and last.get(port) == sequence
    }
    assert {name: (status, tested.failures[name]) for name, status in tested.statuses.items()} == recorded
    assert len(recorded) > 150


def test_no_kind_of_check_is_left_out(audited: dict[str, Audited]) -> None:
    """Every generic test of this repository and of dbt passes and fails here, with every option of dbt's."""
    macros = manifest(audited)["macros"].values()
    kinds = {macro["name"].removeprefix("test_") for macro in macros if re.match(r"{%-? test ", macro["macro_sql"])}
    assert {"unique", "accepted_range", "no_missing_weeks"} < kinds
    seen = {(kind, failures > 0) for kind, _, _, _, failures, *_ in audited["local"].measurements.values()}
    assert seen == {(kind, fails) for kind in kinds for fails in (True, False)}
    tests = [node for node in manifest(audited)["nodes"].values() if node["resource_type"] == "test"]
    usual = {
        "where": None,
        "limit": None,
        "fail_calc": "count(*)",
        "warn_if": "!= 0",
        "error_if": "!= 0",
        "severity": "ERROR",
    }
    set_here = {
        (test["test_metadata"]["name"], option)
        for test in tests
        for option, value in usual.items()
        if test["config"][option] != value
    }
    assert set_here == {(kind, option) for kind in kinds for option in usual}


def test_no_kind_of_constraint_and_no_type_is_left_out(audited: dict[str, Audited]) -> None:
    ports = [node for node in manifest(audited)["nodes"].values() if node["resource_type"] == "model"]
    columns = [column for port in ports for column in port["columns"].values()]
    constraints = [constraint for item in ports + columns for constraint in item["constraints"]]
    assert {constraint["type"] for constraint in constraints} == {str(kind.value) for kind in ConstraintType}
    named = re.search(
        r"Types\*\* that every engine knows: (.*)\.$", (REPOSITORY / "docs/analyst.md").read_text(), re.MULTILINE
    )
    assert named
    assert {column["data_type"].partition("(")[0] for column in columns} == {
        n.partition("(")[0] for n in named[1].split(", ")
    }
