"""`portmesh land SOURCE.TABLE FILE…` on the lake folder: one batch, whole or not at all, which ports then read."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from portmesh.lake.folder import FolderLake, Manifest
from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import Call, Portmesh

LANDED_AT = "2026-11-23T06:00:00"
SOURCES = """
sources:
  - name: shop
    schema: landed
    config:
      loaded_at_field: _landed_at
      meta:
        external_location: "landed('{identifier}')"
        landing: {format: csv, delimiter: ";", decimal: ",", dates: ["%d.%m.%Y"], key: [order_id]}
    tables:
      - name: orders
        identifier: shop__orders
        columns:
          - {name: order_id, data_type: bigint, config: {meta: {from: Bestell-Nr.}}}
          - {name: customer, data_type: string}
          - {name: sales_value, data_type: "decimal(10,2)"}
          - {name: order_date, data_type: date}
      - name: events
        config: {meta: {landing: {format: json, bad_rows: set_aside, key: []}}}
        columns:
          - {name: id, data_type: bigint}
          - {name: kind, data_type: string}
  - name: raw
    tables: [{name: lines}]
"""
FILE = "domains/sales/models/staging/_shop__sources.yml"
HEADER = "Bestell-Nr.;customer;sales_value;order_date\n"
ORDERS = HEADER + '1;"Ann\nBerg";12,50;23.11.2026\n2;Bob;-1,00;24.11.2026\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """A mesh with a source whose files land, a port on it and a check of rejected rows."""
    mesh = Mesh(tmp_path_factory.mktemp("shop"))
    mesh.set_up("sales", root={"on-run-start": ["{{ create_records() }}", "{{ create_lake_functions() }}"]})
    mesh.remove("domains/sales/models/staging/_sources.yml")
    mesh.write(FILE, SOURCES)
    mesh.write("domains/sales/models/staging/stg_shop__orders.sql", "select * from {{ source('shop', 'orders') }}")
    mesh.write("domains/sales/models/staging/stg_shop__events.sql", "select * from {{ source('shop', 'events') }}")
    mesh.port(
        "sales/orders",
        "select order_id, customer, sales_value, order_date, _landed_at as landed_at\n"
        "from {{ ref('stg_shop__orders') }}\n-- depends_on: {{ source('shop', 'orders') }}",
        columns="""
            - {name: order_id, data_type: bigint, description: The order., data_tests: [unique, not_null]}
            - {name: customer, data_type: string, description: Its customer.}
            - {name: sales_value, data_type: "decimal(10,2)", description: Its value.}
            - {name: order_date, data_type: date, description: Its day.}
            - {name: landed_at, data_type: timestamp, description: When it landed.}
        """,
        extra="""data_tests: [rejected_rows: {arguments: {of: "source('shop', 'orders')", at_most: 0.4}}]""",
    )
    mesh.port(
        "sales/events",
        "select id, kind, _landed_at as landed_at from {{ ref('stg_shop__events') }}\n"
        "-- depends_on: {{ source('shop', 'events') }}",
        columns="""
            - {name: id, data_type: bigint, description: The event.}
            - {name: kind, data_type: string, description: Its kind.}
            - {name: landed_at, data_type: timestamp, description: When it landed.}
        """,
        extra="""data_tests: [rejected_rows: {arguments: {of: "source('shop', 'events')", at_most: 0.4}}]""",
    )
    assert mesh.dbt("deps").ok
    return mesh


@pytest.fixture
def mesh(built: Mesh, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mesh]:
    """That mesh, in whose folder the test runs. Its lake, its YAML and its database are restored after the test."""
    monkeypatch.chdir(built.folder)
    monkeypatch.setenv("PORTMESH_LAKE", ".lake")
    yield built
    shutil.rmtree(built.folder / ".lake", ignore_errors=True)
    built.database.unlink(missing_ok=True)
    built.write(FILE, SOURCES)


@pytest.fixture
def land(mesh: Mesh, portmesh: Portmesh) -> Callable[..., Call]:
    """Lands a text in a table, as a file of this name."""

    def land_text(text: str | bytes, *options: str, table: str = "shop.orders", name: str = "orders.csv") -> Call:
        file = mesh.folder / name
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return portmesh("land", table, file, "--landed-at", LANDED_AT, *options)

    return land_text


def manifest(mesh: Mesh, batch: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((mesh.folder / ".lake" / batch / "manifest.json").read_text())
    return found


def contents(mesh: Mesh) -> dict[str, bytes]:
    lake = mesh.folder / ".lake"
    return {str(file.relative_to(lake)): file.read_bytes() for file in lake.glob("[a-z]*/*/*")}


def rows(mesh: Mesh, batch: str, sql: str = "select * exclude (_batch_id, _landed_at) from lines order by 1") -> Any:
    data = mesh.folder / ".lake" / batch / "data.parquet"
    return duckdb.execute(f"with lines as (from '{data}') {sql}").fetchall()


def test_a_file_lands_as_a_batch_and_its_port_is_built(mesh: Mesh, land: Callable[..., Call]) -> None:
    landed = land(ORDERS)
    assert landed.exit_code == 0, landed.err
    assert landed.out.startswith("Landed shop__orders/2026-11-23: 2 rows. The next dbt build reads them.\n")
    assert "next   dbt build" in landed.out
    found = manifest(mesh, "shop__orders/2026-11-23")
    (file,) = found["files"]
    assert (found["rows"], file["name"], file["rows"], file["rejected"]) == (2, "orders.csv", 2, 0)
    assert file["bytes"] == len(ORDERS.encode())
    built = mesh.dbt("build", "--select", "+orders")
    assert built.ok, built.output
    assert mesh.rows("select order_id, customer, sales_value::varchar, order_date::varchar from sales.orders") == [
        (1, "Ann\nBerg", "12.50", "2026-11-23"),
        (2, "Bob", "-1.00", "2026-11-24"),
    ]


def test_json_tells_the_same(mesh: Mesh, land: Callable[..., Call]) -> None:
    facts = json.loads(land(ORDERS, "--json").out)
    assert (facts["batch"], facts["rows"], facts["rejected"]) == ("shop__orders/2026-11-23", 2, 0)
    assert (facts["replaced"], facts["next"]) == (False, "dbt build")
    assert facts["files"][0]["name"] == "orders.csv"
    again = json.loads(land(ORDERS, "--json").out)
    assert "has already landed" in again["error"]
    assert mesh.folder.is_dir()


def test_several_files_are_one_batch(mesh: Mesh, portmesh: Portmesh) -> None:
    for number in (1, 2):
        (mesh.folder / f"{number}.csv").write_text(HEADER + f"{number};x;1,00;01.01.2026\n")
    landed = portmesh("land", "shop.orders", "1.csv", "2.csv", "--batch", "january")
    assert landed.exit_code == 0, landed.err
    assert [row[0] for row in rows(mesh, "shop__orders/january")] == [1, 2]
    assert [file["name"] for file in manifest(mesh, "shop__orders/january")["files"]] == ["1.csv", "2.csv"]


def test_a_bad_row_refuses_the_batch_and_is_named_with_its_line(mesh: Mesh, land: Callable[..., Call]) -> None:
    refused = land(ORDERS + "5;Al;0,50;24.11.2026\n" * 7 + "3;Eve;12,3a;24.11.2026\n4;too few\n" + "x\n" * 7)
    assert refused.exit_code == 1
    assert "9 of 18 rows cannot be read, so nothing was landed in shop.orders." in refused.err
    assert "orders.csv, line 12   sales_value: '12,3a' is not decimal(10,2)\n" in refused.err
    assert "3;Eve;12,3a;24.11.2026" in refused.err
    assert "orders.csv, line 13   2 values instead of 4" in refused.err
    assert "and                   4 more" in refused.err
    assert f"columns and landing in {FILE}" in refused.err
    assert "set such rows aside: landing: {bad_rows: set_aside}" in refused.err
    assert contents(mesh) == {}
    assert list((mesh.folder / ".lake/.staging").iterdir()) == []
    facts = json.loads(land(ORDERS + "x\n", "--json").out)
    assert (facts["rejected"], facts["rows"]) == (1, 3)
    assert facts["first"] == [{"file": "orders.csv", "line": 5, "reason": "1 value instead of 4", "text": "x"}]


def test_setting_aside_is_not_advised_if_most_rows_are_bad(land: Callable[..., Call]) -> None:
    refused = land(ORDERS + "x\n" * 3)
    assert refused.exit_code == 1
    assert "3 of 5 rows cannot be read, so nothing was landed in shop.orders.\n" in refused.err
    assert "set_aside" not in refused.err
    assert "most rows are refused, so the file is probably written in another way than the YAML says" in refused.err


@pytest.mark.parametrize(
    ("text", "said"),
    [("no json\n" * 3, "None of the 3 rows can be read"), ("no json\n", "The only row cannot be read")],
)
def test_a_batch_of_which_every_row_is_set_aside_is_refused(
    mesh: Mesh, land: Callable[..., Call], text: str, said: str
) -> None:
    refused = land(text, table="shop.events", name="events.json")
    assert refused.exit_code == 1
    assert f"{said}, so nothing was landed in shop.events. A batch needs at least one row" in refused.err
    assert "bad_rows" not in refused.err
    assert contents(mesh) == {}


@pytest.mark.thorough
def test_rows_are_set_aside_where_the_source_says_so_and_the_port_measures_them(
    mesh: Mesh, land: Callable[..., Call], portmesh: Portmesh
) -> None:
    def land_events(text: str, *options: str) -> Call:
        return land(text, *options, table="shop.events", name="events.json")

    assert land_events('{"id": 1, "kind": "a"}\n').exit_code == 0
    assert (manifest(mesh, "events__rejected/2026-11-23")["rows"], mesh.dbt("build").exit_code) == (0, 1)
    built = mesh.dbt("build", "--select", "+events")
    assert built.ok, built.output
    landed = land_events('{"id": 1, "kind": "a"}\n{"id": "x"}\nno json\n{"id": 2}\n', "--batch", "2")
    assert landed.exit_code == 0, landed.err
    assert "Landed events/2: 2 rows; 2 rows set aside." in landed.out
    assert "events__rejected/2: file, line, reason and text of each" in landed.out
    assert rows(mesh, "events__rejected/2") == [
        ("events.json", 2, "id: 'x' is not bigint", '{"id": "x"}'),
        ("events.json", 3, "not JSON: expecting value, at character 1", "no json"),
    ]
    refused = mesh.dbt("build", "--select", "+events")
    assert not refused.ok
    assert "rejected_rows" in refused.messages["events"]
    assert "1 batch" in refused.messages["events"]
    # A better file replaces both feeds' batches.
    assert land_events('{"id": 1, "kind": "a"}\n{"id": 2}\n{"id": "y"}\n', "--batch", "2", "--replace").exit_code == 0
    assert [row[1] for row in rows(mesh, "events__rejected/2")] == [3]
    built = mesh.dbt("build", "--select", "+events")
    assert built.ok, built.output
    # And it is withdrawn together with its rejected rows.
    assert portmesh("land", "shop.events", "--withdraw", "2").exit_code == 0
    assert sorted(FolderLake(mesh.folder / ".lake").feeds()) == ["events", "events__rejected"]
    assert {path.rpartition("/")[0] for path in contents(mesh)} == {"events/2026-11-23", "events__rejected/2026-11-23"}


def test_a_key_that_occurs_twice_refuses_the_batch(mesh: Mesh, land: Callable[..., Call]) -> None:
    refused = land(ORDERS + "2;Zoe;3,00;24.11.2026\n")
    assert refused.exit_code == 1
    assert "1 key of shop.orders occurs more than once in the batch, so nothing was landed." in refused.err
    assert "got    2: 2 rows" in refused.err
    assert contents(mesh) == {}


def test_a_landed_batch_is_replaced_and_withdrawn_by_name_only(
    mesh: Mesh, land: Callable[..., Call], portmesh: Portmesh
) -> None:
    land(ORDERS)
    before = contents(mesh)
    again = land(HEADER + "7;x;1,00;01.01.2026\n")
    assert again.exit_code == 2
    assert "next    portmesh land shop.orders FILE --batch 2026-11-23 --replace\n" in again.err
    assert contents(mesh) == before
    replaced = land(HEADER + "7;x;1,00;01.01.2026\n", "--replace")
    assert replaced.out.startswith("Replaced shop__orders/2026-11-23: 1 row.")
    assert [row[0] for row in rows(mesh, "shop__orders/2026-11-23")] == [7]
    refused = land(HEADER + "7;x;oops;01.01.2026\n", "--replace")
    assert (refused.exit_code, [row[0] for row in rows(mesh, "shop__orders/2026-11-23")]) == (1, [7])
    unknown = portmesh("land", "shop.orders", "--withdraw", "2026-11-24")
    assert unknown.exit_code == 2
    assert "landed batches of shop__orders: 2026-11-23" in unknown.err
    assert land(HEADER + "8;x;1,00;01.01.2026\n", "--batch", "2").exit_code == 0
    withdrawn = portmesh("land", "shop.orders", "--withdraw", "2").out
    assert withdrawn.startswith("Removed shop__orders/2 from the lake.\n\n")
    assert withdrawn.endswith("next   dbt build\n")
    last = portmesh("land", "shop.orders", "--withdraw", "2026-11-23").out
    assert last.startswith(
        "Removed shop__orders/2026-11-23 from the lake.\nIt was the last batch: shop.orders has no rows"
    )
    assert last.endswith("next   portmesh land shop.orders FILE, then dbt build\n")
    assert contents(mesh) == {}


def test_a_damaged_batch_is_named_before_another_lands(mesh: Mesh, land: Callable[..., Call]) -> None:
    land(ORDERS, "--batch", "1")
    data = mesh.folder / ".lake/shop__orders/1/data.parquet"
    data.write_bytes(data.read_bytes()[:-1])
    refused = land(ORDERS, "--batch", "2")
    assert refused.exit_code == 1
    assert "1 batch in the lake is damaged, so nothing was landed." in refused.err
    assert "portmesh land shop.orders FILE --batch 1 --replace" in refused.err
    assert land(ORDERS, "--batch", "1", "--replace").exit_code == 0
    assert land(ORDERS, "--batch", "2").exit_code == 0


def test_the_name_of_a_feed_is_enough_as_dbts_messages_have_it(mesh: Mesh, land: Callable[..., Call]) -> None:
    outcome = mesh.dbt("build", "--select", "+orders")
    assert "next    portmesh land shop.orders FILE, then dbt build" in outcome.output
    assert land(ORDERS, table="shop__orders").exit_code == 0


@pytest.mark.thorough
def test_a_new_column_is_null_in_earlier_batches_and_no_other_change_lands(
    mesh: Mesh, land: Callable[..., Call]
) -> None:
    land(ORDERS, "--batch", "1")
    more = "          - {name: order_date, data_type: date}\n          - {name: channel, data_type: string}"
    mesh.write(FILE, SOURCES.replace("          - {name: order_date, data_type: date}", more))
    landed = land("channel;" + HEADER + "web;9;x;1,00;01.01.2026\n", "--batch", "2")
    assert landed.exit_code == 0, landed.err
    assert mesh.dbt("run", "--select", "stg_shop__orders").ok
    found = mesh.rows("select order_id, channel from sales__internal.stg_shop__orders order by 1")
    assert found == [(1, None), (2, None), (9, "web")]
    for old, new, got in (
        (
            'data_type: "decimal(10,2)"',
            "data_type: double",
            "sales_value DOUBLE\n  landed    sales_value DECIMAL",
        ),
        ("          - {name: customer, data_type: string}\n", "", "got       customer missing"),
    ):
        mesh.write(FILE, SOURCES.replace("          - {name: order_date, data_type: date}", more).replace(old, new))
        refused = land(HEADER, "--batch", "3")
        assert refused.exit_code == 1
        assert "The columns of shop.orders differ from those of the batches that have landed" in refused.err
        assert got in refused.err
    mesh.write(FILE, SOURCES)
    assert "got       channel missing" in land(ORDERS, "--batch", "3").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("land shop.ordrs orders.csv", "There is no source table 'shop.ordrs'. Did you mean shop.orders?"),
        ("land raw.lines orders.csv", "raw.lines has no landing, so no file can land in it.\n\n  file   domains/sales"),
        ("land shop.orders", "There is nothing to land: no file was named."),
        ("land shop.orders nofile.csv", "There is no such file to land."),
        ("land shop.orders .", "A folder cannot land, only files."),
        ("land shop.orders orders.csv orders.csv", "The same file is named twice"),
        ("land shop.orders orders.csv --batch a/b", "This cannot be the name of a batch."),
        ("land shop.orders orders.csv --batch ..", "This cannot be the name of a batch."),
        ("land shop.orders orders.csv --landed-at noon", "--landed-at is not a time."),
        ("land shop.orders orders.csv --withdraw 1", "--withdraw takes no files"),
        ("land shop.orders --withdraw 1", "shop__orders/1 is not in the lake, so nothing was withdrawn."),
        ("land shop.orders orders.csv --target moon", "There is no target 'moon'."),
        ("land shop.orders orders.csv --lake s3://x", "The target cannot read this lake."),
    ],
)
def test_wrong_use_is_explained_and_changes_nothing(
    mesh: Mesh, land: Callable[..., Call], portmesh: Portmesh, arguments: str, said: str
) -> None:
    land(ORDERS)
    before = contents(mesh)
    refused = portmesh(*arguments.split())
    assert refused.exit_code in (2, 3)
    assert said in refused.err
    assert contents(mesh) == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format: csv", "fromat: csv", "landing has no key 'fromat'. Did you mean format?"),
        ("schema: landed", "schema: elsewhere", "got       schema: elsewhere\n  allowed   landed"),
        ("external_location", "exempt", "config.meta.external_location: nothing\n  allowed   landed('shop__orders')"),
        ("name: events", "name: events\n        identifier: shop__orders", "Two source tables land in the feed shop"),
        ("{format: csv,", "[1] # {format: csv,", "landing.format is not valid"),
    ],
)  # fmt: skip
def test_a_source_that_contradicts_itself_is_named(
    mesh: Mesh, land: Callable[..., Call], old: str, new: str, said: str
) -> None:
    mesh.write(FILE, SOURCES.replace(old, new, 1))
    refused = land(ORDERS)
    assert refused.exit_code == 2
    assert said in refused.err
    assert contents(mesh) == {}


# Broken landings

KILLER = """
import os, signal, sys
from portmesh.lake import folder, lake, land_files
from portmesh.cli import main
place, name, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
owner = {"staged": lake.Staged, "lake": folder.FolderLake, "folder": folder, "land": land_files}[place]
real = getattr(owner, name)
def wrapped(*args, **more):
    global times
    times -= 1
    if times == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **more)
setattr(owner, name, wrapped)
main(sys.argv[4:])
"""


@pytest.mark.parametrize(
    ("place", "name", "times"),
    [
        ("staged", "close", 1),
        ("lake", "publish", 2),
        *(
            pytest.param(*where, marks=pytest.mark.nightly)
            for where in (
                *[("staged", "write", 1), ("land", "_assert_unique", 1), ("lake", "publish", 1)],
                *[("folder", "_describe", 1), ("folder", "_sync", 3), ("folder", "_describe", 2)],
                *[("lake", "withdraw", 1), ("lake", "withdraw", 2)],
            )
        ),
    ],
)
@pytest.mark.thorough
@pytest.mark.ci_cases(1)
def test_a_killed_replacement_leaves_whole_batches_and_can_be_repeated(
    mesh: Mesh, land: Callable[..., Call], place: str, name: str, times: int
) -> None:
    def land_events(text: str, *options: str) -> Call:
        return land(text, *options, table="shop.events", name="events.json")

    old, new = '{"id": 1, "kind": "old"}\nx\n', '{"id": 2, "kind": "new"}\ny\n'
    assert land_events(old, "--batch", "0").exit_code == land_events(old, "--batch", "1").exit_code == 0
    (mesh.folder / "new.json").write_text(new)
    arguments = ["land", "shop.events", "new.json", "--batch", "1", "--replace"]
    killed = subprocess.run(
        [sys.executable, "-c", KILLER, place, name, str(times), *arguments], cwd=mesh.folder, check=False,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")}, capture_output=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    lake = FolderLake(mesh.folder / ".lake")
    found = dict(lake.inspect_all())
    assert all(isinstance(batch, Manifest) for batch in found.values())
    # Between the two renames of a replacement the batch is not there; it is never there in part.
    assert {"events/0", "events__rejected/0"} <= {str(batch) for batch in found}
    with contextlib.suppress(duckdb.IOException):
        assert rows(mesh, "events/1") in ([(1, "old")], [(2, "new")])
    repeated = land_events(new, "--batch", "1", "--replace")
    assert repeated.exit_code == 0, repeated.err
    assert rows(mesh, "events/1") == [(2, "new")]
    assert [row[3] for row in rows(mesh, "events__rejected/1")] == ["y"]
    assert list((mesh.folder / ".lake/.staging").iterdir()) == []


def test_a_disk_that_is_full_is_told(mesh: Mesh, land: Callable[..., Call], monkeypatch: pytest.MonkeyPatch) -> None:
    def is_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("portmesh.lake.lake.Staged.write", is_full)
    refused = land(ORDERS)
    assert refused.exit_code == 2
    assert "got     No space left on device\n" in refused.err
    assert contents(mesh) == {}


def test_two_landings_at_once_are_refused(mesh: Mesh, land: Callable[..., Call]) -> None:
    with FolderLake(mesh.folder / ".lake").landing():
        refused = land(ORDERS)
    assert refused.exit_code == 2
    assert "Another landing is running in this lake; nothing was changed." in refused.err
