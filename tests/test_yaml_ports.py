"""Ports in YAML alone: the SQL that is written, what it returns, what is refused, and the way back to SQL."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D  # noqa: N817
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp, parse_one

from portmesh.errors import PortmeshError
from portmesh.scaffold.yaml_port_files import plan_files, write_files
from tests.mesh import REPOSITORY, Mesh

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
    """A domain with staging models: lines, and shops with a checked key. Shop 20 has no row in shops."""
    found = Mesh(folder)
    found.set_up("shop")
    found.write("domains/shop/models/staging/stg_raw__lines.sql", STAGING)
    found.write("domains/shop/models/staging/stg_raw__shops.sql", SHOPS)
    assert found.dbt("deps").ok
    found.write(
        "domains/shop/models/staging/_shop__models.yml",
        "models: [{name: stg_raw__shops, columns: [{name: shop_id, data_tests: [unique, not_null]}]}]",
    )
    return found


def yaml_port(
    mesh: Mesh, block: object, columns: dict[str, str] | None = None, name: str = "sales", **more: Any
) -> Path:
    """Write the YAML of a port whose model is `block`, with a unique check of its grain and one of each dimension."""
    grain = block.get("grain", "line_id") if isinstance(block, dict) else "line_id"
    keys = [grain] if isinstance(grain, str) else list(grain)
    of_all = {
        "expression_is_true": {"arguments": {"expression": "landed_at is not null"}, "name": f"{name}_has_landed"}
    }
    unique = {"unique_combination": {"arguments": {"columns": keys}}}
    freshness = {"column": "landed_at", "warn_after": {"count": 24, "period": "hour"}}
    port = {
        "name": name,
        "description": "One row per line.",
        "config": {"meta": {"version": "1.0.0", "classification": "internal", "freshness": freshness, "model": block}},
        "data_tests": [of_all, unique],
        "columns": [
            {"name": column, "data_type": kind, "description": "A column."}
            | ({"data_tests": ["unique"] * (keys == [column]) + ["not_null"]} if column in (*keys, "landed_at") else {})
            for column, kind in (columns or COLUMNS).items()
        ],
    }
    if len(keys) == 1:
        port["data_tests"] = [of_all]
    return mesh.write(f"{FOLDER}/{name}.yml", yaml.safe_dump({"models": [port | more]}, sort_keys=False))


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
    "taken": Case(lines(), ID | {"amount": "decimal(10,2)"}, [(1, D("1.50")), (2, D("0.75")), (3, D("2.25")), (4, D(8))]),
    "kept": Case(lines({"keep": ["amount > 1", "product is not null"]}), ID, [(1,), (4,)]),
    "kept_by_date": Case(lines({"keep": "sold_on between '2026-01-02' and '2026-01-04'"}), ID, [(2,), (4,)]),
    "made_wider": Case(lines(columns={"amount": "amount"}), ID | {"amount": "decimal(18,4)"}, [
        (1, D("1.5")), (2, D("0.75")), (3, D("2.25")), (4, D(8))]),
    "computed": Case(
        lines(columns={"total_value": "amount * pieces", "per_piece": "amount / pieces", "named_lines": "coalesce(upper(product), '-')"}),
        ID | {"total_value": "decimal(12,2)", "per_piece": "double", "named_lines": "string"},
        [(1, D(3), 0.75, "TEA"), (2, D(0), None, "MILK"), (3, D("2.25"), 2.25, "-"), (4, D(32), 2.0, "TEA")],
    ),
    "chosen": Case(
        lines(columns={"amount_band": "case when amount > 5 then 'big' when amount > 1 then 'mid' else 'small' end",
                       "is_tea": "case when product = 'tea' then true else false end",
                       "most": "greatest(pieces, 1, null)", "line_label": "product || '-' || line_id"}),
        ID | {"amount_band": "string", "is_tea": "boolean", "most": "int", "line_label": "string"},
        [(1, "mid", True, 2, "tea-1"), (2, "small", False, 1, "milk-2"), (3, "mid", False, 1, None),
         (4, "big", True, 4, "tea-4")],
    ),
    "dated": Case(
        lines(columns={"sold_month": "date_trunc('month', sold_on)", "due_date": "add_days(sold_on, pieces)",
                       "next_month": "add_months(sold_on, 1)", "wait_days": "days_between(sold_on, landed_at)",
                       "sold_year": "year(sold_on)", "landed_hour": "hour(landed_at)"}),
        ID | {"sold_month": "date", "due_date": "date", "next_month": "date", "wait_days": "int", "sold_year": "int",
              "landed_hour": "int"},
        [(n, day(1), day(due), day(sold, 2), wait, 2026, 6)
         for n, sold, due, wait in ((1, 1, 3, 2), (2, 2, 2, 1), (3, 5, 6, 1), (4, 2, 6, 1))],
    ),
    "grouped": Case(
        lines(
            {"group": "shop_id", "add": {"total_value": "sum(amount)", "line_count": "count()", "named_lines": "count(product)",
             "product_count": "count(distinct product)", "tea": "count_if(product = 'tea')", "mean_pieces": "avg(pieces)",
             "has_milk": "any_true(product = 'milk')", "is_sold": "all_true(pieces > 0)", **LANDED}},
            {"keep": "line_count > 0"}, grain="shop_id",
        ),
        {"shop_id": "bigint", "total_value": "decimal(12,2)", "line_count": "int", "named_lines": "int", "product_count": "int", "tea": "int",
         "mean_pieces": "double", "has_milk": "boolean", "is_sold": "boolean"},
        [(10, D("4.50"), 3, 2, 2, 1, 1.0, True, False), (20, D(8), 1, 1, 1, 1, 4.0, False, True)],
    ),
    "windowed": Case(
        lines(
            {"window": {"place": "row_number()", "so_far": "sum(amount)", "amount_before": "previous(amount)",
                        "line_after": "next(line_id)"}, "per": "shop_id", "by": "sold_on"},
            {"window": {"of_shop": "sum(amount)"}, "per": "shop_id"},
            {"window": {"standing": "rank()", "dense_standing": "dense_rank()"}, "by": ["product", "shop_id desc"]},
        ),
        ID | {"place": "int", "so_far": "decimal(12,2)", "amount_before": "decimal(10,2)", "line_after": "bigint",
              "of_shop": "decimal(12,2)", "standing": "int", "dense_standing": "int"},
        [(1, 1, D("1.5"), None, 2, D("4.5"), 3, 3), (2, 2, D("2.25"), D("1.5"), 3, D("4.5"), 1, 1),
         (3, 3, D("4.5"), D("0.75"), None, D("4.5"), 4, 4), (4, 1, D(8), None, None, D(8), 2, 2)],
    ),
    "newest": Case(lines({"latest": "shop_id", "by": "sold_on"}, grain="shop_id"),
                   {"shop_id": "bigint", "line_id": "bigint"}, [(10, 3), (20, 4)]),
    "oldest": Case(lines({"keep": "pieces > 0"}, {"earliest": ["shop_id"], "by": ["sold_on", "line_id"]}, grain="shop_id"),
                   {"shop_id": "bigint", "line_id": "bigint"}, [(10, 1), (20, 4)]),
    "joined": Case(
        lines({"join": "shops", "key": "shop_id"}, inputs={"lines": "stg_raw__lines", "shops": "stg_raw__shops"}),
        ID | {"shop_id": "bigint", "region": "string"},
        [(1, 10, "North"), (2, 10, "North"), (3, 10, "North"), (4, 20, None)],
    ),
    "matched": Case(
        lines({"join": "shops", "key": {"shop_id": "shop_id"}, "how": "inner", "when": "sold_on <= '2026-01-02'"},
              inputs={"lines": "stg_raw__lines", "shops": "stg_raw__shops"}), ID, [(1,), (2,)],
    ),
    "shared": Case(
        lines(
            {"join": "totals", "key": "shop_id"}, {"join": "all_lines"},
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
            "from": "sold", "steps": [{"stack": "given", "why": "Both count."}], "grain": ["line_id"],
        },
        ID | {"kind": "string"}, [(1, "sold"), (2, "given"), (3, "sold"), (4, "sold")],
    ),
    "repeated": Case(
        {
            "inputs": {"shops": "stg_raw__shops", "lines": "stg_raw__lines"},
            "steps": [{"join": "lines", "key": "shop_id", "how": "inner", "matches": "many"},
                      {"add": {"line_label": "region || '/' || line_id"}, "name": "lines_labelled"}],
            "grain": "line_id",
        },
        ID | {"line_label": "string"}, [(1, "North/1"), (2, "North/2"), (3, "North/3")],
    ),
    "rounded": Case(
        lines(columns={"whole": "round(amount)", "down": "floor(amount)", "year_text": "substring('x' || sold_on, 2, 4)",
                       "cleaned": "trim(replace(product, 'e', ' '))", "is_other": "product not in ('tea', 'milk')",
                       "negative": "-(amount - 1) * 2", "odd": "nullif(pieces, 2)"}),
        ID | {"whole": "int", "down": "int", "year_text": "string", "cleaned": "string", "is_other": "boolean",
              "negative": "decimal(12,2)", "odd": "int"},
        [(1, 2, 1, "2026", "t a", False, D(-1), None), (2, 1, 0, "2026", "milk", False, D("0.5"), 0),
         (3, 2, 2, "2026", None, None, D("-2.5"), 1), (4, 8, 8, "2026", "t a", False, D(-14), 4)],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """A mesh with the ports of all cases, written by the kit and built by dbt."""
    mesh = a_mesh(tmp_path_factory.mktemp("yaml_ports"))
    for name, case in CASES.items():
        yaml_port(mesh, case.block, case.columns | {"landed_at": "timestamp"}, name)
    assert len(write_files(plan_files(mesh.folder))) == len(CASES)
    mesh.land("lines", LINES)
    outcome = mesh.dbt("build")
    assert outcome.ok, outcome.output
    return mesh


@pytest.mark.parametrize("name", CASES)
def test_the_port_has_the_rows_that_its_yaml_says(built: Mesh, name: str) -> None:
    columns = ", ".join(CASES[name].columns)
    assert built.rows(f"select {columns} from shop.{name} order by all") == CASES[name].rows


def test_the_sql_passes_sqlfluff(built: Mesh) -> None:
    files = sorted((built.folder / FOLDER).glob("*.sql"))
    assert len(files) == len(CASES)
    assert lint_findings(files) == []


def test_a_long_line_is_found(tmp_path: Path) -> None:
    file = tmp_path / "bad.sql"
    file.write_text("SELECT a from b\n")
    assert "CP01" in " ".join(lint_findings([file]))


@pytest.mark.parametrize("dialect", ["duckdb", "spark", "athena"])
@pytest.mark.parametrize("name", CASES)
def test_the_sql_can_be_read_on_every_engine(name: str, dialect: str, built: Mesh) -> None:
    text = (built.folder / f"target/compiled/shop/models/output_ports/{name}.sql").read_text()
    assert parse_one(text, dialect=dialect).find(exp.CTE)
