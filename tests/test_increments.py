"""An incremental port writes, audits and joins only its increment, and can still be rolled back."""

from __future__ import annotations

from random import Random

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import EXEMPT

pytestmark = pytest.mark.engines(*ENGINES)

SALES = """
{{ config(unique_key='sale_id') }}
select
    cast(sale_id as bigint) as sale_id,
    cast(amount as bigint) as amount,
    cast(batch as {{ dbt.type_string() }}) as batch,
    cast(landed_at as {{ dbt.type_timestamp() }}) as landed_at
from {{ source('raw', 'sales') }}
{% if is_incremental() %}
where landed_at > (select coalesce(max(landed_at), timestamp '1970-01-01') from {{ this }})
{% endif %}
"""
COLUMNS = """
- name: sale_id
  data_type: bigint
  description: Key.
  data_tests: [unique, not_null]
- name: amount
  data_type: bigint
  description: Amount.
  data_tests: [{accepted_values: {arguments: {values: [1, 2, 3], quote: false}}}]
- {name: batch, data_type: string, description: Batch.}
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""
AT_LEAST_ONE = "data_tests: [{row_count_between: {arguments: {min_rows: 1, max_rows: 250}}}]"


def publish_first_batch(mesh: Mesh, rows: int) -> None:
    """Land `rows` rows of batch 1, with keys from 0, and build the mesh for the first time."""
    mesh.land(
        "sales",
        f"select i as sale_id, 1 as amount, '1' as batch, timestamp '2026-01-01' as landed_at from range({rows}) t(i)",
    )
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok


@pytest.fixture
def sales(mesh: Mesh) -> Mesh:
    """The incremental port shop.sales with 100 rows of batch 1 published."""
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT, extra=AT_LEAST_ONE)
    publish_first_batch(mesh, rows=100)
    return mesh


def land(mesh: Mesh, first: int, rows: int, batch: int, amount: str = "1") -> None:
    mesh.change_source(
        "sales",
        f"insert into raw.sales select i, {amount}, '{batch}', timestamp '2026-01-0{batch}' "
        f"from range({first}, {first + rows}) t(i)",
    )


def last_attempt(mesh: Mesh) -> tuple[object, ...]:
    return mesh.rows(
        "select kind, verdict, row_count from portmesh.publications__shop order by attempted_at desc limit 1"
    )[0]


def scopes(mesh: Mesh) -> dict[str, str]:
    return dict(
        mesh.rows(
            "select kind, scope from portmesh.measurements__shop where invocation_id = "
            "(select invocation_id from portmesh.publications__shop order by attempted_at desc limit 1)"
        )
    )


def contents(mesh: Mesh) -> list[tuple[object, ...]]:
    return mesh.rows("select batch, count(*), sum(amount) from shop.sales group by batch order by batch")


def rollback(mesh: Mesh) -> None:
    outcome = mesh.dbt("run-operation", "rollback", "--args", "{port: shop.sales}")
    assert outcome.ok, outcome.output


def test_no_variable_makes_a_full_build_an_increment(sales: Mesh) -> None:
    land(sales, 100, 50, batch=2)
    assert sales.dbt("build", "--full-refresh", "--vars", "{compiles_increments: true}").ok
    assert last_attempt(sales) == ("full", "published", 150)


def test_only_the_increment_is_audited_where_the_rest_is_proved(sales: Mesh) -> None:
    land(sales, 100, 50, batch=2)
    built = sales.dbt("build")
    assert built.ok, built.output
    assert last_attempt(sales) == ("increment", "published", 150)
    assert contents(sales) == [("1", 100, 100), ("2", 50, 50)]
    assert scopes(sales) == {
        "unique": "keys",
        "not_null": "rows",
        "accepted_values": "rows",
        "row_count_between": "whole",
        "fresh_within": "whole",
    }


@pytest.mark.parametrize(
    ("first", "amount", "failed"),
    [(100, "9", "accepted_values"), (100, "case when i = 120 then 7 else 1 end", "accepted_values")],
)
def test_a_bad_increment_is_refused_and_the_port_stays(sales: Mesh, first: int, amount: str, failed: str) -> None:
    land(sales, first, 50, batch=2, amount=amount)
    refused = sales.dbt("build")
    assert refused.statuses["sales"] == "error"
    assert "1 value" in refused.messages["sales"]
    assert contents(sales) == [("1", 100, 100)]
    assert last_attempt(sales) == ("increment", "refused", 150)
    assert sales.rows("select kind from portmesh.measurements__shop where status = 'fail'") == [(failed,)]
    assert sales.value("select count(*) from shop__internal.accepted_values_sales_amount__false__1__2__3") == 1

    sales.change_source("sales", "update raw.sales set amount = 2 where batch = '2'")
    assert sales.dbt("build").ok
    assert contents(sales) == [("1", 100, 100), ("2", 50, 100)]


@pytest.mark.thorough
def test_a_key_twice_in_the_increment_is_refused(sales: Mesh) -> None:
    land(sales, 100, 50, batch=2)
    land(sales, 120, 1, batch=2)
    refused = sales.dbt("build")
    assert "unique" in refused.messages["sales"]
    assert sales.value("select failures from portmesh.measurements__shop where status = 'fail'") == 1
    assert contents(sales) == [("1", 100, 100)]


@pytest.mark.thorough
def test_a_key_of_another_column_is_looked_for_among_the_published_rows(mesh: Mesh) -> None:
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES.replace("='sale_id'", "='batch'"), COLUMNS, meta=EXEMPT)
    publish_first_batch(mesh, rows=100)
    land(mesh, 99, 5, batch=2)
    refused = mesh.dbt("build")
    assert refused.statuses["sales"] == "error"
    assert "99" in refused.messages["sales"]
    assert scopes(mesh)["unique"] == "keys"


def test_a_check_of_the_whole_sees_the_whole(sales: Mesh) -> None:
    land(sales, 100, 200, batch=2)
    refused = sales.dbt("build")
    assert "row_count_between" in refused.messages["sales"]
    assert contents(sales) == [("1", 100, 100)]


@pytest.mark.thorough
def test_a_new_check_is_measured_on_all_rows(sales: Mesh) -> None:
    columns = COLUMNS.replace(
        "description: Batch.}", "description: Batch., data_tests: [{accepted_values: {arguments: {values: ['2']}}}]}"
    )
    sales.port("shop/sales", SALES, columns, meta=EXEMPT, extra=AT_LEAST_ONE)
    land(sales, 100, 50, batch=2)
    refused = sales.dbt("build")
    assert refused.statuses["sales"] == "error"
    assert sales.value("select scope from portmesh.measurements__shop where status = 'fail'") == "whole"


def test_rows_that_land_again_replace_those_of_their_key_and_can_be_taken_back(sales: Mesh) -> None:
    land(sales, 50, 100, batch=2, amount="2")
    assert sales.dbt("build").ok
    assert contents(sales) == [("1", 50, 50), ("2", 100, 200)]
    rollback(sales)
    assert contents(sales) == [("1", 100, 100)]
    assert sales.dbt("build").ok
    assert contents(sales) == [("1", 50, 50), ("2", 100, 200)]


@pytest.mark.thorough
def test_a_full_build_after_increments_can_be_taken_back(sales: Mesh) -> None:
    land(sales, 100, 50, batch=2)
    assert sales.dbt("build").ok
    sales.change_source("sales", "delete from raw.sales where batch = '1'")
    assert sales.dbt("build", "--full-refresh").ok
    assert last_attempt(sales) == ("full", "published", 50)
    rollback(sales)
    assert contents(sales) == [("1", 100, 100), ("2", 50, 50)]


def test_nothing_new_changes_nothing(sales: Mesh) -> None:
    built = sales.dbt("build")
    assert built.ok, built.output
    assert last_attempt(sales) == ("increment", "unchanged", 100)
    assert built.messages["sales"] == "nothing new in 100 rows, 5 checks"
    assert set(built.statuses.values()) == {"success", "pass"}
    assert sales.engine.candidates("shop.sales") == []
    assert sales.engine.versions("shop.sales") == 1
    land(sales, 100, 50, batch=2)
    assert sales.dbt("build").ok
    rollback(sales)
    assert contents(sales) == [("1", 100, 100)]


@pytest.mark.thorough
def test_published_rows_follow_a_column_that_gets_wider(mesh: Mesh) -> None:
    mesh.set_up("shop", sources=("sales",))
    mesh.port(
        "shop/sales",
        SALES.replace("cast(amount as bigint)", "cast(amount as int)"),
        COLUMNS.replace("name: amount\n  data_type: bigint", "name: amount\n  data_type: int"),
        meta=EXEMPT,
    )
    publish_first_batch(mesh, rows=100)
    mesh.port("shop/sales", SALES, COLUMNS, meta=EXEMPT)
    land(mesh, 100, 50, batch=2)
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert last_attempt(mesh) == ("increment", "published", 150)
    assert contents(mesh) == [("1", 100, 100), ("2", 50, 50)]
    assert ("amount", "bigint") in [(name, kind.lower()) for name, kind in mesh.engine.columns("shop.sales")]


@pytest.mark.thorough
def test_keys_of_several_columns(mesh: Mesh) -> None:
    sql = SALES.replace("unique_key='sale_id'", "unique_key=['batch', 'sale_id']")
    columns = COLUMNS.replace("[unique, not_null]", "[not_null]")
    mesh.set_up("shop", sources=("sales",))
    mesh.port(
        "shop/sales",
        sql,
        columns,
        meta=EXEMPT,
        extra="data_tests: [{unique_combination: {arguments: {columns: [batch, sale_id]}}}]",
    )
    publish_first_batch(mesh, rows=100)
    land(mesh, 0, 50, batch=2)
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert contents(mesh) == [("1", 100, 100), ("2", 50, 50)]
    assert scopes(mesh)["unique_combination"] == "keys"
    land(mesh, 0, 50, batch=3)
    land(mesh, 0, 1, batch=3)
    refused = mesh.dbt("build")
    assert refused.statuses["sales"] == "error"
    assert contents(mesh) == [("1", 100, 100), ("2", 50, 50)]


def test_a_broken_check_leaves_the_published_rows(sales: Mesh) -> None:
    columns = COLUMNS.replace("[unique, not_null]", "[unique, not_null, broken]")
    sales.write("domains/shop/macros/broken.sql", "{% test broken(model, column_name) %}selec oops{% endtest %}")
    sales.port("shop/sales", SALES, columns, meta=EXEMPT, extra=AT_LEAST_ONE)
    land(sales, 100, 50, batch=2)
    assert "its check broken_sales_sale_id could not be run" in sales.dbt("build").output
    assert contents(sales) == [("1", 100, 100)]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("check", "scope"),
    [
        ("accepted_range: {arguments: {min_value: 0}}", "rows"),
        ("accepted_range: {arguments: {min_value: 0, max_value: 'year(current_date)'}}", "whole"),
        ("accepted_range: {arguments: {min_value: 0}, config: {where: 'landed_at < now()'}}", "whole"),
        ("accepted_range: {arguments: {min_value: 0}, config: {where: 'random() >= 0'}}", "whole"),
        ("accepted_range: {arguments: {min_value: 0, max_value: \"{{ var('year') }}\"}}", "whole"),
        ("accepted_range: {arguments: {min_value: '(select 0)'}}", "whole"),
        ('accepted_range: {arguments: {min_value: "(\\nselect 0)"}}', "whole"),
        ("accepted_range: {arguments: {min_value: 0}, config: {fail_calc: 'coalesce(sum(amount), 0)'}}", "whole"),
        ("accepted_range: {arguments: {min_value: 0}, config: {meta: {row_wise: false}}}", "whole"),
        ("accepted_range: {arguments: {min_value: 2}, config: {error_if: '>1000', warn_if: '>1000'}}", "whole"),
    ],
)
@pytest.mark.ci_cases(3)
def test_only_what_is_proved_and_stays_true_reads_the_increment_alone(sales: Mesh, check: str, scope: str) -> None:
    columns = COLUMNS.replace("description: Amount.\n", f"description: Amount.\n  data_tests: [{{{check}}}]\n").replace(
        "  data_tests: [{accepted_values: {arguments: {values: [1, 2, 3], quote: false}}}]\n", ""
    )
    clock = "localtimestamp()" if sales.target == "emr" else "localtimestamp"
    sales.set_up("shop", sources=("sales",), root={"vars": {"year": f"year({clock})"}})
    sales.port("shop/sales", SALES, columns, meta=EXEMPT)
    assert sales.dbt("build", "--full-refresh").ok
    land(sales, 100, 50, batch=2)
    assert sales.dbt("build").ok
    assert scopes(sales)["accepted_range"] == scope


@pytest.mark.thorough
def test_a_check_that_counts_in_another_way_is_another_check(sales: Mesh) -> None:
    tolerant = "[unique, {not_null: {config: {fail_calc: 'coalesce(min(0), 0)'}}}]"
    for data_tests, scope in ((tolerant, "whole"), ("[unique, not_null]", "whole"), ("[unique, not_null]", "rows")):
        sales.port("shop/sales", SALES, COLUMNS.replace("[unique, not_null]", data_tests), meta=EXEMPT)
        land(sales, sales.value("select count(*) from raw.sales"), 5, batch=2)
        assert sales.dbt("build").ok
        assert scopes(sales)["not_null"] == scope


@pytest.mark.thorough
def test_uniqueness_among_rows_that_the_clock_decides_is_measured_on_the_whole(sales: Mesh) -> None:
    unique = "{unique: {config: {where: 'landed_at < current_date'}}}"
    sales.port("shop/sales", SALES, COLUMNS.replace("[unique, not_null]", f"[{unique}, not_null]"), meta=EXEMPT)
    assert sales.dbt("build", "--full-refresh").ok
    land(sales, 100, 50, batch=2)
    assert sales.dbt("build").ok
    assert scopes(sales)["unique"] == "whole"


@pytest.mark.thorough
def test_nothing_new_does_not_hide_that_a_new_check_fails(sales: Mesh) -> None:
    sales.port("shop/sales", SALES, COLUMNS.replace("values: [1, 2, 3]", "values: [2]"), meta=EXEMPT)
    refused = sales.dbt("build")
    assert "100 of 100" in refused.messages["sales"]
    assert last_attempt(sales) == ("increment", "refused", 100)
    assert contents(sales) == [("1", 100, 100)]


@pytest.mark.thorough
def test_a_missing_key_is_refused_because_it_could_not_be_taken_back(sales: Mesh) -> None:
    sales.port("shop/sales", SALES, COLUMNS.replace("[unique, not_null]", "[unique]"), meta=EXEMPT)
    land(sales, 100, 50, batch=2)
    assert sales.dbt("build").ok
    sales.change_source("sales", "insert into raw.sales select null, 2, '3', timestamp '2026-01-03'")
    refused = sales.dbt("build")
    assert "not_null   sale_id   1 row" in refused.messages["sales"]
    assert contents(sales) == [("1", 100, 100), ("2", 50, 50)]


def test_a_key_that_is_no_column_is_refused_at_the_first_build(mesh: Mesh) -> None:
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", SALES.replace("='sale_id'", "='saleid'"), COLUMNS, meta=EXEMPT)
    mesh.land("sales", "select 1 as sale_id, 1 as amount, '1' as batch, timestamp '2026-01-01' as landed_at")
    assert mesh.dbt("deps").ok
    message = mesh.dbt("build").messages["sales"]
    assert "its unique_key saleid is not a column of its contract" in message
    assert "allowed: sale_id, amount, batch, landed_at" in message


@pytest.mark.thorough
def test_an_increment_may_refer_to_published_rows_of_its_own_port(sales: Mesh) -> None:
    related = "[{relationships: {arguments: {to: ref('sales'), field: sale_id}}}]"
    columns = COLUMNS.replace("[{accepted_values: {arguments: {values: [1, 2, 3], quote: false}}}]", related)
    sales.port("shop/sales", SALES, columns, meta=EXEMPT)
    assert sales.dbt("build", "--full-refresh").ok
    land(sales, 100, 50, batch=2)
    built = sales.dbt("build")
    assert built.ok, built.output
    land(sales, 150, 1, batch=3, amount="777")
    assert "777" in sales.dbt("build").messages["sales"]


def test_a_text_key_is_nothing_but_text(mesh: Mesh) -> None:
    """Spark would put a setting's value, or nothing, in the place of a variable, and miss the row with this key."""
    sql = SALES.replace("='sale_id'", "='batch'")
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", sql, COLUMNS.replace("[unique, not_null]", "[not_null]"), meta=EXEMPT)
    row = "select {} as sale_id, 1 as amount, '${{user.home}}' as batch, timestamp '2026-01-0{}' as landed_at"
    mesh.land("sales", row.format(1, 1))
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    mesh.land("sales", row.format(2, 2))
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert mesh.rows("select sale_id, batch from shop.sales") == [(2, "${user.home}")]


@pytest.mark.thorough
def test_unique_keys_that_are_an_expression_or_quoted(mesh: Mesh) -> None:
    sql = SALES.replace("='sale_id'", "='batch'").replace("as sale_id", "as {{ adapter.quote('Order') }}")
    columns = COLUMNS.replace("name: sale_id", "name: Order\n  quote: true")
    expression = f"1000 * amount + {mesh.engine.quote('Order')}"
    mesh.set_up("shop", sources=("sales",))
    mesh.port(
        "shop/sales",
        sql,
        columns,
        meta=EXEMPT,
        extra=f"data_tests: [{{unique: {{arguments: {{column_name: '{expression}'}}}}}}]",
    )
    publish_first_batch(mesh, rows=9)
    land(mesh, 9, 5, batch=2)
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert scopes(mesh)["unique"] == "keys"
    land(mesh, 3, 1, batch=3)
    assert "1003" in mesh.dbt("build").messages["sales"]
    assert mesh.value("select failed_checks from portmesh.publications__shop order by attempted_at desc limit 1") == 2


@pytest.mark.thorough
def test_a_unit_test_needs_no_word_about_increments(sales: Mesh) -> None:
    sales.write(
        "domains/shop/models/output_ports/unit.yml",
        """
        unit_tests:
          - name: sales_are_cast
            model: sales
            given:
              - input: source('raw', 'sales')
                rows: [{sale_id: 1, amount: 1, batch: a, landed_at: 2026-01-01}]
            expect: {rows: [{sale_id: 1}]}
        """,
    )
    built = sales.dbt("build")
    assert built.statuses["sales_are_cast"] == "pass", built.output


# Any sequence of increments, rebuilds and rollbacks results in the rows that a Python model predicts.

LATEST = """
{{ config(unique_key=['sale_id', 'batch_of']) }}
select sale_id, batch_of, amount, landed_at from (
    select
        cast(sale_id as bigint) as sale_id, cast(batch_of as {{ dbt.type_string() }}) as batch_of,
        cast(amount as bigint) as amount, cast(landed_at as {{ dbt.type_timestamp() }}) as landed_at,
        row_number() over (partition by sale_id, batch_of order by landed_at desc) as place
    from {{ source('raw', 'sales') }}
    {% if is_incremental() %}
    where landed_at > (select coalesce(max(landed_at), timestamp '1970-01-01') from {{ this }})
    {% endif %}
) as sales
where place = 1
"""
LATEST_COLUMNS = COLUMNS.replace("  data_tests: [unique, not_null]\n", "").replace(
    "- {name: batch, data_type: string, description: Batch.}", "- {name: batch_of, data_type: string, description: Of.}"
)
KEY = "data_tests: [{unique_combination: {arguments: {columns: [sale_id, batch_of]}}}]"
Row = tuple[int, str, int, int]


class Model:
    """The expected port: its rows by key, the rows of the version before, and everything that has landed."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.landed: list[Row] = []
        self.published: dict[tuple[int, str], Row] = {}
        self.before: dict[tuple[int, str], Row] | None = None
        self.day = 0

    def batch(self, amount: int) -> list[Row]:
        """New keys, and none, some or all of the existing keys. Each key occurs once."""
        self.day += 1
        known = sorted(self.published)
        again = self.random.sample(known, self.random.choice([0, len(known) // 3, len(known)]))
        new = [(self.random.randrange(10_000), self.random.choice("ab'")) for _ in range(self.random.randrange(1, 9))]
        return [(*key, amount, self.day) for key in {*again, *new}]

    def publish(self, is_rebuild: bool) -> None:
        """What the model's SQL selects from the landed rows."""
        newest = max((day for *_, day in self.published.values()), default=0)
        rows = [row for row in self.landed if is_rebuild or row[3] > newest]
        kept = {} if is_rebuild else dict(self.published)
        self.before = self.published
        self.published = kept | {(row[0], row[1]): row for row in rows}


def write_landed(mesh: Mesh, model: Model) -> None:
    rows = ", ".join(f"({i}, $${of}$$, {amount}, {day})" for i, of, amount, day in model.landed)
    mesh.land(
        "sales",
        "select sale_id, batch_of, amount, timestamp '2026-01-01' + to_days(day) as landed_at "
        f"from (values {rows}) t(sale_id, batch_of, amount, day)",
    )


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [6, 18])
def test_any_sequence_of_builds_gives_the_rows_that_a_model_says(mesh: Mesh, seed: int) -> None:
    model = Model(Random(seed))
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", LATEST, LATEST_COLUMNS, meta=EXEMPT, extra=KEY)
    model.landed = model.batch(1)
    write_landed(mesh, model)
    assert mesh.dbt("deps").ok
    done: list[str] = []
    for step in ["rebuild", *model.random.choices(["increment", "refused", "rebuild", "back"], [5, 2, 2, 3], k=9)]:
        if step == "back" and model.before:
            rollback(mesh)
            model.published, model.before = model.before, None
        elif step == "refused":
            good = list(model.landed)
            model.landed += model.batch(9)
            write_landed(mesh, model)
            assert mesh.dbt("run").statuses["sales"] == "error"
            model.landed = good
            write_landed(mesh, model)
        else:
            model.landed += model.batch(model.random.randrange(1, 4))
            write_landed(mesh, model)
            built = mesh.dbt("run", *(["--full-refresh"] if step == "rebuild" else []))
            assert built.ok, built.output
            model.publish(step == "rebuild")
        done.append(step)
        found = mesh.rows("select sale_id, batch_of, amount, extract(day from landed_at) - 1 from shop.sales")
        assert sorted(found) == sorted(model.published.values()), done
    assert {"increment", "refused", "back"} <= set(done)
