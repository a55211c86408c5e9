"""Ports with unusual names and sizes are published, or refused with a reason, in the same way on every engine."""

from __future__ import annotations

import json

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, EXEMPT, LINES, good

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

RESERVED = ("order", "group", "table", "user", "date")


def test_reserved_words_as_names_of_ports_and_columns(mesh: Mesh) -> None:
    mesh.set_up("shop")
    aliases = "".join(f"cast({i} as bigint) as {{{{ adapter.quote('{word}') }}}},\n" for i, word in enumerate(RESERVED))
    columns = "".join(
        f"- {{name: {word}, quote: true, data_type: bigint, description: A word., data_tests: [not_null]}}\n"
        for word in RESERVED
    )
    for word in RESERVED:
        sql = f"select {aliases} landed_at from {{{{ source('raw', 'lines') }}}}"
        landed_at = "- {name: landed_at, data_type: timestamp, description: When it landed.}\n"
        mesh.port(f"shop/{word}", sql, columns + landed_at, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok

    for _ in range(2):
        built = mesh.dbt("build")
        assert built.ok, built.output

    for word in RESERVED:
        assert mesh.rows(f'select count(*), max("order"), max("date") from shop."{word}"') == [(100, 0, 4)]


def test_a_name_that_not_every_engine_keeps_is_refused(mesh: Mesh) -> None:
    mesh.set_up("shop")
    mesh.port("shop/Lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok

    message = mesh.dbt("build").messages["Lines"]

    assert "shop.Lines was not written: its name is not valid on every engine." in message
    assert "lower-case letters, digits and _" in message
    assert not mesh.has("shop.Lines")
    assert not mesh.has("shop.lines")


def test_columns_in_mixed_case_are_published_and_read_in_any(mesh: Mesh) -> None:
    mesh.set_up("shop")
    columns = COLUMNS.replace("name: amount", "name: NetAmount")
    mesh.port("shop/lines", LINES.replace("as amount", "as NetAmount"), columns, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok

    for _ in range(2):
        built = mesh.dbt("build")
        assert built.ok, built.output

    assert mesh.rows("select count(NetAmount), count(netamount) from shop.lines") == [(100, 100)]


def wide_port(mesh: Mesh, data_type: str, columns: dict[str, tuple[str, str]], rows: int) -> None:
    """The port shop.lines with this many rows and more columns: {name: (its value in SQL, its checks in YAML)}."""
    mesh.set_up("shop")
    declared = COLUMNS + "".join(
        f"- {{name: {name}, data_type: {data_type}, description: One of many., data_tests: [{checks}]}}\n"
        for name, (_, checks) in columns.items()
    )
    values = ",\n".join(f"{value} as {name}" for name, (value, _) in columns.items())
    mesh.port("shop/lines", LINES.replace("as landed_at", f"as landed_at,\n{values}"), declared, meta=EXEMPT)
    mesh.land("lines", good(rows))
    assert mesh.dbt("deps").ok


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.ci_cases(1)
def test_two_hundred_columns_of_no_row_or_one(mesh: Mesh, rows: int) -> None:
    checks = ["not_null"] * 6 + [""] * 190
    columns = {f"measure_{i}": (f"cast({i} as double)", its_checks) for i, its_checks in enumerate(checks)}
    wide_port(mesh, "double", columns, rows)

    for _ in range(2):
        built = mesh.dbt("run")
        assert built.ok, built.output
        assert built.messages["lines"] == f"published {rows} rows, 10 checks"

    assert mesh.rows("select count(*), sum(measure_195) from shop.lines") == [(rows, 195.0 if rows else None)]


@pytest.mark.nightly
def test_more_checks_than_one_statement_can_record(mesh: Mesh) -> None:
    checks = "not_null, {accepted_range: {min_value: 0}}"
    columns = {f"measure_of_a_long_name_{i:03}": (f"cast({i} as double)", checks) for i in range(296)}
    wide_port(mesh, "double", columns, 2)

    built = mesh.dbt("run")

    assert built.ok, built.output
    assert built.messages["lines"] == "published 2 rows, 596 checks"
    assert mesh.rows("select count(*), count(distinct check_id), sum(failures) from portmesh.measurements__shop") == [
        (596, 596, 0)
    ]


@pytest.mark.nightly
def test_longer_checks_than_one_statement_takes(mesh: Mesh) -> None:
    """Athena accepts statements of up to 262,144 bytes."""
    values = [f"a value of some length {i:04}" for i in range(1500)]
    checks = f"{{accepted_values: {{values: [{', '.join(values)}]}}}}"
    columns = {f"text_{i}": (f"cast('{values[i]}' as {{{{ dbt.type_string() }}}})", checks) for i in range(8)}
    wide_port(mesh, "string", columns, 2)

    built = mesh.dbt("run")
    assert built.ok, built.output
    assert built.messages["lines"] == "published 2 rows, 12 checks"

    path = "domains/shop/models/output_ports/lines.sql"
    mesh.write(path, (mesh.folder / path).read_text().replace("length 0003'", "length 9999'"))
    refused = mesh.dbt("run").messages["lines"]
    assert "accepted_values" in refused
    assert "text_3" in refused


PARTS = """
{% macro parts(bytes, at_most) %}
  {% set texts = [] %}
  {% for length in bytes %}{% do texts.append('x' * (length - 1) ~ loop.index) %}{% endfor %}
  {% set found = [] %}
  {% for part in portmesh.parts_of_statement(texts, texts, at_most) %}
    {% do found.append([part | map('last') | list, part | join(',\n') | length]) %}
  {% endfor %}
  {% do print('parts ' ~ tojson(found)) %}
{% endmacro %}
"""


@pytest.mark.engines("local")
def test_no_part_of_a_statement_is_too_long(mesh: Mesh) -> None:
    mesh.set_up("shop", root={"macro-paths": ["macros", "probe"]})
    mesh.write("probe/parts.sql", PARTS)
    assert mesh.dbt("deps").ok

    def parts(*lengths: int, at_most: int | None = None) -> list[list[str]]:
        arguments = json.dumps({"bytes": lengths, "at_most": at_most})
        printed = mesh.dbt("run-operation", "parts", "--args", arguments).output
        (line,) = [line for line in printed.splitlines() if line.startswith("parts ")]
        found = json.loads(line.removeprefix("parts "))
        assert all(length < 262_144 for _, length in found)
        return [items for items, _ in found]

    assert parts(199_000, 100_000, 99_000, 2_000) == [["1"], ["2", "3"], ["4"]]
    assert parts(2, 2, 2, 2, 2, at_most=2) == [["1", "2"], ["3", "4"], ["5"]]
    assert parts(250_000, 2) == [["1"], ["2"]]
    assert parts() == []


@pytest.mark.parametrize(
    ("partition_by", "allowed"),
    [
        ("weekday(landed_at)", "bucket(n, c), truncate(n, c)"),
        ("day(sold_at)", "a column of the contract: line_id, channel, amount, landed_at"),
        ("bucket(200, line_id)", "at most 100 in total"),
    ],
)
def test_partitions_that_not_every_engine_can_write_are_refused(mesh: Mesh, partition_by: str, allowed: str) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", f"{{{{ config(partition_by='{partition_by}') }}}}" + LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok

    message = mesh.dbt("build").messages["lines"]

    assert "shop.lines was not written: its partition_by does not work on every engine." in message
    assert allowed in message
