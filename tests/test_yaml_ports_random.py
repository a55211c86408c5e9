"""Random ports in YAML alone: their SQL passes sqlfluff, runs on DuckDB, and can be read by the other engines."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from sqlglot import exp, parse_one

from portmesh.errors import PortmeshError
from portmesh.scaffold.yaml_port_files import plan_files
from tests.mesh import Mesh
from tests.test_yaml_ports import FOLDER, LINES, LINTER, a_port, fill

pytestmark = pytest.mark.thorough

NUMBER, TEXT, BOOLEAN, DATE = "number", "text", "boolean", "date"
EXAMPLES = int(os.environ.get("PORTMESH_EXAMPLES") or 40)
TYPES = {NUMBER: "double", TEXT: "string", BOOLEAN: "boolean", DATE: "date"}
START = {"line_id": NUMBER, "shop_id": NUMBER, "product": TEXT, "amount": NUMBER, "pieces": NUMBER, "sold_on": DATE}
Columns = dict[str, str]
Draw = Callable[..., Any]


class DbtOn:
    """dbt's macros that the SQL calls, as an engine writes them."""

    def __init__(self, datediff: str, dateadd: str) -> None:
        self._datediff, self._dateadd = datediff, dateadd

    def type_string(self) -> str:
        return "varchar(99)"

    def type_timestamp(self) -> str:
        return "timestamp"

    def datediff(self, first: str, second: str, part: str) -> str:
        return self._datediff.format(first=first, second=second, part=part)

    def dateadd(self, part: str, number: str, of: str) -> str:
        return self._dateadd.format(part=part, number=number, of=of)

    def date_trunc(self, part: str, of: str) -> str:
        return f"date_trunc('{part}', {of})"


ENGINES = {
    "duckdb": DbtOn("date_diff('{part}', {first}, {second})", "date_add({of}, interval ({number}) {part})"),
    "spark": DbtOn("datediff({second}, {first})", "date_add({of}, {number})"),
    "athena": DbtOn("date_diff('{part}', {first}, {second})", "date_add('{part}', {number}, {of})"),
}


def column(draw: Draw, columns: Columns, kind: str) -> str | None:
    names = sorted(name for name, each in columns.items() if each == kind)
    return draw(st.sampled_from(names)) if names else None


def expression(draw: Draw, columns: Columns, kind: str, depth: int) -> str:
    """A random expression of a type that names only these columns."""
    literals = {NUMBER: ["1", "2.5", "100"], TEXT: ["'tea'", "'it''s'"], BOOLEAN: ["true"], DATE: ["'2026-01-02'"]}
    leaf = column(draw, columns, kind) or ("sold_on is null" if kind == BOOLEAN else None)
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return leaf or f"cast({draw(st.sampled_from(literals[kind]))} as {TYPES[kind]})"

    def of(other: str) -> str:
        return expression(draw, columns, other, depth - 1)

    shapes: dict[str, list[Callable[[], str]]] = {
        NUMBER: [
            lambda: f"{of(NUMBER)} + {of(NUMBER)}",
            lambda: f"({of(NUMBER)} - {of(NUMBER)}) / {of(NUMBER)}",
            lambda: f"-({of(NUMBER)} * 2)",
            lambda: f"round(abs({of(NUMBER)}), 2)",
            lambda: f"length({of(TEXT)})",
            lambda: f"year({of(DATE)}) * 100 + month({of(DATE)})",
            lambda: f"days_between({of(DATE)}, {of(DATE)})",
            lambda: f"greatest({of(NUMBER)}, {of(NUMBER)}, 0)",
            lambda: f"nullif({of(NUMBER)}, 1)",
        ],
        TEXT: [
            lambda: f"upper(trim({of(TEXT)}))",
            lambda: f"substring({of(TEXT)}, 1, 2)",
            lambda: f"{of(TEXT)} || '-' || {of(TEXT)}",
            lambda: f"replace({of(TEXT)}, 'e', 'o')",
        ],
        BOOLEAN: [
            lambda: f"{of(NUMBER)} + pieces > {of(NUMBER)}",
            lambda: f"{of(TEXT)} || product <> 'tea'",
            lambda: f"{of(BOOLEAN)} and {of(BOOLEAN)}",
            lambda: f"{of(BOOLEAN)} or not ({of(BOOLEAN)})",
            lambda: f"{of(TEXT)} is not null",
            lambda: f"product {draw(st.sampled_from(['in', 'not in']))} ('tea', 'milk', 'coffee with milk')",
            lambda: f"sold_on between {of(DATE)} and {of(DATE)}",
            lambda: f"product like '%e%' and {of(BOOLEAN)}",
        ],
        DATE: [
            lambda: f"add_days({of(DATE)}, {draw(st.integers(1, 40))})",
            lambda: f"date_trunc('{draw(st.sampled_from(['month', 'year', 'week']))}', {of(DATE)})",
            lambda: f"add_months({of(DATE)}, 1)",
        ],
    }
    choices: list[Callable[[], str]] = [
        lambda: f"case when {of(BOOLEAN)} then {of(kind)} else {of(kind)} end",
        lambda: f"case when {of(BOOLEAN)} then {of(kind)} when {of(BOOLEAN)} then {of(kind)} end",
        lambda: f"coalesce({of(kind)}, {of(kind)})",
    ]
    return draw(st.sampled_from([*shapes[kind], *shapes[kind], *choices]))()


def aggregate(kind: str, name: str, draw: Draw) -> tuple[str, str]:
    if kind == NUMBER:
        function = draw(st.sampled_from(["sum", "avg", "min", "max", "count"]))
        return f"{function}({name})", NUMBER
    if kind == BOOLEAN:
        return f"{draw(st.sampled_from(['any_true', 'all_true']))}({name})", BOOLEAN
    return f"max({name})", kind


@st.composite
def ports(draw: Draw) -> tuple[dict[str, Any], Columns]:
    """A random block, and the columns that it has in the end."""
    columns: Columns = dict(START)
    steps: list[dict[str, Any]] = []
    inputs, prepare = {"lines": "stg_raw__lines"}, {}
    for number in range(draw(st.integers(0, 5))):
        kind = draw(
            st.sampled_from(["keep", "add", "window", "group", "latest", "earliest", "join", "totals", "stack"])
        )
        is_whole = set(START) <= set(columns)
        named = draw(st.sampled_from([{}, {"name": f"step_{number}"}, {"why": "Because of this. " * 9}]))
        if kind == "keep" and is_whole:
            steps.append({"keep": [expression(draw, columns, BOOLEAN, 3)]} | named)
        elif kind == "add" and is_whole:
            made = {f"made_{number}_{n}": draw(st.sampled_from(list(TYPES))) for n in range(draw(st.integers(1, 3)))}
            steps.append({"add": {name: expression(draw, columns, of, 3) for name, of in made.items()}} | named)
            columns |= made
        elif kind == "window":
            per = draw(st.lists(st.sampled_from(sorted(columns)), max_size=2, unique=True))
            by = [
                f"{name}{draw(st.sampled_from(['', ' desc']))}"
                for name in draw(st.lists(st.sampled_from(sorted(columns)), min_size=1, max_size=3, unique=True))
            ]
            of = draw(st.sampled_from(sorted(columns)))
            call = draw(st.sampled_from(["row_number()", "rank()", f"previous({of})", f"count({of})"]))
            steps.append({"window": {f"seen_{number}": call}, "per": per, "by": by} | named)
            columns[f"seen_{number}"] = columns[of] if "previous" in call else NUMBER
        elif kind == "group":
            group = draw(st.lists(st.sampled_from(sorted(columns)), max_size=3, unique=True))
            found = {f"{name}_{number}": aggregate(of, name, draw) for name, of in columns.items() if name not in group}
            if not found:
                continue
            steps.append({"group": group, "add": {name: call for name, (call, _) in found.items()}} | named)
            columns = {name: columns[name] for name in group} | {name: of for name, (_, of) in found.items()}
        elif kind in ("latest", "earliest"):
            key, by = (draw(st.lists(st.sampled_from(sorted(columns)), min_size=1, max_size=2)) for _ in range(2))
            steps.append({kind: key, "by": by})
        elif kind == "join" and "shop_id" in columns and "region" not in columns:
            inputs["shops"] = "stg_raw__shops"
            steps.append({"join": "shops", "key": "shop_id", "how": draw(st.sampled_from(["left", "inner"]))} | named)
            columns["region"] = TEXT
        elif kind == "totals" and "product" in columns and "product_total" not in columns:
            prepare["totals"] = {
                "from": "lines",
                "steps": [{"group": "product", "add": {"product_total": "sum(amount)"}}],
            }
            steps.append({"join": "totals", "key": "product", "how": "left"} | named)
            columns["product_total"] = NUMBER
        elif kind == "stack" and set(columns) <= set(START) and "more" not in prepare:
            prepare["more"] = {"from": "lines", "steps": [{"keep": "pieces > 1"}]}
            steps.append({"stack": "more"} | named)
    kept = sorted(columns)
    block = {"inputs": inputs, "prepare": prepare, "steps": steps, "grain": kept[:1]}
    return block, {name: columns[name] for name in kept}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    found = Mesh(tmp_path_factory.mktemp("random"))
    fill(found, "shop")
    return found


@pytest.fixture(scope="module")
def data(mesh: Mesh) -> Iterator[duckdb.DuckDBPyConnection]:
    """The two staging models as tables."""
    connection = duckdb.connect()
    connection.execute(f"create table raw_lines as {LINES}")
    for name in ("lines", "shops"):
        text = (mesh.folder / f"domains/shop/models/staging/stg_raw__{name}.sql").read_text()
        connection.execute(f"create table stg_raw__{name} as {rendered(text)}")
    yield connection
    connection.close()


def rendered(text: str, engine: str = "duckdb") -> str:
    return Environment().from_string(text).render(
        dbt=ENGINES[engine], ref=lambda *names: names[-1], source=lambda schema, table: f"{schema}_{table}"
    )  # fmt: skip


def sql_of(mesh: Mesh, block: dict[str, Any], columns: Columns) -> str:
    port = a_port(block, {name: TYPES[kind] for name, kind in columns.items()}, "sales")
    mesh.write(f"{FOLDER}/sales.yml", yaml.safe_dump({"models": [port]}, sort_keys=False))
    try:
        return plan_files(mesh.folder)[0].wanted
    except PortmeshError as error:
        assume("does not fit into a line" not in error.message)
        raise


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
@given(port=ports())
@pytest.mark.nightly
def test_a_random_port_is_sql_in_the_house_style_that_runs(
    mesh: Mesh, data: duckdb.DuckDBPyConnection, port: tuple[dict[str, Any], Columns]
) -> None:
    block, columns = port
    text = sql_of(mesh, block, columns)
    linted = LINTER.lint_string(text)
    assert [f"{each.line_no}: {each}" for each in linted.get_violations()] == [], text
    query = rendered(text)
    found = data.sql(query)
    assert found.columns == list(columns)
    for dialect in ("spark", "athena"):
        assert parse_one(rendered(text, dialect), dialect=dialect).find(exp.CTE)
