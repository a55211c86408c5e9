"""A port publishes what passes its contract and its checks, and nothing else."""

from __future__ import annotations

import pytest

from portmesh.cli import main
from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.python_port import IN_BOTH

pytestmark = pytest.mark.engines(*ENGINES)

EXEMPT = "exemptions: [{rule: PM106, reason: A test of the mechanism., until: 2099-12-31}]"
EXEMPT_WITH_HOOKS = EXEMPT.replace("}]", "}, {rule: PM121, reason: Its hooks are looked at., until: 2099-12-31}]")

LINES = """
select
    cast(line_id as bigint) as line_id,
    cast(channel as {{ dbt.type_string() }}) as channel,
    cast(amount as decimal(10, 2)) as amount,
    cast(landed_at as {{ dbt.type_timestamp() }}) as landed_at
from {{ source('raw', 'lines') }}
"""

COLUMNS = """
- {name: line_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- name: channel
  data_type: string
  description: Where it was sold.
  data_tests: [{accepted_values: {arguments: {values: [store, web]}}}]
- {name: amount, data_type: "decimal(10,2)", description: Euro.}
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""

GOOD = """
select i as line_id, 'store' as channel, 1.5 as amount, now()::timestamp as landed_at from range({rows}) t(i)
"""
DUPLICATE = " union all select 5, 'store', 2, now()::timestamp"
UNKNOWN_CHANNEL = " union all select 1000, 'fax', 2, now()::timestamp"


def good(rows: int = 100) -> str:
    return GOOD.format(rows=rows)


def verdicts(mesh: Mesh) -> list[str]:
    return [v for (v,) in mesh.rows("select verdict from portmesh.publications__shop order by attempted_at")]


# Publish or refuse


@IN_BOTH
def test_a_good_build_publishes_and_records(shop: Mesh) -> None:
    built = shop.dbt("build")
    assert built.ok, built.output
    assert set(built.statuses.values()) == {"success", "pass"}
    assert built.messages["lines"] == "published 100 rows, 4 checks"
    assert shop.value("select count(*) from shop.lines") == 100
    assert shop.rows(
        "select product, port, contract_version, kind, verdict, row_count, failed_checks "
        "from portmesh.publications__shop"
    ) == [("shop", "lines", "1.0.0", "full", "published", 100, 0)]
    measured = shop.rows(
        "select kind, dimension, column_name, failures, row_count, error_if, severity, status, seconds >= 0 "
        "from portmesh.measurements__shop order by kind"
    )
    assert measured == [
        ("accepted_values", "accuracy", "channel", 0, 100, "!= 0", "error", "pass", True),
        ("fresh_within", "timeliness", "landed_at", 0, 100, "!= 0", "warn", "pass", True),
        ("not_null", "completeness", "line_id", 0, 100, "!= 0", "error", "pass", True),
        ("unique", "uniqueness", "line_id", 0, 100, "!= 0", "error", "pass", True),
    ]


@IN_BOTH
def test_a_refused_candidate_leaves_consumers_the_version_they_had(shop: Mesh) -> None:
    shop.write("domains/shop/models/intermediate/int_shop__after.sql", "select * from {{ ref('lines') }}")
    shop.write("domains/shop/models/intermediate/int_shop__beside.sql", "select 1 as one")
    assert shop.dbt("build").ok
    shop.land("lines", good() + DUPLICATE + UNKNOWN_CHANNEL)
    refused = shop.dbt("build")

    assert refused.exit_code == 1
    assert refused.statuses == {
        "lines": "error",
        "int_shop__after": "skipped",
        "int_shop__beside": "success",
        "unique_lines_line_id": "skipped",
        "not_null_lines_line_id": "skipped",
        "accepted_values_lines_channel__store__web": "skipped",
    }
    assert shop.value("select count(*) from shop.lines") == 100
    assert verdicts(shop) == ["published", "refused"]
    assert shop.rows(
        "select kind, failures, row_count from portmesh.measurements__shop where status = 'fail' order by kind"
    ) == [
        ("accepted_values", 1, 102),
        ("unique", 1, 102),
    ]
    (candidate,) = shop.engine.candidates("shop.lines")
    assert shop.value(f"select count(*) from {candidate}") == 102
    assert shop.rows("select unique_field, n_records from shop__internal.unique_lines_line_id") == [(5, 2)]

    message = refused.messages["lines"]
    for text in (
        "shop.lines was not published. Consumers keep the version of ",
        "UTC (100 rows).",
        "check                                     column    failed    rows       share    allowed   for example",
        "unique                                    line_id   1 key     2 of 102   1.96 %   0         5",
        "accepted_values values ['store', 'web']   channel   1 value   1 of 102   0.98 %   0         fax",
        "2 other checks passed.",
        f"the candidate   {candidate}",
        "select * from shop__internal.unique_lines_line_id",
        "next            fix the model or the batch, then: dbt build --select lines+",
    ):
        assert text in message, message
    assert "> in macro" not in message


def test_the_examples_of_a_refusal_are_the_lowest_values(shop: Mesh) -> None:
    shop.land("lines", f"({good(400)}) union all ({good(400)})")
    (row,) = [line for line in shop.dbt("build").messages["lines"].splitlines() if "400 keys" in line]
    assert row.endswith(" 0, 1, 2")


def test_the_next_good_run_publishes_and_clears_up(shop: Mesh) -> None:
    shop.land("lines", good() + DUPLICATE)
    assert not shop.dbt("build").ok
    shop.land("lines", good(120))
    assert shop.dbt("build").ok
    assert shop.value("select count(*) from shop.lines") == 120
    assert shop.engine.candidates("shop.lines") == []
    assert not shop.has("shop__internal.unique_lines_line_id")


def test_a_first_build_that_fails_publishes_nothing(shop: Mesh) -> None:
    shop.land("lines", good() + DUPLICATE)
    refused = shop.dbt("build")
    assert refused.statuses["lines"] == "error"
    assert "It has no published version yet, so consumers see nothing." in refused.messages["lines"]
    assert not shop.has("shop.lines")


def test_dbt_run_audits_too(shop: Mesh) -> None:
    shop.land("lines", good() + DUPLICATE)
    assert shop.dbt("run").statuses == {"lines": "error"}
    assert verdicts(shop) == ["refused"]


def test_an_empty_candidate_has_a_verdict(shop: Mesh) -> None:
    shop.land("lines", good(0))
    assert shop.dbt("build").ok
    shop.port(
        "shop/lines", LINES, COLUMNS, meta=EXEMPT, extra="data_tests: [{row_count_between: {arguments: {min_rows: 1}}}]"
    )
    refused = shop.dbt("build")
    assert refused.statuses["lines"] == "error"
    assert "row_count_between" in refused.messages["lines"]
    assert "1        -      -       0" in refused.messages["lines"]


# The contract


@IN_BOTH
@pytest.mark.parametrize(
    ("change", "rows"),
    [
        (
            ("cast(channel as {{ dbt.type_string() }}) as channel,", ""),
            ["channel   string     missing   select it, or remove it from the contract (a breaking change)"],
        ),
        (
            ("cast(landed_at", "1 as extra, cast(landed_at"),
            ["extra    not declared   {int}   declare it, or leave it out of the final select"],
        ),
        (("as amount", "as total"), ["amount   decimal(10,2)   missing", "total    not declared    decimal(10,2)"]),
        (("decimal(10, 2)", "double"), ["amount   decimal(10,2)   double   cast(amount as decimal(10,2))"]),
        (("decimal(10, 2)", "decimal(12, 2)"), ["amount   decimal(10,2)   decimal(12,2)"]),
    ],
    ids=["missing", "extra", "renamed", "retyped", "other-precision"],
)
def test_a_model_that_does_not_match_its_contract_writes_nothing(
    shop: Mesh, change: tuple[str, str], rows: list[str]
) -> None:
    assert shop.dbt("build").ok
    shop.port("shop/lines", LINES.replace(*change), COLUMNS, meta=EXEMPT)
    refused = shop.dbt("build")
    message = refused.messages["lines"]
    assert refused.statuses["lines"] == "error"
    assert (
        "shop.lines was not written: the model does not match its contract "
        "(domains/shop/models/output_ports/lines.yml)." in message
    )
    for row in rows:
        expected = row.format(int=shop.engine.type_name("int"))
        assert " ".join(expected.split()) in " ".join(message.split()), message
    assert shop.value("select count(*) from shop.lines") == 100
    assert shop.engine.candidates("shop.lines") == []


@IN_BOTH
def test_columns_are_published_in_the_order_of_the_contract(shop: Mesh) -> None:
    shop.port(
        "shop/lines", "select landed_at, amount, channel, line_id from (" + LINES + ") as x", COLUMNS, meta=EXEMPT
    )
    assert shop.dbt("build").ok
    columns = [name for name, _ in shop.engine.columns("shop.lines")]
    assert columns == ["line_id", "channel", "amount", "landed_at"]


def test_a_value_that_does_not_fit_is_refused_before_anything_is_visible(shop: Mesh) -> None:
    shop.land("lines", good() + " union all select 1, 'store', 123456789012, now()::timestamp")
    failed = shop.dbt("build")
    assert failed.statuses["lines"] == "error"
    assert "123456789012" in failed.messages["lines"]
    assert "decimal(10,2)" in failed.messages["lines"].lower().replace(" ", "")
    assert not shop.has("shop.lines")


def test_a_type_that_not_every_engine_knows_is_refused(shop: Mesh) -> None:
    shop.port("shop/lines", LINES, COLUMNS.replace("bigint", "hugeint"), meta=EXEMPT)
    message = shop.dbt("build").messages["lines"]
    assert "types that do not exist on every engine" in message
    assert "line_id   hugeint     string, boolean, tinyint" in message


@pytest.mark.parametrize(
    ("constraint", "bad", "kind"),
    [
        ("{type: not_null}", "select null, 'web', 1, now()::timestamp", "not_null"),
        ("{type: unique}", "select 5, 'web', 1, now()::timestamp", "unique"),
        ("{type: primary_key}", "select 5, 'web', 1, now()::timestamp", "unique"),
        ("{type: check, expression: 'line_id < 100'}", "select 100, 'web', 1, now()::timestamp", "expression_is_true"),
    ],
)
def test_constraints_are_measured_like_checks(shop: Mesh, constraint: str, bad: str, kind: str) -> None:
    columns = COLUMNS.replace("data_tests: [unique, not_null]", f"constraints: [{constraint}]")
    shop.port("shop/lines", LINES, columns, meta=EXEMPT)
    built = shop.dbt("build")
    assert built.ok, built.output
    shop.land("lines", good() + " union all " + bad)
    refused = shop.dbt("build")
    assert refused.statuses["lines"] == "error"
    assert shop.rows("select kind from portmesh.measurements__shop where status = 'fail'") == [(kind,)]


@pytest.mark.parametrize("config", ["severity: warn", "where: line_id is not null", "error_if: '>1'"])
def test_a_check_that_allows_failures_does_not_stand_for_the_constraint(shop: Mesh, config: str) -> None:
    weaker = f"data_tests: [{{not_null: {{config: {{{config}}}}}}}], constraints: [{{type: not_null}}]"
    shop.port("shop/lines", LINES, COLUMNS.replace("data_tests: [unique, not_null]", weaker), meta=EXEMPT)
    shop.land("lines", good() + " union all select null, 'web', 1, now()::timestamp")
    refused = shop.dbt("build")
    assert refused.statuses["lines"] == "error"
    assert shop.rows("select kind from portmesh.measurements__shop where status = 'fail'") == [("not_null",)]


def test_constraints_and_freshness_of_quoted_columns(shop: Mesh) -> None:
    columns = COLUMNS.replace(
        "{name: line_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}",
        "{name: Order, quote: true, data_type: bigint, description: Key., constraints: [{type: primary_key}]}",
    ).replace("{name: landed_at,", "{name: Group, quote: true,")
    sql = LINES.replace("as line_id", "as {{ adapter.quote('Order') }}")
    sql = sql.replace("as landed_at", "as {{ adapter.quote('Group') }}")
    shop.port("shop/lines", sql, columns, meta=EXEMPT)
    path = shop.folder / "domains/shop/models/output_ports/lines.yml"
    path.write_text(path.read_text().replace("column: landed_at", "column: Group"))
    built = shop.dbt("build")
    assert built.ok, built.output
    shop.land("lines", good() + DUPLICATE)
    assert "1 key" in shop.dbt("build").messages["lines"]


def test_each_constraint_keeps_its_own_failing_rows(shop: Mesh) -> None:
    checks = "constraints: [{type: check, expression: line_id < 99}, {type: check, expression: line_id > 1}]"
    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT, extra=checks)
    message = shop.dbt("build").messages["lines"]
    kept = [line.split("from ")[1] for line in message.splitlines() if "select * from" in line]
    assert [shop.value(f"select count(*) from {table}") for table in kept] == [1, 2]


def test_a_constraint_that_cannot_be_measured_is_refused(shop: Mesh) -> None:
    columns = COLUMNS.replace(
        "data_tests: [unique, not_null]", "constraints: [{type: foreign_key, expression: other (line_id)}]"
    )
    shop.port("shop/lines", LINES, columns, meta=EXEMPT)
    built = shop.dbt("build")
    message = built.messages["lines"]
    assert "shop.lines was not audited: its constraint foreign_key cannot be measured." in message
    assert "use the data test relationships" in message
    assert built.output.count("shop.lines was not") == 1


# Versions


def test_the_last_versions_are_kept_and_rollback_switches_back(shop: Mesh) -> None:
    published = [10, 20, 30]
    for rows in published:
        shop.land("lines", good(rows))
        assert shop.dbt("build").ok
    kept = published if shop.engine.keeps_every_version else published[-2:]
    assert shop.engine.versions("shop.lines") == len(kept)

    for rows in kept[-2::-1]:
        back = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
        assert back.ok, back.output
        assert "shop.lines is back at the version of " in back.output
        assert f"({rows} rows)" in back.output
        assert shop.value("select count(*) from shop.lines") == rows
        assert verdicts(shop)[-1] == "rolled_back"

    further = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert not further.ok
    assert "shop.lines has no version before " in further.output

    shop.land("lines", good(40))
    assert shop.dbt("build").ok
    assert shop.value("select count(*) from shop.lines") == 40
    assert shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}").ok
    assert shop.value("select count(*) from shop.lines") == kept[0]


@pytest.mark.thorough
def test_more_versions_are_kept_where_the_port_says_so(shop: Mesh) -> None:
    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT + "\nkeep_versions: 3")
    for rows in (10, 20, 30, 40):
        shop.land("lines", good(rows))
        assert shop.dbt("build").ok
    assert shop.engine.versions("shop.lines") == (4 if shop.engine.keeps_every_version else 3)
    for rows in (30, 20):
        assert shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}").ok
        assert shop.value("select count(*) from shop.lines") == rows


def test_rollback_before_the_first_build_says_so(shop: Mesh) -> None:
    back = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert not back.ok
    assert "shop.lines has no published version to roll back from." in back.output


def test_the_command_gives_the_rollbacks_own_sentence(
    shop: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.dbt("run").ok
    monkeypatch.chdir(shop.folder)
    with pytest.raises(SystemExit) as stop:
        main(["rollback", "shop.lines"])
    assert stop.value.code == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("shop.lines has no version before lines__")
    assert [line.split()[0] for line in said[2:]] == ["kept", "instead"]
    assert all(line.startswith("  ") for line in said[2:])


@pytest.mark.parametrize(
    ("sql", "columns", "difference"),
    [
        (
            ("cast(landed_at", "cast(1 as int) as extra, cast(landed_at"),
            "- {name: extra, data_type: int, description: More.}",
            "extra    int        missing",
        ),
        (("decimal(10, 2)", "decimal(12, 2)"), "", "amount   decimal(12,2)   decimal(10,2)"),
    ],
    ids=["new-column", "wider"],
)
@pytest.mark.thorough
def test_rollback_does_not_break_the_contract(shop: Mesh, sql: tuple[str, str], columns: str, difference: str) -> None:
    assert shop.dbt("build").ok
    changed = COLUMNS if columns else COLUMNS.replace("decimal(10,2)", "decimal(12,2)")
    shop.port("shop/lines", LINES.replace(*sql), changed + columns, meta=EXEMPT)
    assert shop.dbt("build").ok
    before = shop.engine.columns("shop.lines")
    back = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert not back.ok
    assert "shop.lines was not rolled back: its previous version does not match its contract" in back.output
    assert " ".join(difference.split()) in " ".join(back.output.split())
    assert shop.engine.columns("shop.lines") == before
    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    assert shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}").ok


@pytest.mark.thorough
def test_consumers_never_see_a_column_of_a_refused_version_and_it_can_be_removed(shop: Mesh) -> None:
    assert shop.dbt("build").ok
    before = shop.engine.columns("shop.lines")
    more = LINES.replace("cast(landed_at", "cast(1 as int) as extra, cast(landed_at")
    shop.port("shop/lines", more, COLUMNS + "- {name: extra, data_type: int, description: More.}", meta=EXEMPT)
    shop.land("lines", good() + DUPLICATE)
    assert "1 key" in shop.dbt("build").messages["lines"]
    assert shop.engine.columns("shop.lines") == before
    (candidate,) = shop.engine.candidates("shop.lines")
    assert shop.value(f"select sum(extra) from {candidate}") == 101

    shop.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    shop.land("lines", good(120))
    assert shop.dbt("build").ok
    assert shop.engine.columns("shop.lines") == before
    assert shop.engine.candidates("shop.lines") == []

    shop.port("shop/lines", more, COLUMNS + "- {name: extra, data_type: int, description: More.}", meta=EXEMPT)
    assert shop.dbt("build").ok
    assert shop.value("select sum(extra) from shop.lines") == 120
    assert shop.engine.candidates("shop.lines") == []


@pytest.mark.engines("emr", "athena")
def test_a_change_that_a_reader_could_break_on_asks_for_a_new_model_version(shop: Mesh) -> None:
    """On DuckDB each version is a separate table; on Iceberg all versions share the table's columns."""
    assert shop.dbt("build").ok
    columns = COLUMNS.replace('"decimal(10,2)"', "double")
    shop.port("shop/lines", LINES.replace("decimal(10, 2)", "double"), columns, meta=EXEMPT)
    message = shop.dbt("build").messages["lines"]
    assert "would break its consumers" in message
    assert "amount   double     decimal(10,2)" in message
    assert "publish it as a new model version" in message
    assert shop.value("select sum(amount) from shop.lines") == 150
    assert shop.engine.candidates("shop.lines") == []


@pytest.mark.engines("emr", "athena")
def test_rollback_of_a_version_without_a_record_goes_to_the_newest_that_has_one(shop: Mesh) -> None:
    """On DuckDB the switch and its record are one transaction."""
    for rows in (10, 20, 30):
        shop.land("lines", good(rows))
        assert shop.dbt("build").ok
    shop.engine.execute("delete from portmesh.publications__shop where row_count = 30")
    back = shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines}")
    assert "(20 rows)" in back.output
    assert shop.value("select count(*) from shop.lines") == 20


def test_rollback_of_a_port_that_does_not_exist_names_those_that_do(shop: Mesh) -> None:
    unknown = shop.dbt("run-operation", "rollback", "--args", "{port: shop.line}")
    assert not unknown.ok
    assert "There is no port shop.line." in unknown.output
    assert "allowed: shop.lines" in unknown.output


@pytest.mark.thorough
def test_model_versions_are_ports_beside_each_other(shop: Mesh) -> None:
    shop.remove("domains/shop/models/output_ports/lines.sql")
    shop.write("domains/shop/models/output_ports/lines_v1.sql", LINES)
    shop.write("domains/shop/models/output_ports/lines_v2.sql", LINES.replace("as amount", "as total"))
    versions = """
latest_version: 2
versions:
  - {v: 1, config: {alias: lines}, deprecation_date: 2099-12-31}
  - v: 2
    columns:
      - {include: all, exclude: [amount]}
      - {name: total, data_type: "decimal(10,2)", description: Euro.}
"""
    path = shop.folder / "domains/shop/models/output_ports/lines.yml"
    path.write_text(path.read_text() + "".join(f"    {line}\n" for line in versions.strip().splitlines()))
    built = shop.dbt("build")
    assert built.ok, built.output
    assert shop.value("select sum(amount) from shop.lines") == 150
    assert shop.value("select sum(total) from shop.lines_v2") == 150
    assert shop.rows("select port from portmesh.publications__shop order by 1") == [("lines.v1",), ("lines.v2",)]
    assert shop.dbt("build", "--select", "lines_v2").ok or shop.dbt("build", "--select", "lines.v2").ok
    assert shop.dbt("run-operation", "rollback", "--args", "{port: shop.lines.v2}").ok


def test_a_check_that_names_no_version_means_the_latest(shop: Mesh) -> None:
    shop.remove("domains/shop/models/output_ports/lines.sql")
    shop.write(
        "domains/shop/models/output_ports/lines_v1.sql", "select * from {{ ref('lines', v=2) }} where line_id < 50"
    )
    shop.write("domains/shop/models/output_ports/lines_v2.sql", LINES)
    latest = "relationships: {arguments: {column_name: line_id + 40, to: ref('lines'), field: line_id}}"
    versions = f"""
latest_version: 2
versions:
  - {{v: 1, config: {{alias: lines}}, deprecation_date: 2099-12-31, data_tests: [{{{latest}}}]}}
  - {{v: 2, data_tests: []}}
"""
    path = shop.folder / "domains/shop/models/output_ports/lines.yml"
    path.write_text(path.read_text() + "".join(f"    {line}\n" for line in versions.strip().splitlines()))
    built = shop.dbt("build")
    assert built.ok, built.output
    assert shop.value("select count(*) from shop.lines") == 50
