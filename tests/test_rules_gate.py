"""What a domain cannot do to the gate. Every such rule passes and fails on a small mesh, through dbt."""

from __future__ import annotations

import pytest

from tests.mesh import REPOSITORY, Mesh
from tests.test_rules import (
    COLUMNS,
    EXEMPTION,
    LINES,
    PORT,
    PORT_SQL,
    READER,
    ROOT,
    RULES_ONLY,
    UNLISTED,
    Edit,
    change,
    findings,
    meta,
    said,
    write,
)

pytestmark = pytest.mark.thorough

SHOP = "domains/shop/dbt_project.yml"
DESK = "domains/desk/dbt_project.yml"
HIDDEN = "outside the port's YAML."
UNIQUE = "data_tests: [unique, not_null]"


def project(line: str, path: str = SHOP) -> Edit:
    """Add a line to a domain's dbt_project.yml."""
    return Edit(path, "restrict-access: true\n", f"restrict-access: true\n{line}\n")


def check(text: str) -> Edit:
    """Add a check of the port's key."""
    return Edit(PORT, "[unique, not_null]", f"[unique, not_null, {{{text}}}]")


def own_test(code: str, name: str = "odd") -> list[Edit]:
    """Add a generic test of the domain to the port's key."""
    macro = f"{{% test {name}(model, column_name) %}}{code}{{% endtest %}}"
    return [write(f"domains/shop/macros/{name}.sql", macro), check(f"{name}: {{}}")]


def reader(code: str) -> Edit:
    """Add a model to desk."""
    return write("domains/desk/models/intermediate/int_desk__more.sql", code)


def limits(*settings: str) -> list[tuple[str, list[Edit], str]]:
    """Settings that a domain's project file may not have for its checks, one by one."""
    return [
        (
            "PM120",
            [project(f"data_tests: {{{setting}}}")],
            f"{setting.strip('+')} is set for shop.lines's checks ... {HIDDEN}",
        )
        for setting in settings
    ]


FAILING: list[tuple[str, list[Edit], str]] = [
    *limits("+severity: warn", "+limit: 7", "+fail_calc: sum(0)", "+store_failures: False"),
    ("PM120", [project("data_tests: {+where: '1 = 0'}")], f"where: 1 = 0 is set for shop.lines's checks ... {HIDDEN}"),
    ("PM120", [project("data_tests: {+error_if: '> 1000000'}")], f"error_if: > 1000000 is set for ... {HIDDEN}"),
    ("PM120", [project("data_tests: {+warn_if: '> 1000000'}")], f"warn_if: > 1000000 is set for ... {HIDDEN}"),
    ("PM120", [project("data_tests: {+meta: {row_wise: true}}")], f"meta.row_wise: True is set for ... {HIDDEN}"),
    (
        "PM120",
        [project("data_tests: {+meta: {dimension: timeliness}}")],
        f"meta.dimension: timeliness is set for ... {HIDDEN}",
    ),
    (
        "PM120",
        [project("data_tests: {shop: {output_ports: {unique_lines_line_id: {+enabled: false}}}}")],
        f"enabled: False is set for shop.lines's check unique_lines_line_id {HIDDEN}",
    ),
    (
        "PM120",
        [Edit(ROOT, "data_tests:\n", "data_tests:\n  +severity: warn\n")],
        "severity: warn is set for shop.lines's",
    ),
    (
        "PM120",
        [
            Edit(ROOT, "data_tests:\n", "data_tests:\n  shop: {+limit: 2}\n"),
            check("unique: {name: few, config: {limit: 5}}"),
        ],
        "limit: 2 is set for shop.lines's checks",
    ),
    (
        "PM120",
        own_test("{{ config(severity='warn') }}select 1 where false"),
        f"severity: warn is set for shop.lines's check odd_lines_line_id {HIDDEN} domains/shop/macros/odd.sql",
    ),
    (
        "PM120",
        own_test("{{ config(where='false') }}select 1"),
        f"where: false is set for shop.lines's check odd_ ... {HIDDEN}",
    ),
    ("PM120", own_test("{{ config(enabled=false) }}select 1"), f"enabled: False is set for ... {HIDDEN}"),
    (
        "PM121",
        [Edit(PORT_SQL, "select", "{{ config(post_hook='drop table x') }} select")],
        f"shop.lines has a post_hook, which nothing audits: drop table x {PORT_SQL}",
    ),
    (
        "PM121",
        [
            reader(
                "{{ config(pre_hook=['select 1', 'create or replace view shop.lines as select 1']) }} select 1 as one"
            )
        ],
        "desk.int_desk__more has a pre_hook, which nothing audits: create or replace view shop.lines as",
    ),
    (
        "PM121",
        [project("models: {desk: {+post-hook: 'drop view shop.lines'}}", DESK)],
        f"desk.int_desk__lines has a post_hook, which nothing audits: drop view shop.lines {DESK}",
    ),
    (
        "PM121",
        [write("domains/desk/seeds/days.csv", "day\n1\n"), project("seeds: {+post-hook: 'select 1'}", DESK)],
        f"desk.days has a post_hook, which nothing audits: select 1 {DESK}",
    ),
    (
        "PM121",
        [
            write(
                "domains/desk/snapshots/kept.yml",
                """
                snapshots:
                  - name: kept
                    relation: ref('int_desk__lines')
                    config: {unique_key: line_id, strategy: check, check_cols: all, post_hook: select 1}
                """,
            )
        ],
        "desk.kept has a post_hook, which nothing audits: select 1 domains/desk/snapshots/kept.yml",
    ),
    (
        "PM121",
        [reader("{{ config(sql_header='drop view shop.lines;') }} select 1 as one")],
        "desk.int_desk__more has a sql_header, which nothing audits: drop view shop.lines; "
        + READER.replace("lines", "more"),
    ),
    (
        "PM121",
        [reader("{% call set_sql_header(config) %}drop view shop.lines;{% endcall %} select 1 as one")],
        "desk.int_desk__more has a sql_header, which nothing audits: drop view",
    ),
    (
        "PM120",
        [project("tests: {+severity: warn}")],
        f"severity: warn is set for shop.lines's checks ... {HIDDEN} {SHOP}",
    ),
    ("PM122", [reader("select {{ run_query.context['graph'] | length }} as one")], "uses context, which"),
    ("PM122", [reader("select {{ render('{{ gra' ~ 'ph }}') | length }} as one")], "uses render, which"),
    (
        "PM122",
        [reader("{% do graph.nodes.update({}) %} select 1 as one")],
        "desk.int_desk__more uses graph, which could change how ports are audited.",
    ),
    ("PM122", [reader("{% if execute %}{% do (graph)['nodes'] %}{% endif %} select 1 as one")], "uses graph, which"),
    ("PM122", [reader("select {{ {'a': {'b': 1}}['a']['b'] + (graph | length) }} as one")], "uses graph, which"),
    ("PM122", [reader("select {{ context['execute'] | int }} as one")], "uses context, which"),
    ("PM122", [reader("select {{ builtins | length }} as one")], "uses builtins, which"),
    (
        "PM122",
        [reader("select {{ [{1: {1: {1: {1: {1: {1: 2}}}}}}, graph][0] | length }} as one")],
        "uses graph, which",
    ),
    ("PM122", [reader("select {{ ref.manifest.nodes | length }} as one")], "uses ref.manifest, which"),
    (
        "PM122",
        [reader("{% set r = ref %}select {{ r['manifest'].nodes | length }} as one")],
        "uses ref, manifest, which",
    ),
    ("PM122", [reader("select {{ source.config.project_name | length }} as one")], "uses source.config, which"),
    ("PM122", [reader("select '{{ config.model }}' as one")], "uses config.model, which"),
    ("PM122", [reader("select '{{ adapter.config.project_name }}' as one")], "uses adapter.config, which"),
    ("PM122", [reader("select '{{ adapter|attr('config') }}' as one")], "uses adapter, which"),
    ("PM122", [reader("select '{{ portmesh._letter_pairs('a') }}' as one")], "uses _letter_pairs, which"),
    ("PM122", [reader("select '{{ _letter_pairs('a') }}' as one")], "uses _letter_pairs, which"),
    (
        "PM122",
        [reader("{% if execute %}{% do portmesh.read_mesh() %}{% endif %}select 1 as one")],
        "uses read_mesh, which",
    ),
    (
        "PM122",
        [reader("{% if execute %}{% do portmesh['read_mesh']() %}{% endif %}select 1 as one")],
        "uses portmesh, which",
    ),
    (
        "PM122",
        [reader("{% if execute %}{% do adapter.commit() %}{% endif %}select 1 as one")],
        "uses adapter.commit, which",
    ),
    (
        "PM122",
        own_test("{% do graph.update({}) %}select 1 where false"),
        "The macro test_odd of shop uses graph, which could change how ports are audited.",
    ),
    (
        "PM122",
        [check("""accepted_values: {name: odd, arguments: {values: ["{{ graph.get('a', 1) }}"]}}""")],
        "shop.odd uses graph, which",
    ),
    (
        "PM122",
        [check("accepted_values: {name: odd, arguments: {values: \"var('a', [1]) + [graph.get('a', 1)]\"}}")],
        "shop.odd uses graph, which",
    ),
    (
        "PM122",
        [write("domains/shop/tests/assert_one.sql", "{% do graph.update({}) %}select 1 as one where false")],
        "shop.assert_one uses graph, which",
    ),
    (
        "PM122",
        [
            Edit(PORT_SQL, "select", "{{ config(post_hook='{{ graph.nodes.clear() }}') }} select"),
            meta(EXEMPTION.format(rule="PM121", reason="For a while.", until="2099-01-01")),
        ],
        "shop.lines uses graph, which",
    ),
    *[
        (
            "PM122",
            own_test("{% if execute %}{% do " + jinja + " %}{% endif %}select 1 where false"),
            f"uses {used}, which",
        )
        for jinja, used in [
            ("portmesh.update({'_status': passes})", "portmesh.update"),
            ("exceptions . update({'raise_dependency_error': passes})", "exceptions . update"),
            ("dict.update(portmesh, {})", "portmesh"),
            ("[dbt][0].update({})", "dbt"),
            ("dbt_duckdb.clear()", "dbt_duckdb.clear"),
            ("modules['re'].update({})", "modules"),
            ("[modules.re][0].update({})", "modules.re"),
            ("model.config['meta'].pop('dimension')", "model.config[''].pop"),
            ("[adapter][0].commit()", "adapter"),
            ("run_query.node.constraints.clear()", "node, constraints.clear"),
            ("metric.model.constraints.clear()", "metric.model, constraints.clear"),
            ("function.model", "function.model"),
            ("namespace(a=1).meta.pop()", "meta.pop"),
        ]
    ],
    (
        "PM122",
        own_test("{% if execute %}{% do run_query('  COMMIT') %}{% endif %}select 1 where false"),
        "The macro test_odd of shop runs commit, which would end the transaction of a publication.",
    ),
    ("PM122", own_test("select 1 where false; rollback; select 2 where false"), "of shop runs rollback, which"),
    (
        "PM122",
        own_test(
            "{% set end %}commit{% endset %}{% if execute %}{% do run_query(end) %}{% endif %}select 1 where false"
        ),
        "of shop runs commit, which",
    ),
    ("PM123", [check("unique: {name: odd, config: {limit: 0}}")], "its limit is 0, so no row is counted."),
    *[
        (
            "PM123",
            [check(f"unique: {{name: odd, config: {{where: '{where}'}}}}")],
            f"its where is {where}, so no row is checked",
        )
        for where in ("1 = 0", "false", "(1=2)", "line_id > 1 and false", "not true", "1 <> 1 or false", "null")
    ],
    ("PM123", [check("unique: {name: odd, config: {fail_calc: '0'}}")], "can never fail: its fail_calc is 0."),
    (
        "PM123",
        [check("unique: {name: odd, config: {error_if: '< 0'}}")],
        "its error_if is < 0, which no row count can meet",
    ),
    ("PM123", [check("unique: {name: odd, config: {error_if: '= 0 and 1 = 0'}}")], "its error_if is = 0 and 1 = 0,"),
    (
        "PM123",
        [check("unique: {name: odd, config: {error_if: '> 5', limit: 5}}")],
        "its error_if is > 5, which no row count can meet (limit: 5).",
    ),
    ("PM123", [check("unique: {name: odd, config: {severity: warn, warn_if: '= -1'}}")], "its warn_if is = -1, which"),
    (
        "PM123",
        [check("expression_is_true: {name: odd, arguments: {expression: line_id > 1 or true}}")],
        "The check odd of shop.lines can never fail: its expression is always true: line_id > 1 or true.",
    ),
    (
        "PM123",
        [
            Edit(
                PORT,
                "    config:\n",
                "    data_tests: [{row_count_between: {arguments: {min_rows: 0}}}]\n    config:\n",
            )
        ],
        "can never fail: every row count is at least 0.",
    ),
    (
        "PM110",
        [project("dispatch: [{macro_namespace: dbt, search_order: [desk, dbt]}]", DESK)],
        "desk sets dispatch, the search order for macros, which only the root may set.",
    ),
    (
        "PM110",
        [
            write(
                "domains/desk/macros/lookups.sql",
                "{% macro default__get_where_subquery(relation) %}{{ relation }}{% endmacro %}"
                "{% macro spark__test_unique(model) %}{% endmacro %}",
            )
        ],
        "The macro spark__test_unique of desk would replace the shared macro test_unique on one engine.",
    ),
    (
        "PM108",
        [
            UNLISTED,
            write(
                "domains/desk/tests/lines_are_there.sql",
                EXEMPT_TEST := (
                    "{{ config(meta={'exemptions': [{'rule': 'PM113', 'reason': 'So.', 'until': '2099-01-01'}]}) }}"
                    "select * from {{ ref('shop', 'lines') }} where false"
                ),
            ),
        ],
        "The test lines_are_there of desk reads shop.lines, but desk is not one of its consumers.",
    ),
    *[
        (
            "PM114",
            [check(f"{kind}: {{name: odd, config: {{meta: {{row_wise: true}}}}}}")],
            f"row_wise of odd is true, but {says}",
        )
        for kind, says in {"unique": "unique looks at all rows together."}.items()
    ],
    (
        "PM114",
        [check("not_null_share: {name: odd, arguments: {at_least: 0.5}, config: {meta: {row_wise: true}}}")],
        "row_wise of odd is true, but not_null_share looks at all rows together.",
    ),
    (
        "PM114",
        [check("not_null: {name: odd, config: {meta: {row_wise: probably}}}")],
        "row_wise of odd is probably, not true",
    ),
    (
        "PM115",
        [
            write("domains/desk/seeds/days.csv", "day\n1\n"),
            write(
                "domains/desk/seeds/_seeds.yml",
                "seeds: [{name: days, config: {meta: {exemptions: [{rule: PM121, reason: So., until: 2020-01-01}]}}}]",
            ),
        ],
        "desk.days: its exemption from PM121 expired on 2020-01-01.",
    ),
]

PASSING: list[tuple[str, list[Edit]]] = [
    (
        "PM120",
        [
            check(
                "unique: {name: odd, config: {severity: warn, where: line_id > 1, limit: 7, warn_if: '> 1',"
                " error_if: '> 3', fail_calc: sum(1), store_failures: true, meta: {dimension: uniqueness}}}"
            ),
            project("data_tests: {+tags: [nightly]}"),
        ],
    ),
    ("PM120", [check("accepted_values: {name: odd, where: '1 = 1', arguments: {values: ['severity=warn,where=x']}}")]),
    ("PM120", [project("data_tests: {+severity: error, +error_if: '!= 0'}")]),
    ("PM120", [project("data_tests: {shop: {staging: {+severity: warn}}}")]),
    ("PM120", own_test("{{ config(fail_calc='sum(n)') }}select 1 as n where false")),
    ("PM120", [check("unique: {name: odd, config: {enabled: false}}")]),
    ("PM120", [Edit(ROOT, "data_tests:\n", "data_tests:\n  +store_failures: true\n")]),
    (
        "PM121",
        [
            Edit(PORT_SQL, "select", "{{ config(post_hook='drop table x') }} select"),
            meta(EXEMPTION.format(rule="PM121", reason="Until the tool reads the view.", until="2099-01-01")),
        ],
    ),
    (
        "PM121",
        [
            Edit(
                ROOT,
                "models:\n",
                "models:\n  +pre-hook: '{{ portmesh.is_date(1) }}'\n"
                "  +post-hook: [{sql: select 2, transaction: false}]\n",
            ),
            Edit(ROOT, "seeds:\n", "seeds:\n  +pre-hook: [select 3]\n"),
            write("domains/desk/seeds/days.csv", "day\n1\n"),
        ],
    ),
    (
        "PM122",
        [
            reader(
                """
                {#- graph is named here -#}
                -- not graph, nor context; commit;
                {%- set days = ["graph", 'context["a"]', "portmesh._x"] -%}
                {%- set chosen = dbt_graph | default(1) -%}
                {% raw %}{{ graph }}{% endraw %} -- raw
                select
                    '{{ days[0] }}; commit; ' as word,
                    graph.context, -- a table named graph
                    begin,
                    {{ dbt.type_string() }},
                    "commit"
                    {{ adapter.dispatch('store_date', 'shop')() if false }}
                    {{ config.get('materialized') }}
                    {{ modules.datetime.date(2026, 1, 1) if modules.re.match('a', 'a') }}
                    {% do days.append(dbt.type_int()) %}{% set when = modules.datetime %}
                    {{ run_query('select 1 as begin_at') if execute and false }}
                from graph
                where graph.rollback = 1
                """
            ),
            check("accepted_values: {name: odd, arguments: {values: ['graph', \"{{ var('graph', 1) }}\"]}}"),
            Edit(PORT_SQL, "select", "{{ config(materialized='output_port') }}{% set more = model.config %}select"),
        ],
    ),
    (
        "PM122",
        [write("models/seen.sql", "{{ config(group='shop', enabled=false) }}select {{ graph | length }} as one")],
    ),
    (
        "PM123",
        [
            check("unique: {name: odd, config: {error_if: '> 5', limit: 6, where: \"line_id = 0 or 1 = 0\"}}"),
            Edit(
                PORT,
                "    config:\n",
                "    data_tests: [{row_count_between: {arguments: {min_rows: 0, max_rows: 9}}},"
                " {expression_is_true: {arguments: {expression: line_id > 1 and true}}}]\n    config:\n",
            ),
        ],
    ),
    (
        "PM110",
        [
            write(
                "domains/desk/macros/store_date.sql",
                "{% macro store_date() %}{{ adapter.dispatch('store_date', 'desk')() }}{% endmacro %}"
                "{% macro default__store_date() %}now(){% endmacro %}"
                "{% macro spark__store_date() %}now(){% endmacro %}",
            )
        ],
    ),
    ("PM108", [write("domains/desk/tests/lines_are_there.sql", EXEMPT_TEST)]),
    (
        "PM114",
        [
            check(
                "expression_is_true: {name: odd, arguments: {expression: line_id > 0},"
                " config: {meta: {row_wise: true}}}"
            ),
            Edit(PORT, "[unique, ", "[{unique: {config: {meta: {row_wise: false}}}}, "),
        ],
    ),
]


@pytest.mark.parametrize(("code", "edits", "message"), FAILING, ids=[f"{c[0]}-{n}" for n, c in enumerate(FAILING)])
def test_a_weaker_gate_stops_the_run(good: Mesh, code: str, edits: list[Edit], message: str) -> None:
    change(good, edits)
    refused = good.dbt("build")
    assert refused.exit_code == 1, refused.output
    assert code in {found for found, _ in findings(refused)}, refused.output
    text = said(refused)
    assert all(part in text for part in message.split(" ... ")), refused.output
    assert all((good.folder / where).exists() for _, where in findings(refused)), refused.output
    assert max(len(line) for line in refused.output.partition("nothing was built.")[2].splitlines()) <= 100
    assert "> in macro" not in refused.output


@pytest.mark.parametrize(("code", "edits"), PASSING, ids=[f"{c[0]}-{n}" for n, c in enumerate(PASSING)])
def test_what_is_no_weaker_gate_runs(good: Mesh, code: str, edits: list[Edit]) -> None:
    change(good, edits)
    compiled = good.dbt("compile")
    assert compiled.ok, compiled.output
    assert code not in compiled.output


def test_a_package_of_one_domain_does_not_switch_off_a_check_of_all(mesh: Mesh) -> None:
    mesh.set_up("shop", "desk", root=RULES_ONLY)
    mesh.port("shop/lines", LINES, COLUMNS)
    mesh.write(READER, "select 1 as one")
    mesh.write("domains/desk/packages.yml", "packages: [{local: domains/desk/inner}]")
    mesh.write("domains/desk/inner/dbt_project.yml", "{name: inner, version: 0.1.0, config-version: 2}")
    mesh.write(
        "domains/desk/inner/macros/unique.sql",
        "{% test unique(model, column_name) %}select 1 where false{% endtest %}",
    )
    assert mesh.dbt("deps").ok
    refused = mesh.dbt("build")
    assert findings(refused) == [("PM110", "domains/desk/packages.yml")]
    assert "desk installs packages (domains/desk/inner), which would add their macros to every domain." in said(refused)
    assert not mesh.has("shop.lines")


def test_a_package_of_the_root_is_allowed_beside_a_domains_test_of_the_same_name(mesh: Mesh) -> None:
    mesh.set_up("shop", root=RULES_ONLY)
    mesh.port(
        "shop/lines",
        LINES,
        COLUMNS.replace(UNIQUE, "data_tests: [unique, not_null, not_negative, helpers.not_negative]"),
    )
    test = (
        "{% test not_negative(model, column_name) %}select 1 from {{ model }} where {{ column_name }} < 0{% endtest %}"
    )
    mesh.write("domains/shop/macros/not_negative.sql", test)
    mesh.write("helpers/dbt_project.yml", "{name: helpers, version: 0.1.0, config-version: 2}")
    mesh.write("helpers/macros/not_negative.sql", test)
    mesh.write("packages.yml", "packages: [{local: domains/shop}, {local: helpers}]")
    assert mesh.dbt("deps").ok
    assert mesh.dbt("compile").ok


def test_every_limit_is_looked_for_in_what_dbt_knows_of_a_test() -> None:
    """If dbt adds a new config for tests, it must either count as a limit of a check or be listed here."""
    from dbt.artifacts.resources.v1.config import TestConfig

    macro = (REPOSITORY / "macros/rules/lookup/default_limits.sql").read_text()
    no_limit = {
        "alias",
        "schema",
        "database",
        "tags",
        "meta",
        "group",
        "materialized",
        "static_analysis",
        "store_failures_as",
    }
    fields = set(TestConfig.__dataclass_fields__) - no_limit - {"_extra"}
    assert len(fields) > 5
    assert all(f"'{field}'" in macro for field in fields)
