"""A port is the relation that consumers read: records, versions and increments belong to it, not to dbt's node."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.engine import ENGINES, engine_at
from tests.engine_glue import OnGlue
from tests.mesh import Mesh
from tests.test_increments import COLUMNS as SALES_COLUMNS
from tests.test_increments import SALES, contents, land, last_attempt, publish_first_batch
from tests.test_output_port import COLUMNS, EXEMPT, EXEMPT_WITH_HOOKS, LINES, good

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

FOLDER = "domains/shop/models/output_ports"


@pytest.fixture
def sales(mesh: Mesh) -> Mesh:
    """The incremental port shop.sales with the 100 rows of batch 1, which the source no longer has."""
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES, SALES_COLUMNS, meta=EXEMPT)
    publish_first_batch(mesh, rows=100)
    mesh.change_source("sales", "delete from raw.sales")
    return mesh


@pytest.fixture
def shop(shop: Mesh) -> Mesh:
    """The port shop.lines with 100 rows, published."""
    assert shop.dbt("build").ok
    return shop


def give_versions(mesh: Mesh, name: str, sql: dict[int, str], entries: str) -> None:
    """Split a port into model versions: SQL by version, and the YAML under `versions:`."""
    for version, text in sql.items():
        mesh.write(f"{FOLDER}/{name}_v{version}.sql", text)
    if (mesh.folder / FOLDER / f"{name}.sql").exists():
        mesh.remove(f"{FOLDER}/{name}.sql")
    path = mesh.folder / FOLDER / f"{name}.yml"
    text = re.sub(r"(?s)    latest_version:.*", "", path.read_text())
    path.write_text(text + f"    latest_version: {max(sql)}\n    versions:\n" + entries)


def test_an_incremental_port_that_gets_a_version_keeps_its_rows(sales: Mesh) -> None:
    give_versions(sales, "sales", {1: SALES}, "      - {v: 1, config: {alias: sales}}\n")
    land(sales, 100, 50, batch=2)
    built = sales.dbt("build")
    assert built.ok, built.output
    assert last_attempt(sales) == ("increment", "published", 150)
    assert contents(sales) == [("1", 100, 100), ("2", 50, 50)]

    sales.remove(f"{FOLDER}/sales_v1.sql")
    sales.port("shop/sales", SALES, SALES_COLUMNS, meta=EXEMPT)
    land(sales, 150, 50, batch=3)
    built = sales.dbt("build")
    assert built.ok, built.output
    assert contents(sales) == [("1", 100, 100), ("2", 50, 50), ("3", 50, 50)]


def test_a_second_version_takes_over_the_name_of_the_first(shop: Mesh) -> None:
    first, second = "      - {v: 1, config: {alias: lines}}\n", "      - {v: 2}\n"
    give_versions(shop, "lines", {1: LINES, 2: LINES}, first + second)
    assert shop.dbt("build").ok
    shop.remove(f"{FOLDER}/lines_v1.sql")
    give_versions(shop, "lines", {2: LINES}, "      - {v: 2, config: {alias: lines}}\n")
    for rows in (110, 120, 130):
        shop.land("lines", good(rows))
        built = shop.dbt("build")
        assert built.ok, built.output
        assert shop.value("select count(*) from shop.lines") == rows
    assert shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines.v2}").ok
    assert shop.value("select count(*) from shop.lines") == 120


def test_a_column_is_added_to_an_incremental_port_without_a_full_refresh(sales: Mesh) -> None:
    sales.port(
        "shop/sales",
        SALES.replace("cast(amount as bigint) as amount", "cast(amount as bigint) as amount, cast(7 as int) as more"),
        SALES_COLUMNS + "- {name: more, data_type: int, description: More.}\n",
        meta=EXEMPT,
    )
    land(sales, 100, 50, batch=2)
    built = sales.dbt("build")
    assert built.ok, built.output
    assert last_attempt(sales) == ("increment", "published", 150)
    assert sales.rows("select batch, count(more), sum(more) from shop.sales group by 1 order by 1") == [
        ("1", 0, None),
        ("2", 50, 350),
    ]
    land(sales, 150, 50, batch=3)
    assert sales.dbt("build").ok
    assert sales.value("select count(*) from shop.sales") == 200


def test_a_refused_increment_with_a_new_column_changes_nothing_that_consumers_see(sales: Mesh) -> None:
    before = sales.engine.columns("shop.sales")
    sales.port(
        "shop/sales",
        SALES.replace("cast(amount as bigint) as amount", "cast(amount as bigint) as amount, cast(7 as int) as more"),
        SALES_COLUMNS + "- {name: more, data_type: int, description: More., data_tests: [not_null]}\n",
        meta=EXEMPT,
    )
    land(sales, 100, 50, batch=2)
    refused = sales.dbt("build")
    assert "not_null   more     100 rows   100 of 150" in refused.messages["sales"]
    assert sales.engine.columns("shop.sales") == before
    assert contents(sales) == [("1", 100, 100)]


@pytest.mark.parametrize(
    ("sql", "columns", "row"),
    [
        (("cast(channel as {{ dbt.type_string() }}) as channel,", ""), ("- name: channel", "- name: gone"), "channel"),
        (("as amount", "as total"), ("{name: amount", "{name: total"), "amount   not declared   decimal(10,2)"),
        (("decimal(10, 2)", "double"), ('"decimal(10,2)"', "double"), "amount   double     decimal(10,2)"),
        (("decimal(10, 2)", "decimal(8, 2)"), ('"decimal(10,2)"', '"decimal(8,2)"'), "amount   decimal(8,2)"),
    ],
    ids=["gone", "renamed", "retyped", "narrowed"],
)
@pytest.mark.ci_cases(2)
def test_what_breaks_readers_is_refused_before_anything_is_written(
    shop: Mesh, sql: tuple[str, str], columns: tuple[str, str], row: str
) -> None:
    changed = COLUMNS.replace(*columns)
    if "gone" in changed:
        changed = re.sub(r"(?s)- name: gone.*?- \{name: amount", "- {name: amount", changed)
    shop.port("shop/lines", LINES.replace(*sql), changed, meta=EXEMPT)
    refused = shop.dbt("build")
    message = refused.messages["lines"]
    assert "would break its consumers" in message
    assert " ".join(row.split()) in " ".join(message.split()), message
    assert "publish it as a new model version (docs/analyst.md)" in message
    assert "config.meta.agreements: [{from: 1.0.0, with: [" in message
    assert shop.value("select sum(amount) from shop.lines") == 150
    assert shop.engine.candidates("shop.lines") == []


def test_a_change_that_published_rows_cannot_follow_asks_for_a_full_refresh_once_it_is_agreed(sales: Mesh) -> None:
    land(sales, 100, 50, batch=2)
    agreed = EXEMPT + "\nagreements: [{from: 1.0.0, with: [], reason: Nobody reads it.}]"
    sales.port(
        "shop/sales",
        SALES.replace("cast(amount as bigint)", "cast(amount as int)"),
        SALES_COLUMNS.replace("name: amount\n  data_type: bigint", "name: amount\n  data_type: int"),
        meta=agreed,
    )
    path = sales.folder / FOLDER / "sales.yml"
    path.write_text(path.read_text().replace("version: 1.0.0", "version: 2.0.0"))
    message = sales.dbt("build").messages["sales"]
    assert "an increment cannot be added to them" in message
    assert "dbt build --full-refresh --select sales+" in message
    (sales.folder / FOLDER / "sales.sql").write_text(
        "{{ config(full_refresh=false) }}" + (sales.folder / FOLDER / "sales.sql").read_text()
    )
    assert "remove full_refresh: false from models/output_ports/sales.sql" in sales.dbt("build").messages["sales"]
    sales.port(
        "shop/sales",
        SALES.replace("cast(amount as bigint)", "cast(amount as int)"),
        SALES_COLUMNS.replace("name: amount\n  data_type: bigint", "name: amount\n  data_type: int"),
        meta=agreed,
    )
    path.write_text(path.read_text().replace("version: 1.0.0", "version: 2.0.0"))
    assert sales.dbt("build", "--full-refresh").ok
    assert contents(sales) == [("2", 50, 50)]


def test_another_key_is_refused(sales: Mesh) -> None:
    sales.port("shop/sales", SALES.replace("='sale_id'", "='batch'"), SALES_COLUMNS, meta=EXEMPT)
    assert "the key   batch      sale_id" in sales.dbt("build").messages["sales"]


def test_an_agreement_with_every_consumer_lets_a_column_go(shop: Mesh) -> None:
    agreed = "agreements: [{from: 1.0.0, with: [desk], reason: Nobody reads it.}]"
    consumers = "consumers: [{name: desk, purpose: A test.}, {name: board, purpose: Another.}]"
    sql = LINES.replace("cast(amount as decimal(10, 2)) as amount,", "")
    columns = COLUMNS.replace('- {name: amount, data_type: "decimal(10,2)", description: Euro.}\n', "")
    shop.port("shop/lines", sql, columns, meta=f"{EXEMPT}\n{consumers}\n{agreed}")
    path = shop.folder / FOLDER / "lines.yml"
    path.write_text(path.read_text().replace("version: 1.0.0", "version: 2.0.0"))
    assert "would break its consumers" in shop.dbt("build").messages["lines"]

    path.write_text(path.read_text().replace("with: [desk]", "with: [desk, board]"))
    built = shop.dbt("build")
    assert built.ok, built.output
    assert [name for name, _ in shop.engine.columns("shop.lines")] == ["line_id", "channel", "landed_at"]
    assert shop.value("select count(*) from shop.lines") == 100


def test_consumers_agree_in_their_own_folders(shop: Mesh) -> None:
    sql = LINES.replace("cast(amount as decimal(10, 2)) as amount,", "")
    columns = COLUMNS.replace('- {name: amount, data_type: "decimal(10,2)", description: Euro.}\n', "")
    shop.port("shop/lines", sql, columns, meta=f"{EXEMPT}\nconsumers: [{{name: board, purpose: A test.}}]")
    path = shop.folder / FOLDER / "lines.yml"
    path.write_text(path.read_text().replace("version: 1.0.0", "version: 2.0.0"))
    agreed = "{port: shop.lines, version: 3.0.0, by: Ana, date: 2026-11-01}"
    exposure = f"""
        exposures:
          - name: board
            type: dashboard
            owner: {{email: board@example.com}}
            depends_on: [ref('lines')]
            config: {{meta: {{agreements: [{agreed}]}}}}
    """
    shop.write("domains/shop/models/board.yml", exposure)
    assert "would break its consumers" in shop.dbt("build").messages["lines"]
    shop.write("domains/shop/models/board.yml", exposure.replace("3.0.0", "2.0.0"))
    built = shop.dbt("build")
    assert built.ok, built.output


def agree_on(mesh: Mesh, sql: str, columns: str) -> None:
    """Give shop.lines a contract 2.0.0 that all its consumers agreed on."""
    mesh.port("shop/lines", sql, columns, meta=f"{EXEMPT}\nagreements: [{{from: 1.0.0, with: [], reason: A test.}}]")
    path = mesh.folder / FOLDER / "lines.yml"
    path.write_text(path.read_text().replace("version: 1.0.0", "version: 2.0.0"))


GONE = (
    LINES.replace("cast(amount as decimal(10, 2)) as amount,", ""),
    COLUMNS.replace('- {name: amount, data_type: "decimal(10,2)", description: Euro.}\n', ""),
)
RETYPED = (LINES.replace("decimal(10, 2)", "double"), COLUMNS.replace('"decimal(10,2)"', "double"))


@pytest.mark.parametrize(("sql", "columns"), [GONE, RETYPED], ids=["gone", "retyped"])
@pytest.mark.ci_cases(1)
def test_a_rollback_takes_back_what_an_agreement_changed(shop: Mesh, sql: str, columns: str) -> None:
    """Athena adds a column that is added back after all others."""
    read = "select line_id, channel, amount, landed_at from shop.lines order by line_id"
    before, rows = sorted(shop.engine.columns("shop.lines")), shop.rows(read)
    agree_on(shop, sql, columns)
    built = shop.dbt("build")
    assert built.ok, built.output
    assert sorted(shop.engine.columns("shop.lines")) != before

    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    back = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert back.ok, back.output
    assert sorted(shop.engine.columns("shop.lines")) == before
    assert shop.rows(read) == rows
    shop.land("lines", good(120))
    assert shop.dbt("build").ok
    assert shop.value("select sum(amount) from shop.lines") == 180


@pytest.mark.engines("emr")
def test_a_changed_contract_keeps_the_place_the_history_and_the_tags_of_the_port(shop: Mesh) -> None:
    assert isinstance(shop.engine, OnGlue)
    before = shop.engine.catalog.load_table("shop.lines")
    agree_on(shop, *GONE)
    assert shop.dbt("build").ok
    after = shop.engine.catalog.load_table("shop.lines")
    assert (after.metadata.table_uuid, after.location()) == (before.metadata.table_uuid, before.location())
    assert before.properties.items() <= after.properties.items()
    assert {s.snapshot_id for s in before.snapshots()} < {s.snapshot_id for s in after.snapshots()}
    assert set(after.refs()) == {"main", "v1.0.0", "v2.0.0"}
    assert shop.engine.run("select sum(amount) from shop.lines version as of 'v1.0.0'").fetchall() == [(150,)]


@pytest.mark.engines("emr", "athena")
def test_a_column_goes_from_a_partitioned_port(mesh: Mesh) -> None:
    by_channel = "{{ config(partition_by='channel') }}"
    mesh.set_up("shop")
    mesh.port("shop/lines", by_channel + LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    agree_on(mesh, by_channel + GONE[0], GONE[1])
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert isinstance(mesh.engine, OnGlue)
    table = mesh.engine.catalog.load_table("shop.lines")
    assert [field.name for field in table.schema().fields] == ["line_id", "channel", "landed_at"]
    assert [field.name for field in table.spec().fields] == ["channel"]
    assert mesh.value("select count(*) from shop.lines") == 100


@pytest.mark.engines("emr", "athena")
def test_readers_see_a_changed_contract_whole(shop: Mesh) -> None:
    """Consumers see either the old columns or the new ones, and never a column without its values."""
    seen, is_done = [], Event()

    def read() -> None:
        reader = engine_at(shop.target, shop.folder)
        while not is_done.is_set():
            seen.append(reader.rows("select * from shop.lines"))

    shop.port(
        "shop/lines",
        LINES.replace("cast(landed_at", "cast(line_id as int) as extra, cast(landed_at"),
        COLUMNS + "- {name: extra, data_type: int, description: More.}\n",
        meta=EXEMPT,
    )
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(read)
        built = shop.dbt("build")
        is_done.set()
        reading.result()
    assert built.ok, built.output
    assert {(len(rows), len(rows[0])) for rows in seen} == {(100, 4), (100, 5)}
    assert all(row[0] == row[4] for rows in seen for row in rows if len(row) == 5)


def test_versions_follow_what_replaced_what_and_not_the_clock(shop: Mesh) -> None:
    """The first version is built on a machine whose clock is ahead; the third version is refused."""
    shop.execute("update portmesh.publications__shop set attempted_at = attempted_at + interval 1 hour")
    shop.land("lines", good(120))
    assert shop.dbt("build").ok
    assert shop.value("select count(*) from shop.lines") == 120
    shop.land("lines", good(120) + " union all select 5, 'store', 2, now()::timestamp")
    refused = shop.dbt("build")
    assert "UTC (120 rows)" in refused.messages["lines"]
    assert shop.value("select count(*) from shop.lines") == 120
    shop.land("lines", good(130))
    assert shop.dbt("build").ok
    assert shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}").ok
    assert shop.value("select count(*) from shop.lines") == 120


@pytest.mark.engines("local")
def test_what_a_view_reads_is_not_dropped(shop: Mesh) -> None:
    stored = shop.engine.stored_in("shop.lines")
    shop.execute(f"create schema desk; create view desk.of_a_reader as select * from {stored}")
    for rows in (110, 120, 130, 140):
        shop.land("lines", good(rows))
        assert shop.dbt("build").ok
    assert shop.value("select count(*) from desk.of_a_reader") == 100


def test_a_rollback_goes_by_the_key_that_the_version_was_published_with(sales: Mesh) -> None:
    land(sales, 50, 100, batch=2, amount="2")
    assert sales.dbt("build").ok
    sales.port("shop/sales", SALES.replace("='sale_id'", "='batch'"), SALES_COLUMNS, meta=EXEMPT)
    back = sales.dbt("run-operation", "rollback", "--args", "{port: shop.sales}")
    assert back.ok, back.output
    assert contents(sales) == [("1", 100, 100)]
    assert last_attempt(sales) == ("rollback", "rolled_back", 100)


def test_a_rollback_measures_the_domains_own_checks(shop: Mesh) -> None:
    shop.write(
        "domains/shop/macros/fewer_than.sql",
        "{% test fewer_than(model, most) %}select count(*) from {{ model }} "
        "having {{ shop_too_many(most) }}{% endtest %}"
        "{% macro shop_too_many(most) %}count(*) >= {{ most }}{% endmacro %}",
    )
    fewer = "data_tests: [{{fewer_than: {{arguments: {{most: {}}}, config: {{where: line_id >= 0}}}}}}]"
    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT, extra=fewer.format(200))
    shop.land("lines", good(90))
    assert shop.dbt("build").ok
    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT, extra=fewer.format(95))
    refused = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert "fewer_than" in refused.output
    assert shop.value("select count(*) from shop.lines") == 90
    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT, extra=fewer.format(200))
    assert shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}").ok
    assert shop.value("select count(*) from shop.lines") == 100


def test_a_rollback_to_a_version_that_fails_todays_checks_is_refused(shop: Mesh) -> None:
    shop.land("lines", good(120))
    assert shop.dbt("build").ok
    at_least = "data_tests: [{row_count_between: {arguments: {min_rows: 110}}}]"
    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT, extra=at_least)
    refused = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert not refused.ok
    assert "does not pass today's checks" in refused.output
    assert "row_count_between" in refused.output
    assert shop.value("select count(*) from shop.lines") == 120


@pytest.mark.engines("local")
def test_a_hook_that_changes_the_port_after_its_audit_publishes_nothing(shop: Mesh) -> None:
    shop.land("lines", good(120))
    hook = "create or replace view {{ this }} as select * from raw.lines where line_id < 7"
    shop.port("shop/lines", f'{{{{ config(post_hook="{hook}") }}}}' + LINES, COLUMNS, meta=EXEMPT_WITH_HOOKS)
    refused = shop.dbt("build")
    assert (
        "was not published: a hook of the port, or someone else, changed it after its audit"
        in refused.messages["lines"]
    )
    assert "a view on something else" in refused.messages["lines"]
    assert shop.value("select count(*) from shop.lines") == 100


@pytest.mark.engines("local")
@pytest.mark.parametrize(
    ("sql_type", "portable", "first", "second"),
    [
        ("date", "date", "date '2020-01-01'", "date 'infinity'"),
        ("timestamp", "timestamp", "timestamp '2020-01-01 00:00:00.000001'", "timestamp '-infinity'"),
        ("double", "double", "1.5", "'nan'::double"),
        ("double", "double", "'-inf'::double", "'inf'::double"),
        ("varchar", "string", "'true'", "'null'"),
        ("decimal(10, 2)", '"decimal(10,2)"', "1.10", "-99999999.99"),
    ],
)
@pytest.mark.ci_cases(2)
def test_a_key_of_any_value_is_replaced_when_it_comes_again(
    mesh: Mesh, sql_type: str, portable: str, first: str, second: str
) -> None:
    """The bounds of keys pass through dbt unchanged: infinity, microseconds, texts such as `null`."""
    mesh.set_up("shop", sources=("sales",))
    sql = SALES.replace("='sale_id'", "='k'").replace(
        "cast(sale_id as bigint) as sale_id", f"cast(k as {sql_type}) as k"
    )
    columns = SALES_COLUMNS.replace("name: sale_id\n  data_type: bigint", f"name: k\n  data_type: {portable}")
    mesh.port("shop/sales", sql, columns, meta=EXEMPT)
    rows = "select {} as k, 1 as amount, '{}' as batch, timestamp '2026-01-0{}' as landed_at"
    mesh.land("sales", rows.format(first, 1, 1) + " union all " + rows.format(second, 1, 1))
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    mesh.execute("insert into raw.sales " + rows.format(second, 2, 2))
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert contents(mesh) == [("1", 1, 1), ("2", 1, 1)]


@pytest.mark.engines("local")
def test_a_collation_of_the_models_does_not_reach_the_port(shop: Mesh) -> None:
    shop.port("shop/lines", LINES.replace("as channel", "collate nocase as channel"), COLUMNS, meta=EXEMPT)
    shop.land("lines", good(2) + " union all select 7, 'STORE', 1, now()::timestamp")
    refused = shop.dbt("build")
    assert "STORE" in refused.messages["lines"]
