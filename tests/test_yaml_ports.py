"""Ports in YAML alone: the SQL that is written, what it returns, what is refused, and the way back to SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal as D  # noqa: N817
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp, parse_one

from portmesh.cli import main
from portmesh.errors import PortmeshError
from portmesh.scaffold.yaml_port_files import assert_up_to_date, eject, plan_ejection, plan_files, write_files
from tests.engine import ENGINES
from tests.mesh import REPOSITORY, Mesh

pytestmark = pytest.mark.thorough

LINTER = Linter(FluffConfig.from_path(str(REPOSITORY / ".sqlfluff")))
FOLDER = "domains/shop/models/output_ports"
STAGING = """
select
    cast(line_id as bigint) as line_id,
    cast(shop_id as bigint) as shop_id,
    cast(product as {{ dbt.type_string() }}) as product,
    cast(amount as decimal(10, 2)) as amount,
    cast(pieces as int) as pieces,
    cast(sold_on as date) as sold_on,
    cast(landed_at as {{ dbt.type_timestamp() }}) as landed_at
from {{ source('raw', 'lines') }}
"""
LINES = """
select * from (values
    (1, 10, 'tea', 1.50, 2, '2026-01-01', '2026-01-03 06:00:00'),
    (2, 10, 'milk', 0.75, 0, '2026-01-02', '2026-01-03 06:00:00'),
    (3, 10, null, 2.25, 1, '2026-01-05', '2026-01-06 06:00:00'),
    (4, 20, 'tea', 8.00, 4, '2026-01-02', '2026-01-03 06:00:00')
) as line(line_id, shop_id, product, amount, pieces, sold_on, landed_at)
"""
SHOPS = "select cast(10 as bigint) as shop_id, cast('North' as {{ dbt.type_string() }}) as region"
COLUMNS = {"line_id": "bigint", "amount": "decimal(10,2)", "landed_at": "timestamp"}


def day(number: int, month: int = 1) -> date:
    return date(2026, month, number)


def lint_findings(files: list[Path]) -> list[str]:
    """What sqlfluff says about SQL files, with the repository's configuration."""
    found = [LINTER.lint_string_wrapped(file.read_text(), fname=str(file)).get_violations() for file in files]
    return [f"{file.name}: {one}" for file, listed in zip(files, found, strict=True) for one in listed]


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    return a_mesh(tmp_path)


def a_mesh(folder: Path) -> Mesh:
    found = Mesh(folder)
    fill(found, "shop")
    assert found.dbt("deps").ok
    return found


def fill(mesh: Mesh, *domains: str) -> None:
    """Staging models of a domain: lines, and shops with a checked key. Shop 20 has no row in shops."""
    mesh.set_up(*domains)
    mesh.write("domains/shop/models/staging/stg_raw__lines.sql", STAGING)
    mesh.write("domains/shop/models/staging/stg_raw__shops.sql", SHOPS)
    checked = "models: [{name: stg_raw__shops, columns: [{name: shop_id, data_tests: [unique, not_null]}]}]"
    mesh.write("domains/shop/models/staging/_shop__models.yml", checked)


def yaml_port(mesh: Mesh, block: object, types: dict[str, str] | None = None, name: str = "sales", **more: Any) -> Path:
    """Write the YAML of a port; `more` replaces keys of it."""
    port = a_port(block, types or COLUMNS, name) | more
    return mesh.write(f"{FOLDER}/{name}.yml", yaml.safe_dump({"models": [port]}, sort_keys=False))


def a_port(block: object, types: dict[str, str], name: str) -> dict[str, Any]:
    """A port whose model is `block`, with a unique check of its grain and one of each dimension."""
    grain = block.get("grain", "line_id") if isinstance(block, dict) else "line_id"
    keys = [grain] if isinstance(grain, str) else list(grain)
    of_all = {
        "expression_is_true": {"arguments": {"expression": "landed_at is not null"}, "name": f"{name}_has_landed"}
    }
    unique = {"unique_combination": {"arguments": {"columns": keys}}}
    freshness = {"column": "landed_at", "warn_after": {"count": 24, "period": "hour"}}
    return {
        "name": name,
        "description": "One row per line.",
        "config": {"meta": {"version": "1.0.0", "classification": "internal", "freshness": freshness, "model": block}},
        "data_tests": [of_all] if len(keys) == 1 else [of_all, unique],
        "columns": [
            {"name": column, "data_type": kind, "description": "A column."}
            | ({"data_tests": ["unique"] * (keys == [column]) + ["not_null"]} if column in (*keys, "landed_at") else {})
            for column, kind in types.items()
        ],
    }


def refused(mesh: Mesh) -> PortmeshError:
    with pytest.raises(PortmeshError) as found:
        plan_files(mesh.folder)
    return found.value


class Case(NamedTuple):
    """A port, and its rows without landed_at. Columns are those of the contract beside landed_at."""

    block: dict[str, Any]
    columns: dict[str, str]
    rows: list[tuple[Any, ...]]


def lines(*steps: dict[str, Any], grain: str | list[str] = "line_id", **more: Any) -> dict[str, Any]:
    """A block that starts from the lines."""
    return {"inputs": {"lines": "stg_raw__lines"}, "steps": list(steps), "grain": grain, **more}


LANDED = {"landed_at": "max(landed_at)"}
ID = {"line_id": "bigint"}
CASES = {
    "taken": Case(
        lines(), ID | {"amount": "decimal(10,2)"}, [(1, D("1.50")), (2, D("0.75")), (3, D("2.25")), (4, D(8))]
    ),
    "kept": Case(lines({"keep": ["amount > 1", "product is not null"]}), ID, [(1,), (4,)]),
    "kept_by_date": Case(lines({"keep": "sold_on between '2026-01-02' and '2026-01-04'"}), ID, [(2,), (4,)]),
    "made_wider": Case(
        lines(columns={"amount": "amount"}),
        ID | {"amount": "decimal(18,4)"},
        [(1, D("1.5")), (2, D("0.75")), (3, D("2.25")), (4, D(8))],
    ),
    "computed": Case(
        lines(
            columns={
                "total_value": "amount * pieces",
                "per_piece": "amount / pieces",
                "named_lines": "coalesce(upper(product), '-')",
            }
        ),
        ID | {"total_value": "decimal(12,2)", "per_piece": "double", "named_lines": "string"},
        [(1, D(3), 0.75, "TEA"), (2, D(0), None, "MILK"), (3, D("2.25"), 2.25, "-"), (4, D(32), 2.0, "TEA")],
    ),
    "chosen": Case(
        lines(
            columns={
                "amount_band": "case when amount > 5 then 'big' when amount > 1 then 'mid' else 'small' end",
                "is_tea": "case when product = 'tea' then true else false end",
                "most": "greatest(pieces, 1, null)",
                "line_label": "product || '-' || line_id",
            }
        ),
        ID | {"amount_band": "string", "is_tea": "boolean", "most": "int", "line_label": "string"},
        [
            (1, "mid", True, 2, "tea-1"),
            (2, "small", False, 1, "milk-2"),
            (3, "mid", False, 1, None),
            (4, "big", True, 4, "tea-4"),
        ],
    ),
    "dated": Case(
        lines(
            columns={
                "sold_month": "date_trunc('month', sold_on)",
                "due_date": "add_days(sold_on, pieces)",
                "next_month": "add_months(sold_on, 1)",
                "wait_days": "days_between(sold_on, landed_at)",
                "sold_year": "year(sold_on)",
                "landed_hour": "hour(landed_at)",
            }
        ),
        ID
        | {
            "sold_month": "date",
            "due_date": "date",
            "next_month": "date",
            "wait_days": "int",
            "sold_year": "int",
            "landed_hour": "int",
        },
        [
            (n, day(1), day(due), day(sold, 2), wait, 2026, 6)
            for n, sold, due, wait in ((1, 1, 3, 2), (2, 2, 2, 1), (3, 5, 6, 1), (4, 2, 6, 1))
        ],
    ),
    "grouped": Case(
        lines(
            {
                "group": "shop_id",
                "add": {
                    "total_value": "sum(amount)",
                    "line_count": "count()",
                    "named_lines": "count(product)",
                    "product_count": "count(distinct product)",
                    "tea": "count_if(product = 'tea')",
                    "mean_pieces": "avg(pieces)",
                    "has_milk": "any_true(product = 'milk')",
                    "is_sold": "all_true(pieces > 0)",
                    **LANDED,
                },
            },
            {"keep": "line_count > 0"},
            grain="shop_id",
        ),
        {
            "shop_id": "bigint",
            "total_value": "decimal(12,2)",
            "line_count": "int",
            "named_lines": "int",
            "product_count": "int",
            "tea": "int",
            "mean_pieces": "double",
            "has_milk": "boolean",
            "is_sold": "boolean",
        },
        [(10, D("4.50"), 3, 2, 2, 1, 1.0, True, False), (20, D(8), 1, 1, 1, 1, 4.0, False, True)],
    ),
    "windowed": Case(
        lines(
            {
                "window": {
                    "place": "row_number()",
                    "so_far": "sum(amount)",
                    "amount_before": "previous(amount)",
                    "line_after": "next(line_id)",
                },
                "per": "shop_id",
                "by": "sold_on",
            },
            {"window": {"of_shop": "sum(amount)"}, "per": "shop_id"},
            {"window": {"standing": "rank()", "dense_standing": "dense_rank()"}, "by": ["product", "shop_id desc"]},
        ),
        ID
        | {
            "place": "int",
            "so_far": "decimal(12,2)",
            "amount_before": "decimal(10,2)",
            "line_after": "bigint",
            "of_shop": "decimal(12,2)",
            "standing": "int",
            "dense_standing": "int",
        },
        [
            (1, 1, D("1.5"), None, 2, D("4.5"), 3, 3),
            (2, 2, D("2.25"), D("1.5"), 3, D("4.5"), 1, 1),
            (3, 3, D("4.5"), D("0.75"), None, D("4.5"), 4, 4),
            (4, 1, D(8), None, None, D(8), 2, 2),
        ],
    ),
    "newest": Case(
        lines({"latest": "shop_id", "by": "sold_on"}, grain="shop_id"),
        {"shop_id": "bigint", "line_id": "bigint"},
        [(10, 3), (20, 4)],
    ),
    "oldest": Case(
        lines({"keep": "pieces > 0"}, {"earliest": ["shop_id"], "by": ["sold_on", "line_id"]}, grain="shop_id"),
        {"shop_id": "bigint", "line_id": "bigint"},
        [(10, 1), (20, 4)],
    ),
    "joined": Case(
        lines({"join": "shops", "key": "shop_id"}, inputs={"lines": "stg_raw__lines", "shops": "stg_raw__shops"}),
        ID | {"shop_id": "bigint", "region": "string"},
        [(1, 10, "North"), (2, 10, "North"), (3, 10, "North"), (4, 20, None)],
    ),
    "matched": Case(
        lines(
            {"join": "shops", "key": {"shop_id": "shop_id"}, "how": "inner", "when": "sold_on <= '2026-01-02'"},
            inputs={"lines": "stg_raw__lines", "shops": "stg_raw__shops"},
        ),
        ID,
        [(1,), (2,)],
    ),
    "shared": Case(
        lines(
            {"join": "totals", "key": "shop_id"},
            {"join": "all_lines"},
            prepare={
                "totals": {"from": "lines", "steps": [{"group": "shop_id", "add": {"shop_value": "sum(amount)"}}]},
                "all_lines": {"from": "lines", "steps": [{"group": [], "add": {"all_value": "sum(amount)"}}]},
            },
            columns={"line_share": "amount / shop_value", "shop_share": "shop_value / all_value"},
        ),
        ID | {"line_share": "double", "shop_share": "double"},
        [(1, 1.5 / 4.5, 4.5 / 12.5), (2, 0.75 / 4.5, 4.5 / 12.5), (3, 2.25 / 4.5, 4.5 / 12.5), (4, 1.0, 8 / 12.5)],
    ),
    "stacked": Case(
        {
            "inputs": {"lines": "stg_raw__lines"},
            "prepare": {
                "sold": {"from": "lines", "steps": [{"keep": "pieces > 0"}, {"add": {"kind": "'sold'"}}]},
                "given": {"from": "lines", "steps": [{"keep": "pieces = 0"}, {"add": {"kind": "'given'"}}]},
            },
            "from": "sold",
            "steps": [{"stack": "given", "why": "Both count."}],
            "grain": ["line_id"],
        },
        ID | {"kind": "string"},
        [(1, "sold"), (2, "given"), (3, "sold"), (4, "sold")],
    ),
    "repeated": Case(
        {
            "inputs": {"shops": "stg_raw__shops", "lines": "stg_raw__lines"},
            "steps": [
                {"join": "lines", "key": "shop_id", "how": "inner", "matches": "many"},
                {"add": {"line_label": "region || '/' || line_id"}, "name": "lines_labelled"},
            ],
            "grain": "line_id",
        },
        ID | {"line_label": "string"},
        [(1, "North/1"), (2, "North/2"), (3, "North/3")],
    ),
    "rounded": Case(
        lines(
            columns={
                "whole": "round(amount)",
                "down": "floor(amount)",
                "year_text": "substring('x' || sold_on, 2, 4)",
                "cleaned": "trim(replace(product, 'e', ' '))",
                "is_other": "product not in ('tea', 'milk')",
                "negative": "-(amount - 1) * 2",
                "odd": "nullif(pieces, 2)",
            }
        ),
        ID
        | {
            "whole": "int",
            "down": "int",
            "year_text": "string",
            "cleaned": "string",
            "is_other": "boolean",
            "negative": "decimal(12,2)",
            "odd": "int",
        },
        [
            (1, 2, 1, "2026", "t a", False, D(-1), None),
            (2, 1, 0, "2026", "milk", False, D("0.5"), 0),
            (3, 2, 2, "2026", None, None, D("-2.5"), 1),
            (4, 8, 8, "2026", "t a", False, D(-14), 4),
        ],
    ),
}


@pytest.fixture(scope="module")
def built(new_mesh: Callable[[Path], Mesh], tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """A mesh with the ports of all cases, written by the kit and built by dbt."""
    mesh = new_mesh(tmp_path_factory.mktemp("yaml_ports"))
    fill(mesh, "shop")
    assert mesh.dbt("deps").ok
    for name, case in CASES.items():
        yaml_port(mesh, case.block, case.columns | {"landed_at": "timestamp"}, name)
    assert len(write_files(plan_files(mesh.folder))) == len(CASES)
    mesh.land("lines", LINES)
    outcome = mesh.dbt("build")
    assert outcome.ok, outcome.output
    return mesh


@pytest.mark.engines(*ENGINES)
@pytest.mark.parametrize("name", CASES)
def test_the_port_has_the_rows_that_its_yaml_says(built: Mesh, name: str) -> None:
    columns = ", ".join(CASES[name].columns)
    assert built.rows(f"select {columns} from shop.{name} order by 1") == CASES[name].rows


def test_the_sql_passes_sqlfluff(built: Mesh) -> None:
    files = sorted((built.folder / FOLDER).glob("*.sql"))
    assert len(files) == len(CASES)
    assert lint_findings(files) == []


def test_sql_in_another_style_is_found(tmp_path: Path) -> None:
    file = tmp_path / "bad.sql"
    file.write_text("SELECT a from b\n")
    assert lint_findings([file]) == ["bad.sql: Keywords must be lower case."]


@pytest.mark.parametrize("dialect", ["duckdb", "spark", "athena"])
@pytest.mark.parametrize("name", CASES)
def test_the_sql_can_be_read_on_every_engine(name: str, dialect: str, built: Mesh) -> None:
    text = (built.folder / f"target/compiled/shop/models/output_ports/{name}.sql").read_text()
    assert parse_one(text, dialect=dialect).find(exp.CTE)


def made(expression: object) -> dict[str, Any]:
    """A block that computes one column of the contract."""
    return lines(columns={"amount": expression})


BOTH = {"lines": "stg_raw__lines", "shops": "stg_raw__shops"}
TOTALS = {"totals": {"from": "lines", "steps": [{"group": "shop_id", "add": {"shop_value": "sum(amount)"}}]}}
REFUSED: list[tuple[object, str, str]] = [
    # What stands in the block
    ("text", "The block is not well-formed: Input should be a valid dictionary", ""),
    ({"grain": "line_id"}, "inputs is missing.", ""),
    (lines(filter="amount > 1"), "There is no key 'filter'.", ""),
    (lines(colums={"amount": "1"}), "There is no key 'colums'. Did you mean columns?", ""),
    (lines({"keeps": "amount > 1"}), "This is not a step. Did you mean keep?", "steps[0]"),
    (lines("amount > 1"), "This is not a step.", "steps[0]"),  # type: ignore[arg-type]
    (lines({"keep": "amount > 1", "wy": "Because."}), "There is no key 'wy'. Did you mean why?", "steps[0]"),
    (lines({"group": "shop_id", "ad": {"x": "count()"}}), "There is no key 'ad'. Did you mean add?", "steps[0]"),
    (lines({"join": "shops", "how": "outer"}), "There is no how 'outer'.", "steps[0].how"),
    (lines({"join": "shops", True: "shop_id"}), "A key is not a text: YAML reads on, off, yes", "steps[0]"),
    (lines({"latest": "shop_id"}), "by is missing.", "steps[0]"),
    (lines({"add": {"Is Tea": "1"}}), "'Is Tea' is not a name.", "steps[0].add.Is Tea"),
    (lines({"add": {"x": ["a"]}}), "x is not well-formed: Input should be a valid string.", "steps[0].add.x"),
    (lines(prepare={"x": {"steps": []}}), "from is missing.", "prepare.x"),
    (lines(prepare={"x": {"from": "lines", "stesp": []}}), "steps is missing.", "prepare.x"),
    # Inputs
    (
        lines(inputs={"lines": "stg_raw__line"}),
        "There is no port or model 'stg_raw__line'. Did you mean stg_raw__lines?",
        "inputs.lines",
    ),
    (lines(inputs={"lines": "raw.lines"}), "There is no port or model 'raw.lines'.", "inputs.lines"),
    (
        lines(inputs={"lines": "desk.stg_desk__notes"}),
        "desk.stg_desk__notes is not a port, so only desk may read it.",
        "inputs.lines",
    ),
    (lines(inputs={"lines": "sales"}), "A port cannot read itself.", "inputs.lines"),
    (lines(inputs={"select": "stg_raw__lines"}), "select is a reserved word of SQL.", "inputs.select"),
    (lines(inputs=BOTH), "Nothing reads shops.", "inputs.shops"),
    (lines(prepare=TOTALS), "Nothing reads totals.", "prepare.totals"),
    (
        lines(prepare={"lines": {"from": "lines", "steps": [{"keep": "amount > 1"}]}}),
        "lines cannot be the name of another table.",
        "prepare.lines",
    ),
    (
        lines(prepare={"x": {"from": "line", "steps": [{"keep": "amount > 1"}]}}),
        "There is no table 'line'. Did you mean lines?",
        "prepare.x.from",
    ),
    (lines(**{"from": "liens"}), "There is no table 'liens'. Did you mean lines?", "from"),
    # Names
    (made("amont"), "There is no column 'amont'. Did you mean amount?", "columns.amount"),
    (made("AMOUNTS"), "There is no column 'amounts'. Did you mean amount?", "columns.amount"),
    (made("line.amount"), "There is no table 'line'. Did you mean lines?", "columns.amount"),
    (
        lines(columns={"amuont": "1"}),
        "There is no column in the contract 'amuont'. Did you mean amount?",
        "columns.amuont",
    ),
    (lines({"add": {"user": "1"}}), "user is a reserved word of SQL.", "steps[0].add.user"),
    (
        lines({"add": {"double_amount": "amount * 2"}}),
        "Nothing uses the column double_amount.",
        "steps[0].add.double_amount",
    ),
    (lines({"keep": "amount > 1", "name": "lines"}), "There is another table lines.", "steps[0].name"),
    # Joins
    (lines({"join": "shops"}, inputs=BOTH), "It is not said by which key shops is joined.", "steps[0].key"),
    (lines({"join": "shop"}, inputs=BOTH), "There is no table 'shop'. Did you mean shops?", "steps[0].join"),
    (
        lines({"join": "shops", "key": "shop"}, inputs=BOTH),
        "There is no column 'shop'. Did you mean shop_id?",
        "steps[0].key",
    ),
    (
        lines({"join": "shops", "key": {"line_id": "shop"}}, inputs=BOTH),
        "There is no column 'shop'. Did you mean shop_id?",
        "steps[0].key",
    ),
    (
        lines({"join": "shops", "key": {"product": "shop_id"}}, inputs=BOTH),
        "These columns cannot be equal, because they are of different types.",
        "steps[0].key",
    ),
    (
        lines({"join": "shops", "key": {"shop_id": "region"}}, inputs=BOTH),
        "These columns cannot be equal, because they are of different types.",
        "steps[0].key",
    ),
    (lines({"join": "shops", "key": "shop_id"}, inputs=BOTH), "Nothing uses a column of shops.", "steps[0]"),
    (lines({"join": "lines", "key": "line_id"}), "lines is already part of this step.", "steps[0].join"),
    (
        {
            "inputs": {"shops": "stg_raw__shops", "lines": "stg_raw__lines"},
            "grain": "line_id",
            "steps": [{"join": "lines", "key": "shop_id"}],
        },
        "Several rows of lines may have the same shop_id, so the join would repeat rows.",
        "steps[0].key",
    ),
    (
        lines(
            {"join": "others", "key": "shop_id"},
            prepare={"others": {"from": "lines", "steps": [{"latest": "shop_id", "by": "sold_on"}]}},
        ),
        "Several tables have the column line_id.",
        "columns.line_id",
    ),
    (lines({"stack": "lines"}), "A table is stacked on itself.", "steps[0].stack"),
    (lines({"stack": "shops"}, inputs=BOTH), "There is no column 'line_id'.", "columns.line_id"),
    # Groups and windows
    (lines({"group": []}), "This group has no columns.", "steps[0]"),
    (
        lines({"group": "shop_id", "add": {"amount": "amount"}}),
        "amount has several values in a group.",
        "steps[0].add.amount",
    ),
    (
        lines({"group": "shop_id", "add": {"shop_id": "count()"}}),
        "shop_id is part of the key already.",
        "steps[0].add.shop_id",
    ),
    (
        lines({"group": "line_id", "add": {"amount": "sum(max(amount))"}}),
        "max stands inside another function over rows.",
        "steps[0].add.amount",
    ),
    (
        lines({"group": "line_id", "add": {"amount": "sum(amount)"}}),
        "There is no column 'landed_at'.",
        "columns.landed_at",
    ),
    (
        lines({"group": "line_id", "add": {"amount": "previous(amount)"}}),
        "previous looks at several rows: it may only stand in window.",
        "steps[0].add.amount",
    ),
    (lines({"group": "line_id", "add": {"amount": "sum()"}}), "This is not an expression.", "steps[0].add.amount"),
    (
        lines({"group": "line_id", "add": {"amount": "sum(product)"}}),
        "sum takes a number, not a text.",
        "steps[0].add.amount",
    ),
    (
        lines({"group": "line_id", "add": {"amount": "max(pieces > 1)"}}),
        "max does not work on true or false.",
        "steps[0].add.amount",
    ),
    (
        lines({"window": {"amount": "row_number()"}, "per": "shop_id"}),
        "row_number needs an order.",
        "steps[0].window.amount",
    ),
    (
        lines({"window": {"amount": "count(distinct product)"}}),
        "`distinct` takes one column, and only in group.",
        "steps[0].window.amount",
    ),
    (
        lines({"window": {"amount": "sum(amount)"}, "by": "sold_on dsc"}),
        "This is not an order. Did you mean desc?",
        "steps[0].by",
    ),
    (
        lines({"window": {"amount": "previous()"}, "by": "sold_on"}),
        "previous takes 1 values, not 0.",
        "steps[0].window.amount",
    ),
    (made("sum(amount)"), "sum looks at several rows: it may only stand in group or window.", "columns.amount"),
    (made("row_number()"), "row_number looks at several rows: it may only stand in window.", "columns.amount"),
    (made("sum(amount) over (partition by shop_id)"), "`over` is not part of the language.", "columns.amount"),
    # Expressions
    (made("amount +"), "This is not an expression.", "columns.amount"),
    (made("{{ amount }}"), "An expression cannot contain {{", "columns.amount"),
    (made("amount; drop table x"), "An expression cannot contain ;", "columns.amount"),
    (made("amount -- note"), "An expression cannot contain --", "columns.amount"),
    (made("'a\\b'"), "An expression cannot contain \\", "columns.amount"),
    (
        made("(select max(amount) from lines)"),
        "A query inside an expression is not part of the language.",
        "columns.amount",
    ),
    (made("lines.*"), "This is not part of the language of expressions.", "columns.amount"),
    (made("amount[1]"), "This is not part of the language of expressions.", "columns.amount"),
    (made("regexp_extract(product, 'x')"), "There is no function 'regexp_extract'.", "columns.amount"),
    (made("rond(amount)"), "There is no function 'rond'. Did you mean round?", "columns.amount"),
    (made("try_cast(product as int)"), "There is no function 'try_cast'.", "columns.amount"),
    (made("trim(both 'x' from product)"), "There is no function 'trim'.", "columns.amount"),
    (made("coalesce(amount)"), "coalesce needs at least two values.", "columns.amount"),
    (made("days_between(sold_on)"), "days_between takes 2 values, not 1.", "columns.amount"),
    (lines({"keep": "amount"}), "This is a number, not true or false.", "steps[0].keep[0]"),
    (lines({"keep": True}), "keep is not well-formed", "steps[0].keep"),
    (lines({"keep": "true"}), "This names no column, so it says the same of every row.", "steps[0].keep[0]"),
    (lines({"keep": "1 = 1"}), "This compares two values that are always the same.", "steps[0].keep[0]"),
    (lines({"keep": "product = null"}), "Nothing is equal to null.", "steps[0].keep[0]"),
    (made("'" + "x" * 150 + "'"), "A part of this expression does not fit into a line of SQL.", "columns.amount"),
    (lines({"keep": "amount > 1", "why": "See {{ doc('x') }}."}), "A comment cannot contain {{", "steps[0].why"),
    # Types
    (made("sold_on"), "A date cannot be cast to decimal(10,2).", "columns.amount"),
    (made("cast(amount as boolean)"), "A number cannot be cast to boolean.", "columns.amount"),
    (made("cast(amount as int)"), "Engines round a decimal(10,2) to int in different ways", "columns.amount"),
    (made("product = 'tea' and amount"), "`and` takes a true or false, not a number.", "columns.amount"),
    (made("sold_on + 1"), "`+` does not work on a date.", "columns.amount"),
    (made("product + 'x'"), "`+` takes numbers, not a text.", "columns.amount"),
    (made("product / 2"), "`/` takes a number, not a text.", "columns.amount"),
    (made("upper(amount)"), "upper takes a text, not a number.", "columns.amount"),
    (made("round(amount, 0.5)"), "round takes a whole number here.", "columns.amount"),
    (made("year(amount)"), "year takes a date, not a number.", "columns.amount"),
    (made("hour(sold_on)"), "A date has no hour.", "columns.amount"),
    (made("add_days(amount, 1)"), "add_days takes a date.", "columns.amount"),
    (made("date_trunc('moth', sold_on)"), "There is no period 'moth'. Did you mean month?", "columns.amount"),
    (made("substring(product, 0)"), "substring counts from 1: its start must be a number above 0.", "columns.amount"),
    (made("cast(product as varbinary)"), "There is no type", "columns.amount"),
    (made("cast(sold_on as int)"), "A date cannot be cast to int.", "columns.amount"),
    (made("product || landed_at"), "Engines write a timestamp as text in different ways.", "columns.amount"),
    (
        made("case when pieces > 1 then product else amount end"),
        "The results of this case are of different types.",
        "columns.amount",
    ),
    (made("coalesce(product, amount)"), "The values of coalesce are of different types.", "columns.amount"),
    (
        lines({"keep": "product > 1"}),
        "These cannot be compared, because they are of different types.",
        "steps[0].keep[0]",
    ),
    (lines({"keep": "sold_on > 'yesterday'"}), "'yesterday' is not a date.", "steps[0].keep[0]"),
    (lines({"keep": "product in (1, 2)"}), "These cannot be compared", "steps[0].keep[0]"),
    # Grain and increments
    (lines(grain="line"), "There is no column in the contract 'line'. Did you mean line_id?", "grain"),
    (lines(grain=[]), "grain is not well-formed", "grain"),
    (lines(new_batches_of="line"), "There is no input 'line'. Did you mean lines?", "new_batches_of"),
    (
        lines(new_batches_of="lines"),
        "The contract has no column _batch_id, by which batches are replaced.",
        "new_batches_of",
    ),
]


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """The mesh with a second domain that has a model and no port."""
    mesh = Mesh(tmp_path_factory.mktemp("refused"))
    fill(mesh, "shop", "desk")
    mesh.write("domains/desk/models/staging/stg_desk__notes.sql", "select 1 as line_id")
    return mesh


@pytest.mark.parametrize(
    ("block", "message", "key"), REFUSED, ids=[f"{n}-{m[:40]}" for n, (_, m, _) in enumerate(REFUSED)]
)
def test_what_the_language_cannot_say_is_refused(of_two: Mesh, block: object, message: str, key: str) -> None:
    yaml_port(of_two, block)
    error = refused(of_two)
    facts = dict(error.facts)
    assert error.message.startswith(message), str(error)
    assert facts["file"] == f"{FOLDER}/sales.yml"
    assert facts["key"] == ("config.meta.model." + key).rstrip(".")
    assert error.exit_code == 2
    assert not (of_two.folder / FOLDER / "sales.sql").exists()


CONTRACT_REFUSED: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"columns": []}, {}, "The port has no columns."),
    ({}, {"line_id": "bigint", "amount": "money", "landed_at": "timestamp"}, "There is no type 'money'."),
    ({}, {"line_id": "bigint", "Total Amount": "double"}, "The column Total Amount needs quotes"),
    ({}, {"line_id": "bigint", "order": "double"}, "order is a reserved word of SQL."),
    (
        {"data_tests": [], "columns": [{"name": "line_id", "data_type": "bigint"}]},
        {},
        "No check of the port says that the grain is unique.",
    ),
    (
        {
            "data_tests": [],
            "columns": [
                {
                    "name": "line_id",
                    "data_type": "bigint",
                    "data_tests": [{"unique": {"config": {"where": "amount > 1"}}}],
                }
            ],
        },
        {},
        "No check of the port says that the grain is unique.",
    ),
    ({"versions": [{"v": 1}]}, {}, "A port with versions has SQL for each, so it cannot be in YAML alone."),
]


@pytest.mark.parametrize(("more", "columns", "message"), CONTRACT_REFUSED)
def test_a_contract_that_the_language_cannot_meet_is_refused(
    of_two: Mesh, more: dict[str, Any], columns: dict[str, str], message: str
) -> None:
    yaml_port(of_two, lines(), columns or None, **more)
    assert refused(of_two).message.startswith(message)


def test_the_grain_of_several_columns_wants_a_check_of_them_together(of_two: Mesh) -> None:
    yaml_port(of_two, lines(grain=["line_id", "amount"]), data_tests=[])
    assert dict(refused(of_two).facts)["next"] == (
        "add to the port: data_tests: [{unique_combination: {arguments: {columns: [line_id, amount]}}}]"
    )


def test_an_input_whose_columns_are_not_known_is_left_to_the_engine(of_two: Mesh) -> None:
    of_two.write("domains/shop/models/staging/stg_raw__open.sql", "select * from {{ source('raw', 'lines') }}")
    yaml_port(of_two, lines(inputs={"lines": "stg_raw__open"}))
    write_files(plan_files(of_two.folder))
    sql = of_two.folder / FOLDER / "sales.sql"
    assert "cast(amount as decimal(10, 2)) as amount" in sql.read_text()
    sql.unlink()


def test_a_key_of_a_join_may_be_made_by_a_group(mesh: Mesh) -> None:
    columns = COLUMNS | {"amount": "decimal(18,2)"}
    yaml_port(
        mesh,
        lines({"join": "totals", "key": "shop_id", "how": "inner"}, prepare=TOTALS, columns={"amount": "shop_value"}),
        columns,
    )
    assert plan_files(mesh.folder)[0].wanted.count("join totals") == 1


def test_what_only_a_check_reads_is_a_dependency(mesh: Mesh) -> None:
    related = {"relationships": {"arguments": {"to": "ref('stg_raw__shops')", "field": "shop_id"}}}
    yaml_port(mesh, lines(), data_tests=[related, {"unique": {"arguments": {"column_name": "line_id"}}}])
    assert "\n-- depends_on: {{ ref('stg_raw__shops') }}\nwith\n" in plan_files(mesh.folder)[0].wanted


@pytest.mark.engines(*ENGINES)
def test_new_batches_alone_are_read_and_replace_those_of_their_name(
    new_mesh: Callable[[Path], Mesh], tmp_path: Path
) -> None:
    mesh = new_mesh(tmp_path)
    mesh.set_up("shop")
    batch = "cast(_batch_id as {{ dbt.type_string() }}) as _batch_id"
    landed = "cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at"
    staging = f"select cast(line_id as bigint) as line_id, {batch}, {landed} from {{{{ source('raw', 'lines') }}}}"
    mesh.write("domains/shop/models/staging/stg_raw__lines.sql", staging)
    block = {"inputs": {"lines": "stg_raw__lines"}, "new_batches_of": "lines", "grain": "line_id"}
    types = {"line_id": "bigint", "_batch_id": "string", "_landed_at": "timestamp"}
    port = a_port(block, types, "sales")
    port["config"]["meta"]["freshness"]["column"] = "_landed_at"
    port["data_tests"] = [{"expression_is_true": {"arguments": {"expression": "_landed_at is not null"}}}]
    mesh.write(f"{FOLDER}/sales.yml", yaml.safe_dump({"models": [port]}, sort_keys=False))
    write_files(plan_files(mesh.folder))
    assert mesh.dbt("deps").ok
    first, second, again = ("2026-11-01 06:00:00", "2026-11-02 06:00:00", "2026-11-03 06:00:00")

    def published_after(*rows: tuple[int, str, str]) -> list[Any]:
        mesh.land("lines", f"select * from (values {', '.join(map(str, rows))}) as l(line_id, _batch_id, _landed_at)")
        built = mesh.dbt("build")
        assert built.ok, built.output
        return mesh.rows("select line_id, _batch_id from shop.sales order by 1")

    assert published_after((1, "a", first), (2, "a", first)) == [(1, "a"), (2, "a")]
    # A batch that is published is not read again, so its rows stay although the source has lost one.
    assert published_after((1, "a", first), (3, "b", second)) == [(1, "a"), (2, "a"), (3, "b")]
    # It is, once it has landed again, and its rows are replaced.
    assert published_after((4, "a", again), (3, "b", second)) == [(3, "b"), (4, "a")]


# The files


def test_files_are_written_once_and_then_up_to_date(mesh: Mesh) -> None:
    yaml_port(mesh, lines())
    with pytest.raises(PortmeshError, match="is not up to date") as missing:
        assert_up_to_date(plan_files(mesh.folder), mesh.folder)
    assert missing.value.facts == [(f"{FOLDER}/sales.sql", "missing"), ("next", "portmesh models, then commit")]
    assert [file.port.label for file in write_files(plan_files(mesh.folder))] == ["shop.sales"]
    assert write_files(plan_files(mesh.folder)) == []
    assert_up_to_date(plan_files(mesh.folder), mesh.folder)
    sql = mesh.folder / FOLDER / "sales.sql"
    sql.write_text(sql.read_text().replace("amount", "amount + 1 as amount"))
    with pytest.raises(PortmeshError) as edited:
        assert_up_to_date(plan_files(mesh.folder), mesh.folder)
    assert edited.value.facts[0] == (f"{FOLDER}/sales.sql", "not what its YAML says")


def test_one_wrong_block_stops_all_files(mesh: Mesh) -> None:
    yaml_port(mesh, lines())
    yaml_port(mesh, lines(columns={"amount": "amont"}), name="wrong")
    assert refused(mesh).message.startswith("There is no column 'amont'")
    assert not list((mesh.folder / FOLDER).glob("*.sql"))


def test_sql_that_somebody_wrote_is_left_alone(mesh: Mesh) -> None:
    yaml_port(mesh, lines())
    mesh.write(f"{FOLDER}/sales.sql", "select 1 as line_id")
    assert refused(mesh).message == "shop.sales has a model in YAML, and SQL that somebody wrote."


def test_a_file_that_is_not_yaml_is_named_with_its_line(mesh: Mesh) -> None:
    mesh.write(f"{FOLDER}/broken.yml", "models:\n  - name: [sales\n")
    error = refused(mesh)
    assert error.message == "This file is not YAML."
    assert error.facts[0][1].endswith("broken.yml:3")


def test_plain_dbt_stops_if_sql_and_yaml_differ(mesh: Mesh) -> None:
    path = yaml_port(mesh, lines())
    wanted = path.read_text()

    def stopped() -> str:
        outcome = mesh.dbt("compile")
        assert outcome.exit_code == 2, outcome.output
        return " ".join(outcome.output.split())

    assert "PM126 shop.sales has config.meta.model, but its SQL is not written." in stopped()
    write_files(plan_files(mesh.folder))
    assert mesh.dbt("compile").ok
    path.write_text(wanted.replace("decimal(10,2)", "decimal(12,2)"))
    assert "PM126 shop.sales has SQL that is not what its YAML says." in stopped()
    path.write_text(wanted.replace("grain: line_id", "grain: line_id\n        columns: {amount: amount * 2}"))
    assert "PM126 shop.sales has SQL that is not what its YAML says." in stopped()
    path.write_text(wanted)
    sql = mesh.folder / FOLDER / "sales.sql"
    made = sql.read_text()
    sql.write_text(made.replace("line_id,", "line_id, -- by hand"))
    assert "PM126 shop.sales has SQL that is not what its YAML says." in stopped()
    sql.write_text(made.split("\n", 3)[3])
    assert "PM126 shop.sales has config.meta.model and SQL that was not made from it." in stopped()
    sql.write_text(made)
    path.write_text(re.sub(r"      model:\n(        .*\n)+", "", wanted))
    assert "PM126 shop.sales has SQL that was made from YAML" in stopped()


# The way back to SQL


YAML_BY_HAND = """\
# The port of shops.
models:
  - name: sales   # a comment
    description: One row per line.
    config:
      meta:
        version: "1.0.0"
{before}        model:
          # Why it is so.
          inputs: {{lines: stg_raw__lines}}

          steps:
            - keep: amount > 1
          grain: line_id   # the key
{after}    data_tests:
      - unique: {{arguments: {{column_name: line_id}}}}
    columns:
      - {{name: line_id, data_type: bigint}}
      - name:   amount
        data_type: "decimal(10,2)"
"""
OTHER_KEYS = [
    ("        classification: internal\n", ""),
    ("", "        # About the classification.\n        classification: internal\n"),
    ("\n", "\n\n        classification: internal\n\n"),
    ("        consumers:\n          - {name: desk, purpose: x}\n", "\n      tags: [a]\n"),
    ("        # model: none\n", "\n"),
]


@pytest.mark.parametrize(("before", "after"), OTHER_KEYS)
def test_eject_takes_only_the_block_out_of_the_yaml(mesh: Mesh, before: str, after: str) -> None:
    text = YAML_BY_HAND.format(before=before, after=after)
    file = mesh.write(f"{FOLDER}/sales.yml", text)
    file.write_text(text)
    write_files(plan_files(mesh.folder))
    made = (mesh.folder / FOLDER / "sales.sql").read_text()
    eject(plan_ejection(mesh.folder, "shop.sales"))
    start, end = text.index("        model:\n"), text.index("# the key\n") + len("# the key\n")
    assert file.read_text() == text[:start] + text[end:]
    assert (mesh.folder / FOLDER / "sales.sql").read_text() == made.split("\n", 3)[3]
    assert plan_files(mesh.folder) == []


def test_eject_changes_no_row(mesh: Mesh) -> None:
    yaml_port(mesh, lines({"keep": "amount > 1"}))
    write_files(plan_files(mesh.folder))
    mesh.land("lines", LINES)
    assert mesh.dbt("build").ok
    before = mesh.rows("select * from shop.sales order by all")
    eject(plan_ejection(mesh.folder, "shop.sales"))
    outcome = mesh.dbt("build")
    assert outcome.ok, outcome.output
    assert mesh.rows("select * from shop.sales order by all") == before
    assert len(before) == 3


def test_eject_hands_over_the_last_good_sql_of_a_block_with_an_error(mesh: Mesh) -> None:
    path = yaml_port(mesh, lines({"keep": "amount > 1"}))
    write_files(plan_files(mesh.folder))
    path.write_text(path.read_text().replace("amount > 1", "regexp_matches(product, 't')"))
    ejection = plan_ejection(mesh.folder, "shop.sales")
    assert ejection.is_last_good
    assert "where amount > 1" in ejection.sql_text


def test_eject_refuses_what_it_cannot_hand_over(mesh: Mesh) -> None:
    def message(name: str = "shop.sales") -> str:
        with pytest.raises(PortmeshError) as found:
            plan_ejection(mesh.folder, name)
        return found.value.message

    path = yaml_port(mesh, lines())
    assert message("shop.sale") == "There is no port in YAML alone 'shop.sale'. Did you mean shop.sales?"
    assert message("shop.stg_raw__lines") == "shop.stg_raw__lines is written in SQL already."
    assert message() == "The SQL of shop.sales is not what its YAML says."
    write_files(plan_files(mesh.folder))
    text = path.read_text()
    path.write_text(text.replace("amount", "amont"))
    assert plan_ejection(mesh.folder, "shop.sales").is_last_good
    entry = yaml.safe_load(text)["models"][0]
    path.write_text(yaml.safe_dump({"models": [entry]}, default_flow_style=True))
    write_files(plan_files(mesh.folder))
    assert message() == "The block cannot be taken out of this file alone."


# The commands


def typed(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str]:
    """The exit code of `portmesh` in the mesh, and what it prints."""
    monkeypatch.chdir(mesh.folder)
    try:
        main(list(words))
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_the_commands_say_what_they_did_and_what_is_next(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    yaml_port(mesh, lines())
    call = lambda *words: typed(mesh, monkeypatch, capsys, *words)  # noqa: E731
    assert call("models", "--check")[0] == 1
    code, printed = call("models")
    assert code == 0
    assert "Wrote 1 SQL file: 1 port in YAML alone." in printed
    assert f"shop.sales   {FOLDER}/sales.sql" in printed
    assert "dbt build --select +sales" in printed
    assert call("models", "--check") == (0, "The SQL is up to date: 1 port in YAML alone.\n")
    assert '"ports": [\n    "shop.sales"\n  ]' in call("models", "--json")[1]
    code, printed = call("eject", "shop.sales")
    assert code == 0
    assert "shop.sales is SQL from now on." in printed
    assert call("models") == (0, "The SQL is up to date: 0 ports in YAML alone.\n")
    code, printed = call("eject", "shop.sales", "--json")
    assert code == 2
    assert '"error": "shop.sales is written in SQL already."' in printed
