"""The rules see every reader: models, and every other kind of resource in dbt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.mesh import Mesh
from tests.test_rules import COLUMNS, LINES, PORT, RULES_ONLY, findings, said

pytestmark = pytest.mark.thorough

CONSUMERS = "consumers: [{name: desk, purpose: Reports.}]"
SEMANTICS = """
    models:
      - name: days
        time_spine: {standard_granularity_column: date_day}
        columns: [{name: date_day, granularity: day}]
    semantic_models:
      - name: sold
        model: MODEL
        defaults: {agg_time_dimension: landed_at}
        entities: [{name: line, type: primary, expr: line_id}]
        dimensions: [{name: landed_at, type: time, type_params: {time_granularity: day}}]
        measures: [{name: lines_sold, agg: count, expr: line_id}]
"""
METRIC = """
    metrics:
      - {name: sales, label: Sales, description: Lines sold., type: simple, type_params: {measure: lines_sold}}
"""
SAVED_QUERY = """
    saved_queries:
      - name: sales_by_day
        query_params: {metrics: [sales], group_by: ["TimeDimension('line__landed_at', 'day')"]}
"""
FUNCTION = """
    functions:
      - name: newest
        description: The newest line.
        returns: {data_type: bigint}
"""
SNAPSHOT = """
    snapshots:
      - name: {name}
        relation: {relation}
        config: {{unique_key: line_id, strategy: check, check_cols: all}}
"""
READS_LINES = {
    "a semantic model": (
        "models/intermediate/sold.yml",
        "semantic_models:"
        + SEMANTICS.partition("semantic_models:")[2]
        .replace("MODEL", "ref('shop', 'lines')")
        .replace("name: sold", "name: desk_sold")
        .replace("lines_sold", "desk_lines_sold")
        .replace("name: line,", "name: desk_line,"),
    ),
    "a snapshot": ("snapshots/copied.yml", SNAPSHOT.format(name="copied", relation="ref('shop', 'lines')")),
    "an analysis": ("analyses/look.sql", "select * from {{ ref('shop', 'lines') }}"),
    "a function": ("functions/oldest.sql", "select min(line_id) from {{ ref('shop', 'lines') }}"),
}


# What shop has besides its port, and how desk would read it.
OF_SHOP = {
    "snapshot": ("ref('shop', 'history')", "a snapshot of shop"),
    "seed": ("ref('shop', 'rates')", "a seed of shop"),
    "source": ("source('raw', 'lines')", "a source of shop"),
    "internal model": ("ref('shop', 'int_shop__lines')", "a model of shop"),
    "function": ("function('shop', 'newest')", "a function of shop"),
}


@pytest.fixture(scope="module")
def shop_and_desk(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """The port shop.lines and what else shop has, and a domain desk that reads nothing.

    shop does not set restrict-access.
    """
    mesh = Mesh(tmp_path_factory.mktemp("readers"))
    mesh.set_up("shop", "desk", root=RULES_ONLY)
    mesh.write("domains/shop/dbt_project.yml", "{name: shop, version: 0.1.0, config-version: 2}")
    mesh.write(
        "domains/desk/dbt_project.yml", "{name: desk, version: 0.1.0, config-version: 2, analysis-paths: [analyses]}"
    )
    mesh.port("shop/lines", LINES, COLUMNS)
    mesh.write("domains/shop/models/intermediate/int_shop__lines.sql", "select * from {{ ref('lines') }}")
    mesh.write("domains/shop/models/intermediate/days.sql", "select cast('2026-01-01' as date) as date_day")
    mesh.write("domains/shop/models/intermediate/sold.yml", SEMANTICS.replace("MODEL", "ref('lines')") + METRIC)
    mesh.write("domains/shop/seeds/rates.csv", "currency,rate\nEUR,1\n")
    mesh.write("domains/shop/snapshots/history.yml", SNAPSHOT.format(name="history", relation="ref('lines')"))
    mesh.write("domains/shop/functions/newest.sql", "1 + 1")
    mesh.write("domains/shop/functions/_functions.yml", FUNCTION)
    mesh.write("domains/desk/models/intermediate/int_desk__one.sql", "select cast(1 as bigint) as line_id")
    assert mesh.dbt("deps").ok
    compiled = mesh.dbt("compile")
    assert compiled.ok, compiled.output
    return mesh


@contextmanager
def desk_has(mesh: Mesh, path: str, text: str) -> Iterator[None]:
    """A file of desk that exists during a test."""
    written = mesh.write(f"domains/desk/{path}", text)
    functions = (
        mesh.write("domains/desk/functions/_functions.yml", FUNCTION.replace("newest", "oldest"))
        if "functions" in path
        else written
    )
    port = mesh.folder / PORT
    before = port.read_text()
    yield
    port.write_text(before)
    written.unlink()
    functions.unlink(missing_ok=True)


@pytest.mark.parametrize("kind", READS_LINES)
@pytest.mark.ci_cases(2)
def test_whatever_reads_a_port_is_among_its_consumers(shop_and_desk: Mesh, kind: str) -> None:
    mesh, (path, text) = shop_and_desk, READS_LINES[kind]
    with desk_has(mesh, path, text):
        refused = mesh.dbt("compile")
        port = mesh.folder / PORT
        port.write_text(port.read_text().replace("version: 1.0.0", f"version: 1.0.0\n        {CONSUMERS}"))
        allowed = mesh.dbt("compile")
    assert refused.exit_code == 2, refused.output
    assert findings(refused) == [("PM104", f"domains/desk/{path}")]
    assert "desk reads shop.lines but is not one of its consumers." in said(refused)
    assert allowed.ok, allowed.output


@pytest.mark.parametrize("kind", OF_SHOP)
def test_a_domain_reads_only_ports_of_another(shop_and_desk: Mesh, kind: str) -> None:
    expression, what = OF_SHOP[kind]
    selected = f"select {{{{ {expression} }}}}()" if kind == "function" else f"select * from {{{{ {expression} }}}}"
    with desk_has(shop_and_desk, "models/intermediate/int_desk__more.sql", selected):
        refused = shop_and_desk.dbt("compile")
    assert findings(refused) == [("PM116", "domains/desk/models/intermediate/int_desk__more.sql")], refused.output
    assert f"desk.int_desk__more reads shop.{'raw.' if kind == 'source' else ''}" in said(refused)
    assert what in said(refused)
    assert "docs/rules/PM116.md" in said(refused)


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        ("models/saved.yml", SAVED_QUERY, "desk.sales_by_day reads shop.sales, a metric of shop, not a port."),
        (
            "models/more.yml",
            METRIC.replace("name: sales, label: Sales", "name: more_sales, label: More"),
            "desk.more_sales reads shop.sold, a semantic model of shop, not a port.",
        ),
        (
            "tests/assert_rates.sql",
            "select * from {{ ref('shop', 'rates') }}",
            "reads shop.rates, a seed of shop, not a port.",
        ),
        (
            "models/board.yml",
            "exposures: [{name: board, type: dashboard, owner: {email: a@b}, depends_on: [\"ref('shop', 'rates')\"]}]",
            "desk.board reads shop.rates, a seed of shop, not a port.",
        ),
    ],
)
def test_what_is_no_model_reads_only_ports_of_another(shop_and_desk: Mesh, path: str, text: str, what: str) -> None:
    with desk_has(shop_and_desk, path, text):
        refused = shop_and_desk.dbt("compile")
    assert findings(refused) == [("PM116", f"domains/desk/{path}")], refused.output
    assert what in said(refused)


def test_an_exposure_has_no_name_of_another_domains(shop_and_desk: Mesh) -> None:
    exposure = "exposures: [{name: board, type: dashboard, owner: {email: a@b}}]"
    board = shop_and_desk.write("domains/shop/models/board.yml", exposure)
    with desk_has(shop_and_desk, "models/board.yml", exposure):
        refused = shop_and_desk.dbt("compile")
    board.unlink()
    assert [code for code, _ in findings(refused)] == ["PM117"], refused.output
    assert "The exposure board has the same name as an exposure of" in said(refused)


def test_the_rules_see_unit_tests(shop_and_desk: Mesh) -> None:
    unit_test = """
    unit_tests:
      - name: one
        model: int_desk__one
        given: []
        expect: {rows: [{line_id: 1}]}
        config: {meta: {exemptions: PM106}}
    """
    with desk_has(shop_and_desk, "models/unit.yml", unit_test):
        refused = shop_and_desk.dbt("compile")
    assert findings(refused) == [("PM115", "domains/desk/models/unit.yml")], refused.output
    assert "desk.one: its exemptions are not a list." in said(refused)
