"""Every kind of check, with every option of dbt, decides about publication as dbt's own test would."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.engine import ENGINES
from tests.mesh import Mesh, Outcome
from tests.portmesh_call import captured
from tests.test_output_port import EXEMPT

pytestmark = pytest.mark.engines(*ENGINES)

TINY = """
select
    cast(k as bigint) as k,
    cast(t as {{ dbt.type_string() }}) as t,
    cast(landed_at as {{ dbt.type_timestamp() }}) as landed_at
from {{ source('raw', 'tiny') }}
"""
ROWS = """
select * from (values (1, 'a', now()::timestamp), (2, 'b', now()::timestamp), (2, 'b', now()::timestamp),
(null, null, now()::timestamp)) v(k, t, landed_at)
"""

# port: (check, status of the audit, failures)
CHECKS = {
    "unique_fails": ("unique", "fail", 1),
    "unique_where": ("unique: {config: {where: 'k < 2'}}", "pass", 0),
    "unique_where_fails": ("unique: {config: {where: 'k > 1'}}", "fail", 1),
    "not_null_fails": ("not_null", "fail", 1),
    "not_null_where": ("not_null: {config: {where: \"t = 'a'\"}}", "pass", 0),
    "values_fail": ("accepted_values: {arguments: {values: [1, 3], quote: false}}", "fail", 1),
    "warns": ("not_null: {config: {severity: warn}}", "warn", 1),
    "warn_if": ("not_null: {config: {warn_if: '>0', error_if: '>1'}}", "warn", 1),
    "error_if": ("not_null: {config: {error_if: '>1', warn_if: '>1'}}", "pass", 1),
    "limit": ("accepted_values: {arguments: {values: [9], quote: false}, config: {limit: 1}}", "fail", 1),
    "fail_calc": ("unique: {config: {fail_calc: 'sum(n_records)'}}", "fail", 2),
    "named": ("not_null: {name: a_name_of_its_own}", "fail", 1),
    "stored": ("not_null: {config: {store_failures: true}}", "fail", 1),
    "jinja": ("accepted_values: {arguments: {values: \"{{ var('allowed') }}\", quote: false}}", "pass", 0),
    "jinja_fails": ("accepted_values: {arguments: {values: \"{{ var('too_few') }}\", quote: false}}", "fail", 1),
    "two_texts": ("expression_is_true: {arguments: {expression: \"{{ var('key') }} < {{ var('most') }}\"}}", "fail", 2),
    "itself_in_text": (
        "expression_is_true: {arguments: {expression: \"k <= (select max(k) from {{ ref('itself_in_text') }})\"}}",
        "pass",
        0,
    ),
    "related": ("relationships: {arguments: {to: ref('parents'), field: id}}", "pass", 0),
    "related_fails": ("relationships: {arguments: {to: \"ref('parents')\", field: half}}", "fail", 2),
    "related_itself": ("relationships: {arguments: {to: ref('related_itself'), field: k}}", "pass", 0),
    "of_domain": ("shorter_than: {arguments: {length: 2}}", "pass", 0),
    "of_domain_fails": ("shorter_than: {arguments: {length: 0}}", "fail", 3),
    "of_package": ("kit.at_most: {arguments: {most: 2}}", "pass", 0),
    "of_package_fails": ("kit.at_most: {arguments: {most: 1}}", "fail", 2),
}


def write_ports(mesh: Mesh) -> None:
    mesh.set_up(
        "shop",
        root={"vars": {"allowed": [1, 2], "too_few": [1], "key": "k", "most": 2}},
        sources=("tiny",),
    )
    mesh.write("kit/dbt_project.yml", "{name: kit, version: '1.0', config-version: 2}")
    mesh.write(
        "kit/macros/at_most.sql",
        "{% test at_most(model, column_name, most) %}"
        "select * from {{ model }} where {{ column_name }} > {{ most }}{% endtest %}",
    )
    mesh.write("packages.yml", yaml.safe_dump({"packages": [{"local": "domains/shop"}, {"local": "kit"}]}))
    mesh.write(
        "domains/shop/macros/shorter_than.sql",
        "{% test shorter_than(model, column_name, length) %}"
        "select * from {{ model }} where length(cast({{ column_name }} as {{ dbt.type_string() }})) >= {{ length }}"
        " and {{ length }} < 2{% endtest %}",
    )
    mesh.write("domains/shop/models/staging/parents.sql", "select 1 as id, 1 as half union all select 2, 9")
    for name, (check, _, _) in CHECKS.items():
        depends = "-- depends_on: {{ ref('parents') }}\n" if "parents" in check else ""
        mesh.port(
            f"shop/{name}",
            depends + TINY,
            f"- name: k\n  data_type: bigint\n  description: Key.\n  data_tests:\n    - {check}\n"
            "- {name: t, data_type: string, description: Text.}\n"
            "- {name: landed_at, data_type: timestamp, description: When.}",
            meta=EXEMPT,
        )


@dataclass
class Audited:
    """The results of one build of all these ports."""

    built: Outcome
    measured: dict[str, tuple[str, int]]
    """The status and failures of each port's check."""
    published: list[str]
    failing: list[tuple[object, ...]]
    """The stored failing rows of the check with a custom name."""


@pytest.fixture(scope="module")
def audited(new_mesh: Callable[[Path], Mesh], tmp_path_factory: pytest.TempPathFactory) -> Audited:
    mesh = new_mesh(tmp_path_factory.mktemp("audited"))
    write_ports(mesh)
    mesh.land("tiny", ROWS)
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    measured = mesh.rows("select port, status, failures from portmesh.measurements__shop where kind <> 'fresh_within'")
    assert len(measured) == len(CHECKS)
    return Audited(
        built=built,
        measured={port: (status, failures) for port, status, failures in measured},
        published=mesh.engine.relations("shop"),
        failing=mesh.rows("select k, t from shop__internal.a_name_of_its_own"),
    )


@pytest.mark.parametrize("port", CHECKS)
def test_the_audit_decides_as_the_test_is_configured(audited: Audited, port: str) -> None:
    _, status, failures = CHECKS[port]
    assert audited.built.statuses[port] == ("error" if status == "fail" else "success"), audited.built.messages[port]
    assert audited.measured[port] == (status, failures)
    assert (port in audited.published) == (status != "fail")


def test_failing_rows_are_kept_unless_the_check_says_no(audited: Audited) -> None:
    assert audited.failing == [(None, None)]


@pytest.mark.thorough
def test_dbts_own_tests_give_the_same_statuses_and_counts(new_mesh: Callable[[Path], Mesh], tmp_path: Path) -> None:
    """Compares reused measurements with plain dbt: the same ports as tables, tested by `dbt test`."""
    mesh = new_mesh(tmp_path / "plain")
    write_ports(mesh)
    mesh.land("tiny", ROWS)
    assert mesh.dbt("deps").ok
    project = yaml.safe_load((mesh.folder / "dbt_project.yml").read_text())
    project["models"]["shop"]["output_ports"] = {"+materialized": "table"}
    project["on-run-start"] = []
    (mesh.folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    plain = mesh.dbt("build")
    mesh = new_mesh(tmp_path / "gated")
    write_ports(mesh)
    mesh.land("tiny", ROWS)
    assert mesh.dbt("deps").ok
    gated = mesh.dbt("build")
    compared = 0
    for name, status in plain.statuses.items():
        if status in ("pass", "warn") and gated.statuses[name] != "skipped":
            assert (gated.statuses[name], gated.failures[name]) == (status, plain.failures[name]), name
            compared += 1
        elif status == "fail":
            assert gated.statuses[name] == "skipped", name
            (measured,) = mesh.rows(
                f"select status, failures from portmesh.measurements__shop where check_name = '{name}'"
            )
            assert measured == ("fail", plain.failures[name]), name
            compared += 1
    assert compared == len(CHECKS)


def test_a_check_that_keeps_no_failing_rows(mesh: Mesh) -> None:
    one_port(mesh, "    - unique: {config: {store_failures: false}}")
    mesh.land("tiny", ROWS)
    message = mesh.dbt("build").messages["one"]
    assert "1 key" in message
    assert "the rows" not in message
    assert not mesh.has("shop__internal.unique_one_k")


def one_port(mesh: Mesh, check: str, sql: str = TINY, column: str = "k", extra: str = "") -> None:
    mesh.set_up("shop", sources=("tiny",))
    mesh.port(
        "shop/one",
        sql,
        f"- name: {column}\n  data_type: bigint\n  description: Key.\n  data_tests:\n{check}\n"
        "- {name: t, data_type: string, description: Text.}\n"
        "- {name: landed_at, data_type: timestamp, description: When.}",
        meta=EXEMPT,
        extra=extra,
    )
    mesh.land("tiny", "select 1 as k, 'a' as t, now()::timestamp as landed_at")
    assert mesh.dbt("deps").ok


def test_columns_whose_names_differ_in_a_blank_have_checks_of_their_own(mesh: Mesh) -> None:
    sql = TINY.replace("as k,", 'as {{ adapter.quote("a b") }}, cast(k as bigint) as ab,')
    key = "constraints: [{type: primary_key, columns: ['a b', ab]}]"
    mesh.set_up("shop", sources=("tiny",))
    mesh.port(
        "shop/one",
        sql,
        "- {name: a b, quote: true, data_type: bigint, description: A.}\n"
        "- {name: ab, data_type: bigint, description: B.}\n- {name: t, data_type: string, description: Text.}\n"
        "- {name: landed_at, data_type: timestamp, description: When.}",
        meta=EXEMPT,
        extra=key,
    )
    mesh.land("tiny", "select 1 as k, 'a' as t, now()::timestamp as landed_at")
    assert mesh.dbt("deps").ok
    built = mesh.dbt("build")
    assert built.ok, built.output
    names = [
        name for (name,) in mesh.rows("select check_name from portmesh.measurements__shop where kind = 'not_null'")
    ]
    assert "constraint_not_null_one_ab" in names
    assert len(set(names)) == 2


ASKS = "{% if execute %}{% do run_query('select no_such_function(1)') %}{% endif %}"
BROKEN = {
    "its SQL": ("select no_such_function(1) as k", "select 1 as k, 'a' as t"),
    # The value looks like the line of an error.
    "one value": (
        "select * from {{ model }} where cast(t as integer) = 5",
        "select 1 as k, 'a\x1b[2J; line 1 pos 1: line 1:1' as t",
    ),
    "a query of its own": (ASKS + "select * from {{ model }} where 1 = 0", "select 1 as k, 'a' as t"),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.thorough
def test_a_check_that_cannot_be_run_is_named_with_what_the_engine_says(mesh: Mesh, what: str) -> None:
    sql, row = BROKEN[what]
    one_port(mesh, "    - unique\n    - broken\n    - not_null")
    macro = "{% test broken(model, column_name) %}SQL{% endtest %}"
    mesh.write("domains/shop/macros/broken.sql", macro.replace("SQL", "select 1 as k where 1 = 0"))
    assert mesh.dbt("build").ok
    mesh.write("domains/shop/macros/broken.sql", macro.replace("SQL", sql))
    mesh.land("tiny", f"{row}, now()::timestamp as landed_at union all select 2, 'b', now()::timestamp")
    broken = mesh.dbt("build")
    assert broken.statuses["one"] == "error"
    # Iceberg's engines measure many checks in one statement, and Athena's error of a value has no line in it.
    is_alone = what != "one value" or mesh.engine.target != "athena"
    sentence = "check broken_one_k could" if is_alone else "checks, sent in one statement, could"
    _, _, facts = broken.output.partition(f"shop.one was not published: its {sentence} not be run")
    assert " Consumers read the version of " in facts.splitlines()[0], broken.output
    cause = next(line for line in facts.splitlines() if line.startswith("  cause   "))
    assert ("no_such_function" if "no_such_function" in sql else r"a\x1b[2J") in cause
    remedy = (
        "fix the check in domains/shop/models/output_ports/one.yml or its macro shop.test_broken "
        "(its SQL: dbt compile --select broken_one_k)"
    )
    one_by_one = "run them one by one (dbt test --select one) and fix the one that fails"
    assert f"  next    {remedy if is_alone else one_by_one}, then: dbt build --select one+" in facts
    assert "in macro" not in broken.output
    assert mesh.value("select count(*) from shop.one") == 1
    assert mesh.rows("select verdict from portmesh.publications__shop") == [("published",)]
    mesh.write("domains/shop/macros/broken.sql", macro.replace("SQL", "select 1 as k where 1 = 0"))
    assert mesh.dbt("build").ok
    assert mesh.value("select count(*) from shop.one") == 2


# Checks of dbt and the mesh with broken SQL. The statement of all checks fails with the line of the broken one.
BROKEN_SQL = {
    "column": "expression_is_true: {arguments: {expression: oops > 1}}",
    "function": "expression_is_true: {arguments: {expression: no_such_function(k) > 1}}",
    "syntax": "expression_is_true: {arguments: {expression: k > > 1}}",
    "bracket": "expression_is_true: {arguments: {expression: (k > 1}}",
    "quote": 'expression_is_true: {arguments: {expression: "t = \'a"}}',
    "window": "expression_is_true: {arguments: {expression: row_number() over (order by k) = 1}}",
    "bound": "accepted_range: {arguments: {min_value: oops}}",
    "rows": "not_null: {config: {where: k in (select oops from nowhere)}}",
    "group": "not_null: {config: {where: k in (select k from (select 1 as k, 2 as n) as x group by n)}}",
    "text": "expression_is_true: {arguments: {expression: t}}",
}


@pytest.mark.thorough
def test_a_check_of_the_mesh_that_cannot_be_run_is_named_among_others(mesh: Mesh) -> None:
    one_port(mesh, "    - unique")
    others = "unique: {config: {where: \"t = 'a'\"}}", "accepted_values: {arguments: {values: [1], quote: false}}"
    for name, check in BROKEN_SQL.items():
        broken = check.replace(": {", f": {{name: broken_{name}, ", 1)
        tests = "".join(f"    - {test}\n" for test in (others[0], broken, others[1]))
        mesh.port(
            f"shop/{name}",
            TINY,
            f"- name: k\n  data_type: bigint\n  description: Key.\n  data_tests:\n{tests}"
            "- {name: t, data_type: string, description: Text.}\n"
            "- {name: landed_at, data_type: timestamp, description: When.}",
            meta=EXEMPT,
        )
    output = mesh.dbt("build").output
    for name in BROKEN_SQL:
        assert f"shop.{name} was not published: its check broken_{name} could not be run." in output, output


def test_a_constraint_that_cannot_be_run_is_named(mesh: Mesh) -> None:
    one_port(mesh, "    - unique", extra="constraints: [{type: check, expression: k << }]")
    broken = mesh.dbt("build")
    assert "its check constraint_1_expression_is_true_one could not be run. It has no published" in broken.output
    assert "  next    fix the check in domains/shop/models/output_ports/one.yml, then: dbt build" in broken.output


@pytest.mark.thorough
def test_a_check_that_cannot_be_run_ends_a_rollback_with_the_engines_own_error(
    mesh: Mesh, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_port(mesh, "    - unique")
    assert mesh.dbt("build").ok
    mesh.land("tiny", "select i as k, 'a' as t, now()::timestamp as landed_at from range(2) r(i)")
    assert mesh.dbt("build").ok
    contract = mesh.folder / "domains/shop/models/output_ports/one.yml"
    contract.write_text(contract.read_text().replace("- unique", "- broken"))
    mesh.write(
        "domains/shop/macros/broken.sql",
        "{% test broken(model, column_name) %}select oops from {{ model }}{% endtest %}",
    )
    monkeypatch.chdir(mesh.folder)
    refused = captured(capsys)("rollback", "shop.one")
    assert refused.exit_code == 1
    sentence, _, cause, remedy, *_ = refused.err.splitlines()
    assert sentence == "shop.one: its check broken_one_k could not be run, so nothing changed for consumers."
    assert cause.startswith("  cause   ")
    assert "oops" in cause
    assert remedy.startswith(
        "  next    fix the check in domains/shop/models/output_ports/one.yml or its macro shop.test_broken"
    )
    assert "> in macro" not in refused.err
    assert "select oops" in (mesh.folder / "logs/dbt.log").read_text()
    assert mesh.value("select count(*) from shop.one") == 2


@pytest.mark.parametrize("count", ["sum(n_records) + null", "avg(0.5)", "max(1e30)"])
def test_what_is_no_count_of_failures_is_refused(mesh: Mesh, count: str) -> None:
    one_port(mesh, f"    - unique: {{config: {{fail_calc: '{count}'}}}}")
    mesh.land("tiny", ROWS)
    message = mesh.dbt("build").messages["one"]
    assert "shop.one was not published: its check unique_one_k did not return a whole number of failures." in message
    assert f"fail_calc       {count}" in message
    assert not mesh.has("shop.one")


SUMS = {
    "a whole decimal": ("decimal(10, 2)", "sum(n)", "warn", 10),
    "a whole double": ("double", "sum(n)", "warn", 10),
    "a decimal with a fraction": ("decimal(10, 2)", "sum(n) / 4", "error", None),
    "a double with a fraction": ("double", "sum(n) / 4", "error", None),
    "a sum of nothing": ("decimal(10, 2)", "sum(case when n < 0 then n end)", "error", None),
    "nothing as zero": ("decimal(10, 2)", "coalesce(sum(case when n < 0 then n end), 0)", "pass", 0),
    "nothing as zero, of doubles": ("double", "coalesce(sum(case when n < 0 then n end), 0)", "pass", 0),
}


@pytest.mark.nightly
def test_a_sum_has_the_same_verdict_in_a_build_and_in_a_test_alone(mesh: Mesh) -> None:
    """dbt accepts neither NULL nor a fraction as a number of failures, and neither does the gate."""
    for name, (kind, count, verdict, failures) in SUMS.items():
        one_port(mesh, f"    - summed: {{config: {{fail_calc: '{count}', severity: warn}}}}")
        found = f"select k, cast(2.5 as {kind}) as n from {{{{ model }}}}"
        mesh.write("domains/shop/macros/summed.sql", f"{{% test summed(model, column_name) %}}{found}{{% endtest %}}")
        mesh.land("tiny", "select i as k, 'a' as t, now()::timestamp as landed_at from range(4) r(i)")
        assert mesh.dbt("deps").ok
        built = mesh.dbt("build")
        if not mesh.has("shop.one"):
            assert "its check summed_one_k did not return a whole number of failures" in built.messages["one"], name
            one_port(mesh, "    - unique")
            assert mesh.dbt("build").ok
            one_port(mesh, f"    - summed: {{config: {{fail_calc: '{count}', severity: warn}}}}")
        gate = built.statuses["one"] if built.statuses["one"] == "error" else built.statuses["summed_one_k"]
        alone = mesh.dbt("test")
        assert (gate, built.failures["summed_one_k"]) == (verdict, failures), (name, built.output)
        assert (alone.statuses["summed_one_k"], alone.failures["summed_one_k"]) == (verdict, failures), (
            name,
            alone.output,
        )


def test_a_whole_number_may_come_as_a_decimal(mesh: Mesh) -> None:
    one_port(mesh, "    - unique: {config: {fail_calc: 'coalesce(sum(cast(n_records as decimal(10, 2))), 0)'}}")
    assert mesh.dbt("build").ok
    assert mesh.value("select failures from portmesh.measurements__shop where kind = 'unique'") == 0
    mesh.land("tiny", ROWS)
    assert mesh.dbt("build").statuses["one"] == "error"
    assert mesh.value("select max(failures) from portmesh.measurements__shop where kind = 'unique'") == 2


def test_failing_rows_may_have_columns_without_a_name_or_with_one_twice(mesh: Mesh) -> None:
    one_port(mesh, "    - odd")
    mesh.write(
        "domains/shop/macros/odd.sql",
        "{% test odd(model, column_name) %}select k, max(t) as k, count(*), null as nothing, interval '1' day as span "
        "from {{ model }} group by 1 having count(*) > 1{% endtest %}",
    )
    mesh.land("tiny", ROWS)
    message = mesh.dbt("build").messages["one"]
    assert "odd" in message
    assert "1 row" in message
    assert "select * from shop__internal.odd_one_k" in message
    ((first, second, number, nothing, span),) = mesh.rows("select * from shop__internal.odd_one_k")
    assert (first, second, number, nothing) == (2, "b", 2, None)
    assert span


def test_a_refusal_whose_failing_rows_cannot_be_kept_is_no_publication(mesh: Mesh) -> None:
    """No engine looks at a value while it only counts rows."""
    one_port(mesh, "    - broken")
    mesh.write(
        "domains/shop/macros/broken.sql",
        "{% test broken(model, column_name) %}select cast(t as integer) as n from {{ model }} where k > 1{% endtest %}",
    )
    assert mesh.dbt("build").ok
    mesh.land("tiny", "select 2 as k, 'a' as t, now()::timestamp as landed_at")
    output = mesh.dbt("build").output
    sentence = "shop.one was not published: its check broken_one_k could not be run. Consumers read the version of "
    assert sentence in output, output
    assert "  step    refuse" in output
    assert "was published" not in output
    assert mesh.rows("select k from shop.one") == [(1,)]
    recorded = mesh.rows("select verdict from portmesh.publications__shop order by sequence")
    assert recorded == [("published",), ("refused",)]


def test_a_check_that_reads_what_the_port_does_not_depend_on_is_refused_with_the_fix(mesh: Mesh) -> None:
    one_port(mesh, "    - relationships: {arguments: {to: ref('parents'), field: id}}")
    mesh.write("domains/shop/models/staging/parents.sql", "select 1 as id")
    message = mesh.dbt("build").messages["one"]
    assert "reads shop.parents, which the port does not depend on" in message
    assert "-- depends_on: {{ ref('shop', 'parents') }}" in message
    mesh.write("domains/shop/models/output_ports/one.sql", "-- depends_on: {{ ref('shop', 'parents') }}\n" + TINY)
    assert mesh.dbt("build").ok


def test_a_check_that_reads_an_ephemeral_model_says_so(mesh: Mesh) -> None:
    sql = "-- depends_on: {{ ref('shop', 'parents') }}\n" + TINY
    one_port(mesh, "    - relationships: {arguments: {to: ref('parents'), field: id}}", sql=sql)
    mesh.write("domains/shop/models/staging/parents.sql", "{{ config(materialized='ephemeral') }}select 1 as id")
    assert "reads parents, which is ephemeral" in mesh.dbt("build").messages["one"]


def test_a_check_of_a_package_may_have_the_name_of_dbts(mesh: Mesh) -> None:
    one_port(mesh, "    - unique\n    - kit.not_null\n    - kit.accepted_values: {arguments: {values: [1]}}")
    mesh.write("kit/dbt_project.yml", "{name: kit, version: '1.0', config-version: 2}")
    mesh.write(
        "kit/macros/checks.sql",
        "{% test not_null(model, column_name) %}select t as other from {{ model }} where k is null{% endtest %}"
        "{% test accepted_values(model, column_name, values) %}select t from {{ model }} where k <> 1{% endtest %}",
    )
    mesh.write("packages.yml", yaml.safe_dump({"packages": [{"local": "domains/shop"}, {"local": "kit"}]}))
    assert mesh.dbt("deps").ok
    mesh.land("tiny", ROWS)
    message = mesh.dbt("build").messages["one"]
    assert "shop.one was not published." in message
    assert mesh.value("select failed_checks from portmesh.publications__shop") == 3


def test_several_checks_of_one_kind_on_one_column(mesh: Mesh) -> None:
    one_port(
        mesh,
        "    - accepted_values: {name: first, arguments: {values: [1], quote: false}}\n"
        "    - accepted_values: {name: second, arguments: {values: [2], quote: false}}",
    )
    built = mesh.dbt("build")
    assert mesh.rows(
        "select check_name, status from portmesh.measurements__shop where kind = 'accepted_values' order by 1"
    ) == [
        ("first", "pass"),
        ("second", "fail"),
    ]
    assert built.statuses["one"] == "error"


def test_reserved_words_and_quoted_names(mesh: Mesh) -> None:
    sql = TINY.replace("as k,", "as {{ adapter.quote('Order') }},")
    one_port(mesh, "    - unique\n    - not_null", sql=sql, column="Order\n  quote: true")
    built = mesh.dbt("build")
    assert built.ok, built.output
    columns = [name for name, _ in mesh.engine.columns("shop.one")]
    assert columns == [mesh.engine.column_name("Order"), "t", "landed_at"]
    mesh.land("tiny", ROWS)
    refused = mesh.dbt("build")
    assert "1 of 4" in refused.messages["one"]


def test_a_quoted_name_in_the_sql_of_a_check_is_a_column(mesh: Mesh) -> None:
    sql = TINY.replace("as k,", "as {{ adapter.quote('order') }},")
    checks = """
    - not_null: {config: {where: "\\"order\\" is null"}}
    - expression_is_true: {name: below_two, arguments: {expression: "\\"order\\" < 2"}}
    """
    one_port(mesh, checks, sql=sql, column="order\n  quote: true")
    assert mesh.dbt("build").ok
    mesh.land("tiny", ROWS)
    mesh.dbt("build")
    failures = mesh.rows(
        "select kind, max(failures) from portmesh.measurements__shop where kind <> 'fresh_within' group by 1"
    )
    assert dict(failures) == {"not_null": 1, "expression_is_true": 2}


def test_warnings_as_errors_hold_the_port_back(mesh: Mesh) -> None:
    one_port(mesh, "    - not_null: {config: {severity: warn}}")
    mesh.land("tiny", ROWS)
    assert mesh.dbt("build").statuses["one"] == "success"
    assert mesh.dbt("--warn-error-options", '{"error": ["LogTestResult"]}', "build").statuses["one"] == "error"


def test_a_warning_that_counts_as_an_error_says_what_the_warning_allows(mesh: Mesh) -> None:
    one_port(mesh, "    - not_null: {config: {warn_if: '> 0', error_if: '> 10'}}")
    mesh.land("tiny", ROWS)
    refused = mesh.dbt("--warn-error-options", '{"error": ["LogTestResult"]}', "build")
    (line,) = [line for line in refused.messages["one"].splitlines() if line.strip().startswith("not_null")]
    failed, allowed = line.split()[2], line.split()[-2]
    assert (failed, allowed) == ("1", "0"), refused.output


def test_a_dimension_can_be_stated(mesh: Mesh) -> None:
    one_port(mesh, "    - not_null: {config: {meta: {dimension: accuracy}}}")
    assert mesh.dbt("build").ok
    assert mesh.value("select dimension from portmesh.measurements__shop where kind = 'not_null'") == "accuracy"


@pytest.mark.parametrize(
    ("keys", "duplicates"),
    [
        ("select i as k from range(1000) t(i)", 0),
        ("select i as k from range(1000) t(i) union all select 7", 1),
        ("select (i * 7919) % 100000 as k from range(50000) t(i)", 0),
        ("select (i * 7919) % 100000 as k from range(50000) t(i) union all select 0", 1),
        ("select -i as k from range(1000) t(i) union all select i from range(1, 1000) t(i)", 0),
        ("select -i as k from range(1000) t(i) union all select i from range(1000) t(i)", 1),
        ("select i * 1000000007 as k from range(1000) t(i) order by hash(i)", 0),
        ("select (i // 2) * 64000 as k from range(4) t(i)", 2),
        ("select (i // 2) * 64 as k from range(8000) t(i)", 4000),
        ("select unnest([9223372036854775807, -9223372036854775808, 0, null, null]) as k", 0),
        ("select unnest([9223372036854775807, -9223372036854775808, 0, 0]) as k", 1),
    ],
)
@pytest.mark.thorough
def test_uniqueness_is_proved_only_where_it_holds(mesh: Mesh, keys: str, duplicates: int) -> None:
    one_port(mesh, "    - unique")
    mesh.land("tiny", f"select k::bigint as k, 'a' as t, now()::timestamp as landed_at from ({keys})")
    mesh.dbt("build")
    assert mesh.value("select failures from portmesh.measurements__shop where kind = 'unique'") == duplicates


@pytest.mark.parametrize(("select", "duplicates"), [("'k' || i", 0), ("'k' || i // 2", 50), ("null::varchar", 0)])
@pytest.mark.thorough
def test_uniqueness_of_text(mesh: Mesh, select: str, duplicates: int) -> None:
    one_port(mesh, "    - not_null: {config: {severity: warn}}")
    path = mesh.folder / "domains/shop/models/output_ports/one.yml"
    path.write_text(path.read_text().replace("description: Text.", "description: Text., data_tests: [unique]"))
    mesh.land("tiny", f"select i as k, {select} as t, now()::timestamp as landed_at from range(100) r(i)")
    mesh.dbt("build")
    assert mesh.value("select failures from portmesh.measurements__shop where kind = 'unique'") == duplicates


def test_a_late_port_is_published_and_said_to_be_late(mesh: Mesh) -> None:
    one_port(mesh, "    - unique")
    mesh.land("tiny", "select 1 as k, 'a' as t, timestamp '2017-01-01' as landed_at")
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert mesh.value("select status from portmesh.measurements__shop where dimension = 'timeliness'") == "warn"


@pytest.mark.parametrize(
    ("name", "path", "text", "kind"),
    [
        ("parents", "models/staging/parents.sql", "select 1 as id", "model"),
        ("Parents", "models/staging/children.sql", "{{ config(alias='parents') }} select 1 as id", "model"),
        ("parents", "seeds/parents.csv", "id\n1\n", "seed"),
    ],
)
@pytest.mark.thorough
def test_a_check_with_the_name_of_another_table_is_refused(
    mesh: Mesh, name: str, path: str, text: str, kind: str
) -> None:
    one_port(mesh, f"    - not_null: {{name: {name}}}")
    mesh.write(f"domains/shop/{path}", text)
    message = mesh.dbt("build").messages["one"]
    assert (
        f"its check {name} has the same name as a {kind}, and its failing rows would replace the table of that {kind}."
        in message
    )
    assert "domains/shop/models/output_ports/one.yml" in message


@pytest.mark.parametrize(
    ("limits", "got"),
    [
        ({"fail_calc": "count(*) > 1"}, "a value of type boolean"),
        ({"fail_calc": "'none'"}, "a value of type varchar"),
        ({"fail_calc": "k"}, "0 rows of counts: fail_calc is not an aggregate"),
        ({"warn_if": "= 3, 4"}, "4 columns, where dbt expects failures, should_warn and should_error"),
    ],
)
@pytest.mark.engines("local")
@pytest.mark.thorough
def test_limits_with_which_dbt_could_not_decide_are_refused(mesh: Mesh, limits: dict[str, str], got: str) -> None:
    """dbt's own test would fail with an error after the publication."""
    one_port(mesh, f"    - not_null: {{config: {json.dumps(limits)}}}")
    message = mesh.dbt("build").messages["one"]
    assert "shop.one was not published: its check not_null_one_k did not return a whole number of failures." in message
    (name, value), *_ = limits.items()
    assert f"  {name:<15} {value}\n" in message
    assert f"  got             {got}\n" in message
    assert "> in macro" not in message
    assert not mesh.has("shop.one")


def test_a_check_with_other_than_one_row_of_counts_does_not_shift_the_others(mesh: Mesh) -> None:
    """If several checks share a statement, two rows of the first could be mistaken for a row of the second."""
    one_port(
        mesh,
        "    - accepted_values: {config: {fail_calc: '0 * count(*) over ()'}, arguments: {values: [7], quote: false}}"
        "\n    - not_null",
        extra="data_tests: [{unique_combination: {arguments: {columns: [k]}}}]",
    )
    mesh.land("tiny", ROWS)
    message = mesh.dbt("build").messages["one"]
    assert "did not return a whole number of failures." in message
    assert "2 rows of counts" in message


def test_checks_of_a_port_without_rows(mesh: Mesh) -> None:
    """A check that fails only on an empty table is measured too, and not replaced by another check."""
    mesh.set_up("shop", sources=("tiny",))
    share = "[not_null_share: {arguments: {at_least: 0.5}}]"
    fresh = "[fresh_within: {arguments: {count: 1, period: day}}]"
    columns = f"""
    - {{name: k, data_type: bigint, description: A number., data_tests: {share}}}
    - {{name: t, data_type: string, description: A text.}}
    - {{name: landed_at, data_type: timestamp, description: When it landed., data_tests: {fresh}}}
    """
    mesh.port("shop/tiny", TINY + "where false", textwrap.dedent(columns), meta=EXEMPT)
    mesh.land("tiny", ROWS)
    assert mesh.dbt("deps").ok

    message = mesh.dbt("run").messages["tiny"]

    assert "fresh_within" in message
    assert mesh.rows(
        "select failures from portmesh.measurements__shop where check_name like 'fresh_within%' order by 1"
    ) == [(1,)]
    assert not mesh.has("shop.tiny")
