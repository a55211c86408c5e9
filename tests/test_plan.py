"""A check is rendered exactly as dbt renders its test node, but on the candidate instead of the port."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import EventMsg

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_audit import TINY, one_port
from tests.test_output_port import EXEMPT, EXEMPT_WITH_HOOKS

pytestmark = pytest.mark.engines(*ENGINES)

# Generic tests that use what dbt provides to a test node, instead of the model.
MACROS = """
{% test not_listed(model, column_name) %}
  {% set words = (config.get('meta') or {}).get('words', []) %}
  select * from {{ model }}
  where cast({{ column_name }} as {{ dbt.type_string() }}) in ('-'{% for word in words %}, '{{ word }}'{% endfor %})
{% endtest %}
{% test of_node(model, column_name) %}
  select * from {{ model }}
  where '{{ model_id() }} {{ model_name() }}
    {% if execute %}{{ this.identifier }} {{ this.schema }}{% endif %}' = ''
{% endtest %}
{% macro model_id() %}{{ model.unique_id }}{% endmacro %}
{% macro model_name() %}{{ model.name }}{% endmacro %}
{% test of_config(model, column_name) %}
  select * from {{ model }}
  where '{% for name in ["alias", "schema", "materialized", "severity", "where", "fail_calc", "enabled", "unique_key",
    "access", "persist_docs", "grants"] %}{{ name }} {{ config.get(name, "none") }} {% endfor %}
    {{ config.get("tags") | join(",") }} {{ config.get("group", default="of none") }} {{ config.require("alias") }}
    {{ config.meta_get("owner", "nobody") }} {{ config.meta_require("words") | join(",") }} {{ in_a_helper() }}' = ''
{% endtest %}
{% macro in_a_helper() %}{{ config.get("alias") }} {{ config.get("nothing", default=5) }}{% endmacro %}
{% test typed(model, a, b=none, c=none, d=none) %}
  select * from {{ model }}
  where '{{ a is string }} {{ a is number }} {{ b is sequence }} {{ c is mapping }} {{ d is none }}
  {{ a | string | replace("'", "|") }} {{ b | join(",") if b }} {{ c.inner if c }}' = ''
{% endtest %}
{% test not_empty(model, column_name) %}
  select * from {{ model }} where {{ column_name }} is null and 'own' = ''
{% endtest %}
{% test reads(model, other) %}select * from {{ model }} where k not in (select id from {{ other }}){% endtest %}
{% test itself(model, sql) %}select * from {{ model }} where k > ({{ sql }}){% endtest %}
"""
KIT = """
{% test with_own_config(model, column_name) %}
  {{ config(severity='warn') }}
  select * from {{ model }}
  where '{{ config.get("severity") }} {{ config.get("where", "none") }} {{ config.get("nothing", default="it") }}' = ''
{% endtest %}
{% test reads_its_model(model, column_name) %}
  {{ config(severity='warn') }}
  select * from {{ model }} where '{{ kit.its_node() }}' = ''
{% endtest %}
{% macro its_node() %}{{ model.alias }} {{ model.config.materialized }} {{ model.tags | join(',') }}{% endmacro %}
{% test not_empty(model, column_name) %}
  select * from {{ model }} where {{ column_name }} is null and 'kit' = ''
{% endtest %}
{% test dispatched(model, column_name) %}
  select * from {{ model }} where {{ adapter.dispatch('is_odd', 'kit')(column_name) }}
{% endtest %}
{% macro default__is_odd(column) %}{{ column }} % 2 = 7{% endmacro %}
"""
# name: (the check in YAML, whether it belongs to the column k)
GOLDEN = {
    "own_config": "not_listed: {config: {meta: {words: [fax, phone]}}}",
    "config_call": "kit.with_own_config: {config: {where: k > 0}}",
    "node": "of_node",
    "config_of_node": "of_config: {config: {tags: [one, two], where: k > 0, severity: warn, meta: {words: [fax]}}}",
    "alias": "of_config: {config: {alias: another_name, meta: {words: [], owner: us}}}",
    "config_in_model": "kit.reads_its_model: {config: {tags: [three]}}",
    "number": "typed: {arguments: {a: 5}}",
    "text_number": "typed: {arguments: {a: '5'}}",
    "rendered_number": "typed: {arguments: {a: \"{{ var('five') }}\"}}",
    "rendered_text": "typed: {arguments: {a: \"x{{ var('five') }}\"}}",
    "function": "typed: {arguments: {a: \"var('five')\"}}",
    "lists": "typed: {arguments: {a: x, b: \"{{ var('many') }}\", c: {inner: \"{{ var('five') + 1 }}\"}}}",
    "quoted": "typed: {arguments: {a: \"'{{ var('five') }}'\"}}",
    "own_namesake": "not_empty",
    "namespaced": "kit.not_empty",
    "dispatch": "kit.dispatched",
    "relation": "reads: {arguments: {other: ref('parents')}}",
    "relation_in_text": "itself: {arguments: {sql: \"select max(k) + {{ var('five') }} from {{ ref('port') }}\"}}",
    "where": "not_null: {config: {where: \"t <> 'a'\"}}",
    "limit": "not_null: {config: {limit: 3}}",
    "limits": "not_null: {config: {warn_if: '>1', error_if: '>5'}}",
    "calculated": "unique: {config: {fail_calc: 'coalesce(sum(n_records), 0)'}}",
    "values": "accepted_values: {arguments: {values: [1, 2, 3], quote: false}}",
    "range": "accepted_range: {arguments: {min_value: 0, max_value: \"{{ var('five') }}\"}}",
    "pattern": "matches_pattern: {arguments: {pattern: '^a[0-9]$', column_name: t}}",
    "expression": "expression_is_true: {arguments: {expression: \"k < {{ var('five') }}\"}}",
    "combination": "unique_combination: {arguments: {columns: [k, t]}}",
    "related": "relationships: {arguments: {to: ref('parents'), field: id}}",
}
OF_THE_TABLE = ("typed", "reads", "itself", "expression_is_true", "unique_combination", "matches_pattern")


@pytest.fixture(scope="module")
def statements(
    new_mesh: Callable[[Path], Mesh], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, str]]:
    """For each check: the SQL that dbt compiles for its node, and the audit's SQL with the port's name in it."""
    mesh = new_mesh(tmp_path_factory.mktemp("golden"))
    write_mesh(mesh)
    mesh.land("tiny", "select i as k, 'a' || i as t, now()::timestamp as landed_at from range(1, 4) r(i)")
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build", "--select", "+port", "--exclude-resource-types", "test").ok
    sent = " ".join(sent_by_a_build(mesh))
    audited = re.sub(r"\bshop__internal\b(\W+)port__\d{8}_\d{6}_[0-9a-f]{6}", r"shop\1port", sent)
    audited = re.sub(r"port\W+branch_port__\d{8}_\d{6}_[0-9a-f]{6}", "port", audited)
    assert mesh.dbt("compile").ok
    compiled = {path.stem: path.read_text() for path in (mesh.folder / "target/compiled").rglob("*.yml/*.sql")}
    return {name: (compiled[name], audited) for name in GOLDEN}


def write_mesh(mesh: Mesh) -> None:
    mesh.set_up("shop", root={"vars": {"five": 5, "many": ["a", "b"]}}, sources=("tiny",))
    mesh.write("kit/dbt_project.yml", "{name: kit, version: '1.0', config-version: 2}")
    mesh.write("kit/macros/kit.sql", KIT)
    mesh.write("packages.yml", yaml.safe_dump({"packages": [{"local": "domains/shop"}, {"local": "kit"}]}))
    mesh.write("domains/shop/macros/checks.sql", MACROS)
    mesh.write("domains/shop/models/staging/parents.sql", "select 1 as id union all select 2 union all select 3")
    named = {name: check if ":" in check else f"{check}: {{}}" for name, check in GOLDEN.items()}
    checks = {name: check.replace(": {", f": {{name: {name}, ", 1).replace(", }", "}") for name, check in named.items()}
    of_table = [c for c in checks.values() if c.startswith(OF_THE_TABLE)]
    of_column = [c for c in checks.values() if not c.startswith(OF_THE_TABLE)]
    mesh.port(
        "shop/port",
        "-- depends_on: {{ ref('parents') }}\n" + TINY,
        "- name: k\n  data_type: bigint\n  description: Key.\n  data_tests:\n"
        + "".join(f"    - {check}\n" for check in of_column)
        + "- {name: t, data_type: string, description: Text.}\n"
        "- {name: landed_at, data_type: timestamp, description: When.}",
        meta=EXEMPT,
        extra="data_tests:\n" + "".join(f"  - {check}\n" for check in of_table),
    )


def sent_by_a_build(mesh: Mesh, port: str = "port") -> list[str]:
    """The statements of one more build. It is so small that every check is sent unchanged."""
    sent: list[str] = []

    def listen(event: EventMsg) -> None:
        if event.info.name == "SQLQuery":
            sent.append(event.data.sql)

    place = ["--project-dir", str(mesh.project), "--profiles-dir", str(mesh.project), "--log-level", "debug"]
    dbtRunner(callbacks=[listen]).invoke(["run", "--select", port, *place])
    mesh.engine.close()
    assert sent
    return sent


def squeezed(sql: str) -> str:
    return " ".join(sql.split())


@pytest.mark.parametrize("name", GOLDEN)
def test_the_audit_sends_what_dbt_compiles(statements: dict[str, tuple[str, str]], name: str) -> None:
    compiled, audited = statements[name]
    assert squeezed(compiled) in squeezed(audited)


def test_new_checks_of_the_mesh_are_not_looked_at_one_by_one(mesh: Mesh) -> None:
    one_port(mesh, "    - unique\n    - not_null\n    - expression_is_true: {arguments: {expression: k > 0}}")
    audit = [sql for sql in sent_by_a_build(mesh, "one") if "/* step: audit */" in sql]
    # DuckDB asks for the bounds of the key, measures each check alone, and counts the rows.
    assert len(audit) == (6 if mesh.engine.target == "local" else 1), audit


def test_a_macro_that_sets_its_config_and_reads_from_it_what_is_the_ports_is_refused(mesh: Mesh) -> None:
    one_port(mesh, "    - odd")
    macro = "{% test odd(model, column_name) %}SETselect * from {{ model }} where '{{ config.get('alias') }}' = ''"
    mesh.write("domains/shop/macros/odd.sql", macro.replace("SET", "{{ config(tags=['x']) }}") + "{% endtest %}")
    message = mesh.dbt("build").messages["one"]
    assert "its check odd_one_k calls config() and also reads alias, and would get the port's value." in message
    assert "remove config(…) from macro.shop.test_odd, and set its values in the config of the check in" in message
    mesh.write("domains/shop/macros/odd.sql", macro.replace("SET", "") + "{% endtest %}")
    assert mesh.dbt("build").ok


def test_a_check_that_runs_a_query_while_it_compiles_looks_at_the_candidate(mesh: Mesh) -> None:
    one_port(mesh, "    - most_rows: {arguments: {most: 1}}")
    mesh.write(
        "domains/shop/macros/most_rows.sql",
        """
        {% test most_rows(model, column_name, most) %}
          {% if execute %}
            {% set found = run_query('select count(*) from ' ~ model).rows[0][0] %}
            select {{ found }} as found from {{ model }} where {{ found }} > {{ most }}
          {% else %}select 1{% endif %}
        {% endtest %}
        """,
    )
    built = mesh.dbt("build", "--select", "one")
    assert built.statuses["one"] == "success", built.output
    mesh.land("tiny", "select i as k, 'a' as t, now()::timestamp as landed_at from range(3) r(i)")
    refused = mesh.dbt("build", "--select", "one")
    assert "most_rows" in refused.messages["one"]
    assert mesh.value("select count(*) from shop.one") == 1


def test_the_node_of_the_port_is_as_it_was_after_its_checks_were_rendered(mesh: Mesh) -> None:
    one_port(mesh, "    - not_null: {config: {where: k < 9, meta: {dimension: accuracy}}}")
    hook = (
        "{{ config(post_hook=\"select '{{ model.name }} {{ config.get('where') }} {{ this.identifier }}' as seen\") }}"
    )
    mesh.write("domains/shop/models/output_ports/one.sql", hook + TINY)
    contract = mesh.folder / "domains/shop/models/output_ports/one.yml"
    contract.write_text(contract.read_text().replace(EXEMPT, EXEMPT_WITH_HOOKS))
    sent: list[str] = []

    def listen(event: EventMsg) -> None:
        if event.info.name == "SQLQuery":
            sent.append(event.data.sql)

    place = ["--project-dir", str(mesh.project), "--profiles-dir", str(mesh.project), "--log-level", "debug"]
    result = dbtRunner(callbacks=[listen]).invoke(["run", *place])
    mesh.engine.close()
    assert result.success
    assert any("'one None one' as seen" in statement for statement in sent)
    (node,) = [r.node for r in result.result if r.node.name == "one"]
    assert "where" not in node.config.extra
    assert "dimension" not in node.config.meta


def test_checks_of_one_name_in_two_versions_keep_their_own_failing_rows(mesh: Mesh) -> None:
    mesh.set_up("shop", sources=("tiny",))
    for version in (1, 2):
        mesh.write(f"domains/shop/models/output_ports/one_v{version}.sql", TINY)
    mesh.port(
        "shop/one",
        TINY,
        "- {name: k, data_type: bigint, description: Key., data_tests: [{not_null: {name: k_is_there}}]}\n"
        "- {name: t, data_type: string, description: Text.}\n"
        "- {name: landed_at, data_type: timestamp, description: When.}",
        meta=EXEMPT,
    )
    mesh.remove("domains/shop/models/output_ports/one.sql")
    path = mesh.folder / "domains/shop/models/output_ports/one.yml"
    path.write_text(path.read_text() + "    latest_version: 2\n    versions: [{v: 1}, {v: 2}]\n")
    mesh.land("tiny", "select null::bigint as k, 'a' as t, now()::timestamp as landed_at")
    assert mesh.dbt("deps").ok
    refused = mesh.dbt("build")
    assert refused.exit_code == 1
    assert mesh.rows("select port, verdict from portmesh.publications__shop order by 1") == [
        ("one.v1", "refused"),
        ("one.v2", "refused"),
    ]
    kept = re.findall(r"select \* from (shop__internal\.k_is_there\w+)", refused.output)
    assert len(set(kept)) == 2
    assert {mesh.value(f"select count(*) from {table}") for table in kept} == {1}
