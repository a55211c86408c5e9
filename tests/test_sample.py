"""`portmesh sample` from a DuckDB file: joins survive, secrets do not, and the domain builds on what it brought."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from portmesh.sampling.local import Writer
from tests.mesh import Mesh
from tests.portmesh_call import Portmesh

pytestmark = pytest.mark.thorough

CUSTOMERS = """
select customer_id, name, email, segment, born, is_active, landed_at from {{ source('raw', 'customers') }}
"""
CUSTOMER_COLUMNS = """
- {name: customer_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- {name: name, data_type: string, description: Full name., config: {meta: {level: restricted}}, data_tests: [not_null]}
- {name: email, data_type: string, description: Address., config: {meta: {level: restricted}}, data_tests: [unique]}
- name: segment
  data_type: string
  description: A word.
  config: {meta: {level: restricted}}
  data_tests: [{accepted_values: {arguments: {values: [gold, silver, bronze]}}}]
- {name: born, data_type: date, description: Birthday., config: {meta: {level: restricted}}}
- {name: is_active, data_type: boolean, description: Whether it still buys., config: {meta: {level: restricted}}}
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""
ORDERS = """
-- depends_on: {{ ref('customers') }}
select order_id, customer_id, product_id, amount, landed_at from {{ source('raw', 'orders') }}
"""
ORDER_COLUMNS = """
- {name: order_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- name: customer_id
  data_type: bigint
  description: Who ordered.
  data_tests: [{relationships: {arguments: {to: "ref('customers')", field: customer_id}}}]
- {name: product_id, data_type: string, description: What was ordered.}
- name: amount
  data_type: decimal(10,2)
  description: Euro.
  data_tests: [{accepted_range: {arguments: {min_value: 0}}}]
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""
PRODUCTS = "select product_id, title, landed_at from {{ source('raw', 'products') }}"
PRODUCT_COLUMNS = """
- {name: product_id, data_type: string, description: The key., data_tests: [unique, not_null]}
- name: title
  data_type: string
  description: A name.
  data_tests: [{matches_pattern: {arguments: {pattern: "^Thing"}}}]
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""
TICKETS = """
select
  tickets.ticket_id, tickets.customer_id, customers.name, customers.segment, orders.amount, products.title,
  tickets.note, agents.team, tickets.landed_at
from {{ source('help', 'tickets') }} as tickets
inner join {{ ref('shop', 'customers') }} as customers on cast(tickets.customer_id as bigint) = customers.customer_id
inner join {{ ref('shop', 'orders') }} as orders on orders.customer_id = customers.customer_id
inner join {{ ref('shop', 'products') }} as products on products.product_id = orders.product_id
inner join {{ source('help', 'agents') }} as agents on tickets.agent = agents.agent
"""
TICKET_COLUMNS = """
- {name: ticket_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- name: customer_id
  data_type: string
  description: Who wrote.
  data_tests: [not_null]
- {name: name, data_type: string, description: Full name., data_tests: [not_null]}
- name: segment
  data_type: string
  description: A word.
  data_tests: [{accepted_values: {arguments: {values: [gold, silver, bronze]}}}]
- {name: amount, data_type: "decimal(10,2)", description: Euro., data_tests: [not_null]}
- {name: title, data_type: string, description: What was ordered., data_tests: [not_null]}
- {name: note, data_type: string, description: What was written.}
- {name: team, data_type: string, description: Who answered., data_tests: [not_null]}
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""
HELP = """
version: 2
sources:
  - name: help
    schema: help
    config: {meta: {classification: internal}}
    tables:
      - name: tickets
        columns:
          - {name: ticket_id, data_tests: [unique]}
          - {name: note, config: {meta: {level: confidential}}}
      - name: agents
"""
SECRETS = ("Zacharias", "zachmail", "Whisper", "1961-02-28")
PEOPLE = 20_000


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """Two domains that are built in production; desk reads three ports of shop and two tables of its own source."""
    mesh = Mesh(tmp_path_factory.mktemp("production"))
    mesh.set_up("shop", "desk", sources=("customers", "orders", "products"))
    consumers = "consumers: [{name: desk, purpose: Answers.}]"
    subject = "subject: {entity: customer, key: customer_id}"
    mesh.port("shop/customers", CUSTOMERS, CUSTOMER_COLUMNS, meta=f"{consumers}\n{subject}")
    mesh.port("shop/orders", ORDERS, ORDER_COLUMNS, meta=f"{consumers}\n{subject}")
    mesh.port("shop/products", PRODUCTS, PRODUCT_COLUMNS, meta=consumers)
    mesh.port("desk/tickets", TICKETS, TICKET_COLUMNS)
    mesh.write("domains/desk/models/staging/_help__sources.yml", HELP)
    at = "timestamp '2026-11-25 06:00:00' as landed_at"
    mesh.land(
        "customers",
        f"""select range as customer_id, 'Zacharias Q' || range as name,
        case when range % 5 > 0 then 'zachmail' || range || '@example.com' end as email,
        ['gold', 'silver', 'bronze'][range % 3 + 1] as segment, date '1961-02-28' as born, range % 2 = 0 as is_active,
        {at} from range({PEOPLE})""",
    )
    mesh.land(
        "orders",
        f"""select range as order_id, range % {PEOPLE} as customer_id, 'P' || (range * 7 % 15000) as product_id,
        (range % 1000 / 10)::decimal(10, 2) as amount, {at} from range({PEOPLE})""",
    )
    mesh.land("products", f"select 'P' || range as product_id, 'Thing ' || range as title, {at} from range(15000)")
    mesh.engine.make_table(
        "help.tickets",
        f"""select range as ticket_id, range::varchar as customer_id, 'Whisper ' || range as note,
        'agent' || range % 5 as agent, {at} from range({PEOPLE})""",
    )
    mesh.engine.make_table("help.agents", "select 'agent' || range as agent, 'team' || range as team from range(5)")
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build", "--select", "package:shop")
    assert built.ok, built.output
    shutil.move(mesh.database, mesh.folder / "production.duckdb")
    return mesh


@pytest.fixture
def laptop(production: Mesh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mesh:
    """The mesh without a database, with a lake of its own."""
    monkeypatch.chdir(production.folder)
    monkeypatch.setenv("PORTMESH_LAKE", str(tmp_path / "lake"))
    production.database.unlink(missing_ok=True)
    return production


def sample(portmesh: Portmesh, *options: str) -> dict[str, dict[str, object]]:
    """Take a sample for desk. Returns what `--json` says of each table."""
    done = portmesh("sample", "desk", "--from", "production.duckdb", "--share", "2%", "--yes", "--json", *options)
    assert done.exit_code == 0, done.out + done.err
    return {table["table"]: table for table in json.loads(done.out)["tables"]}


def in_production(mesh: Mesh, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(mesh.folder / "production.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_domain_builds_on_a_sample_and_joins_survive(laptop: Mesh, portmesh: Portmesh) -> None:
    tables = sample(portmesh)
    assert {name: (table["way"], table["column"]) for name, table in tables.items()} == {
        "help.tickets": ("hash", "customer_id"),
        "shop.customers": ("hash", "customer_id"),
        "shop.orders": ("hash", "customer_id"),
        "help.agents": ("whole", ""),
        "shop.products": ("linked", "product_id"),
    }
    built = laptop.dbt("build", "--select", "package:desk")
    assert built.ok, built.output
    people = laptop.value("select count(*) from shop.customers")
    assert 300 < people < 500
    assert people == tables["shop.customers"]["written"]
    # Without a join that finds too little, each person still has the ticket, the order and its product.
    assert laptop.value("select count(*) from desk.tickets") == people
    assert laptop.value("select count(*) from help.tickets") == people
    assert laptop.value("select count(*) from shop.products") <= people


def test_no_secret_is_written_to_disk(laptop: Mesh, portmesh: Portmesh, tmp_path: Path) -> None:
    tables = sample(portmesh)
    assert tables["shop.customers"]["masked"] == {
        "name": "value", "email": "value", "segment": "choice", "born": "value", "is_active": "choice",
    }  # fmt: skip
    assert tables["help.tickets"]["masked"] == {"note": "value"}
    assert tables["shop.orders"]["masked"] == {}
    written = [*laptop.folder.glob("mesh.duckdb*"), *(file for file in tmp_path.rglob("*") if file.is_file())]
    content = b"".join(file.read_bytes() for file in written)
    assert b"Thing " in content
    assert [secret for secret in SECRETS if secret.encode() in content] == []
    names = {name for (name,) in in_production(laptop, "select name from shop.customers")}
    assert not names & {name for (name,) in laptop.rows("select name from shop.customers")}
    assert laptop.value("select count(*) from shop.customers where born = date '1961-02-28'") == 0


def test_what_checks_ask_for_survives_the_masks(laptop: Mesh, portmesh: Portmesh) -> None:
    sample(portmesh)
    facts = laptop.rows(
        """select count(*), count(distinct name), count(email), count(distinct email),
        list_sort(list(distinct segment)),
        bool_and(email is null or regexp_full_match(email, '[a-z]{8}[0-9]+@[a-z]{7}.[a-z]{3}')) from shop.customers"""
    )
    rows, names, emails, different, segments, are_shaped = facts[0]
    assert (rows, emails, segments, are_shaped) == (names, different, ["bronze", "gold", "silver"], True)
    assert rows > emails > rows / 2


def test_with_everything_masked_the_domain_still_builds(laptop: Mesh, portmesh: Portmesh) -> None:
    tables = sample(portmesh, "--mask-above", "public")
    assert all(table["masked"] for table in tables.values())
    built = laptop.dbt("build", "--select", "package:desk")
    assert built.ok, built.output
    assert laptop.value("select count(*) from desk.tickets") == tables["shop.customers"]["written"]
    sampled = {order for (order,) in laptop.rows("select product_id || ' ' || amount from shop.orders")}
    assert not sampled & {
        order for (order,) in in_production(laptop, "select product_id || ' ' || amount from shop.orders")
    }


def test_the_same_rows_are_taken_again_with_other_masks(laptop: Mesh, portmesh: Portmesh) -> None:
    rows = "select order_id from shop.orders order by 1"
    names = "select name from shop.customers order by customer_id"
    sample(portmesh)
    first, first_names = laptop.rows(rows), laptop.rows(names)
    again = portmesh("sample", "desk", "--from", "production.duckdb", "--share", "2%", "--yes")
    assert "replaces         the earlier sample: help.agents, help.tickets, shop.customers" in again.out
    assert "dbt build --target local --select package:desk --full-refresh" in again.out
    assert laptop.rows(rows) == first
    assert laptop.rows(names) != first_names
    sample(portmesh, "--share", "4%", "--mask-above", "restricted")
    assert set(first) < set(laptop.rows(rows))
    assert laptop.value("select count(*) from shop.customers where name like 'Zacharias%'") > 500


def test_the_plan_is_said_before_anything_is_read(laptop: Mesh, portmesh: Portmesh) -> None:
    done = portmesh("sample", "desk", "--from", "production.duckdb", "--dry-run")
    assert done.exit_code == 0
    assert "A sample of 1 % for desk, from 5 tables in" in done.out
    text = " ".join(done.out.split())
    assert "takes about 200 rows: 1 % of the values of customer_id masks name, email, born gives a random" in text
    assert "gives a random value of the allowed ones to segment, is_active" in text
    assert "takes the rows whose product_id is among those of shop.orders masks nothing" in text
    assert "help.agents 5 rows, 524.3 kB takes all of it masks nothing" in text
    assert "at no cost. No engine runs." in text
    assert not laptop.database.exists()
    not_asked = portmesh("sample", "desk", "--from", "production.duckdb")
    assert not_asked.exit_code == 2
    assert "Nothing was read: nobody can be asked here." in not_asked.err
    assert not laptop.database.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["dsk"], "There is no domain 'dsk'. Did you mean desk?"),
        (["shop", "--from", "ahtena"], "There is no target or DuckDB file 'ahtena'. Did you mean athena?"),
        (["desk", "--from", "local"], "The target local is where a sample goes"),
        (["desk", "--from", "mesh.duckdb"], "A sample cannot come from the database that it goes to."),
        (["desk", "--from", "dbt_project.yml"], "Production's database file cannot be read"),
        (["desk", "--from", "nowhere/prod.duckdb"], "Production's database file cannot be read"),
        (["desk", "--share", "0"], "--share is not a share of the rows."),
        (["desk", "--share", "101%"], "--share is not a share of the rows."),
        (["desk", "--share", "a few"], "--share is not a share of the rows."),
        (["desk", "--mask-above", "intern"], "There is no classification 'intern'. Did you mean internal?"),
    ],
)
def test_wrong_use_is_refused(laptop: Mesh, portmesh: Portmesh, options: list[str], said: str) -> None:
    where = [] if "--from" in options else ["--from", "production.duckdb"]
    done = portmesh("sample", *options, *where, "--yes")
    assert done.exit_code == 2
    assert said in done.err
    assert not laptop.database.exists()


def test_a_share_without_anybody_is_refused(laptop: Mesh, portmesh: Portmesh) -> None:
    done = portmesh("sample", "desk", "--from", "production.duckdb", "--share", "0.000001%", "--yes")
    assert done.exit_code == 1
    assert "No row has a key among the chosen 1e-06 %, so nothing was written." in done.err
    assert not laptop.database.exists()


def test_what_production_lacks_is_named(laptop: Mesh, portmesh: Portmesh) -> None:
    with duckdb.connect(str(laptop.folder / "other.duckdb")) as other:
        other.execute("create schema help; create table help.tickets as select 1 as ticket_id")
    done = portmesh("sample", "desk", "--from", "other.duckdb", "--yes")
    assert done.exit_code == 1
    assert "shop.orders (shop.orders)" in done.err
    assert "help.tickets" not in done.err


def test_what_no_sample_wrote_is_never_replaced(laptop: Mesh, portmesh: Portmesh) -> None:
    shutil.copy(laptop.folder / "production.duckdb", laptop.database)
    done = portmesh("sample", "desk", "--from", "production.duckdb", "--yes")
    assert done.exit_code == 1
    assert "something that is no sample has its name. Nothing was changed." in " ".join(done.err.split())
    assert f"a published port, shop.orders, in {laptop.database}" in done.err
    assert f"a table, help.tickets, in {laptop.database}" in done.err
    assert laptop.value("select count(*) from shop.orders") == PEOPLE


def stopping(stop: BaseException) -> Callable[..., None]:
    """Writer.write, which stops at the third table."""
    write = Writer.write

    def until(self: Writer, *arguments: Any) -> None:
        if len(self.rows) == 2:
            raise stop
        write(self, *arguments)

    return until


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.ci_cases(1)
def test_an_interrupted_sample_leaves_the_earlier_one(
    laptop: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    if not is_first:
        sample(portmesh)
    before = [] if is_first else laptop.rows("select * from shop.customers order by all")
    monkeypatch.setattr(Writer, "write", stopping(KeyboardInterrupt()))
    assert portmesh("sample", "desk", "--from", "production.duckdb", "--share", "4%", "--yes").exit_code == 130
    monkeypatch.setattr(Writer, "write", stopping(duckdb.IOException("IO Error: No space left on device")))
    full = portmesh("sample", "desk", "--from", "production.duckdb", "--share", "4%", "--yes")
    assert "The disk of the mesh's database is full." in full.err
    assert laptop.database.exists() is not is_first
    assert is_first or laptop.rows("select * from shop.customers order by all") == before
