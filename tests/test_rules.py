"""Every rule passes and fails on a small mesh, through dbt. A finding stops the run and says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from dbt.cli.main import dbtRunner
from jinja2.defaults import DEFAULT_NAMESPACE

from tests.mesh import REPOSITORY, Mesh, Outcome

PORT = "domains/shop/models/output_ports/lines.yml"
PORT_SQL = "domains/shop/models/output_ports/lines.sql"
PRODUCT = "domains/shop/models/shop.yml"
READER = "domains/desk/models/intermediate/int_desk__lines.sql"
ROOT = "dbt_project.yml"
RULES_ONLY = {"on-run-start": ["{{ check_rules() }}"]}
DAY = "{column: landed_at, warn_after: {count: 24, period: hour}}"

COLUMNS = """
- {name: line_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- {name: amount, data_type: double, description: Euro., data_tests: [{accepted_range: {arguments: {min_value: 0}}}]}
- {name: landed_at, data_type: timestamp, description: When it landed.}
"""
LINES = "select cast(1 as bigint) as line_id, cast(1 as double) as amount, cast('2026-01-01' as timestamp) as landed_at"


class Edit(NamedTuple):
    """Replace `old` in a file of the mesh; without `old`, write the file."""

    path: str
    old: str
    new: str


def write(path: str, text: str) -> Edit:
    return Edit(path, "", text)


def source(schema: str, table: str = "tickets", meta: str = "{}") -> Edit:
    text = f"sources: [{{name: other, schema: {schema}, tables: [{{name: {table}, config: {{meta: {meta}}}}}]}}]"
    return write("domains/desk/models/staging/_other__sources.yml", text)


def meta(text: str) -> Edit:
    """Add a key to the port's config.meta."""
    return Edit(PORT, "        version: 1.0.0\n", f"        version: 1.0.0\n        {text}\n")


def exposure(name: str) -> Edit:
    text = f"""
    exposures:
      - name: {name}
        type: application
        owner: {{email: board@example.com}}
        depends_on: ["ref('shop', 'lines')"]
    """
    return write("domains/desk/models/_desk__exposures.yml", text)


UNLISTED = Edit(PORT, "{name: desk, ", "{name: till, ")
READS_NOTHING = write(READER, "select cast(1 as bigint) as line_id")
RELATIONSHIP = write(
    "domains/desk/models/intermediate/_desk__models.yml",
    """
    models:
      - name: int_desk__lines
        columns:
          - name: line_id
            data_tests: [{relationships: {arguments: {to: "ref('shop', 'lines')", field: line_id}}}]
    """,
)
SNAPSHOT = write(
    "domains/desk/snapshots/days.yml",
    """
    snapshots:
      - name: days
        relation: ref('int_desk__lines')
        config:
          unique_key: line_id
          strategy: check
          check_cols: all
    """,
)
EXEMPTION = "exemptions: [{{rule: {rule}, reason: {reason}, until: {until}}}]"
AS_UNIQUENESS = "config: {meta: {dimension: uniqueness}}"
NO_KEY = Edit(PORT, "data_tests: [unique, not_null]", "data_tests: [not_null]")
IN_PYTHON = write(
    "domains/shop/models/intermediate/int_shop__pairs.py",
    "def model(dbt, session):\n    dbt.config(materialized='table')\n    return session.range(1)\n",
)
UNCHECKED_KEY = "shop.lines has no check for uniqueness."


def landing(name: str, feed: str) -> Edit:
    """A source of desk whose table lands in a feed."""
    meta_of = "{external_location: \"landed('{identifier}')\", landing: {format: csv}}"
    return write(
        f"domains/desk/models/staging/_{name}__sources.yml",
        f"sources: [{{name: {name}, schema: landed, config: {{meta: {meta_of}}}, "
        f"tables: [{{name: tickets, identifier: {feed}}}]}}]",
    )


FAILING: list[tuple[str, list[Edit], str]] = [
    (
        "PM101",
        [Edit(PORT, "description: One row per line of lines.", "description: ''")],
        "shop.lines has no description.",
    ),
    ("PM101", [Edit(PORT, "description: Euro.", "description: ' '")], "shop.lines has no description for amount."),
    (
        "PM101",
        [Edit(ROOT, "enforced: true", "enforced: false"), Edit(PORT, "data_type: double, ", "")],
        "shop.lines has no enforced contract; no data_type for amount.",
    ),
    ("PM102", [Edit(PRODUCT, "email: shop@example.com", "email: ''")], "The product shop has no owner email."),
    ("PM102", [Edit(PRODUCT, "channel: '#shop'", "chanel: '#shop'")], "The product shop has no channel."),
    ("PM102", [Edit(PRODUCT, "purpose: A test.", "purpose: ''")], "The product shop has no purpose."),
    (
        "PM102",
        [Edit(PRODUCT, "kind: source-aligned", "kind: raw")],
        "The product shop has the kind raw (allowed: source-aligned, aggregate, consumer-aligned).",
    ),
    (
        "PM102",
        [Edit(PRODUCT, "stage: active", "stage: beta")],
        "The product shop has the stage beta (allowed: proposed, active, deprecated, retired).",
    ),
    ("PM102", [Edit(PRODUCT, "engine: emr", "engine: ''")], "The product shop has no engine."),
    (
        "PM102",
        [Edit(PRODUCT, "engine: emr", "engine: spark")],
        "The product shop has the engine spark (allowed: emr, athena).",
    ),
    (
        "PM103",
        [Edit(PORT, "classification: internal", "classification: secret")],
        "shop.lines has the classification secret.",
    ),
    ("PM103", [Edit(PORT, "        classification: internal\n", "")], "shop.lines has no classification."),
    ("PM103", [Edit(PORT, "version: 1.0.0", "version: 1.0")], "shop.lines has the version 1.0."),
    ("PM103", [Edit(PORT, "        version: 1.0.0\n", "")], "shop.lines has no version."),
    ("PM104", [UNLISTED], "desk reads shop.lines but is not one of its consumers."),
    (
        "PM104",
        [Edit(PORT, "{name: desk, ", "{name: dsk, ")],
        "Ask the owner (shop@example.com) to add desk to the consumers in lines.yml, with a purpose (is dsk there a",
    ),
    (
        "PM104",
        [Edit(PORT, "        consumers: [{name: desk, purpose: Reports.}]\n", "")],
        "desk reads shop.lines but is not",
    ),
    ("PM105", [Edit(PORT, ", purpose: Reports.", "")], "A consumer of shop.lines (desk) has no purpose."),
    (
        "PM105",
        [Edit(PORT, "purpose: Reports.}", "purpose: Reports.}, {purpose: Unknown.}")],
        "A consumer of shop.lines has no name.",
    ),
    ("PM106", [NO_KEY], UNCHECKED_KEY),
    ("PM106", [Edit(PORT, "[unique, not_null]", "[unique]")], "shop.lines has no check for completeness."),
    ("PM106", [Edit(PORT, f"        freshness: {DAY}\n", "")], "shop.lines has no check for timeliness."),
    (
        "PM106",
        [Edit(PORT, "{accepted_range: {arguments: {min_value: 0}}}", "")],
        "shop.lines has no check for accuracy.",
    ),
    (
        "PM106",
        [Edit(PORT, "[unique, not_null]", "[{unique: {config: {meta: {dimension: accuracy}}}}, not_null]")],
        UNCHECKED_KEY,
    ),
    ("PM107", [exposure("board")], "The exposure board reads shop.lines but is not one of its consumers."),
    (
        "PM108",
        [UNLISTED, READS_NOTHING, RELATIONSHIP],
        "of desk reads shop.lines, but desk is not one of its consumers.",
    ),
    ("PM109", [source("shop", "lines")], "The source other.lines of desk is a table of the domain shop (shop.lines)."),
    ("PM109", [source("SHOP__internal")], "is a table of the domain shop (SHOP__internal.tickets)."),
    (
        "PM109",
        [source("desk__internal")],
        "is a table of the domain desk (desk__internal.tickets). ... Read it with ref()",
    ),
    ("PM109", [source("pr_12__shop", "lines")], "is a table of the domain shop (pr_12__shop.lines)."),
    (
        "PM109",
        [source("portmesh", "publications")],
        "is a table of the records, which only platform may read (portmesh.publications).",
    ),
    ("PM109", [source("raw", meta='{external_location: \'"mesh"."shop"."lines"\'}')], "is a table of the domain shop"),
    (
        "PM109",
        [source("landing", '"lines"', "{external_location: shop.lines}")],
        "Read an output port of shop with ref('shop', '<port>')",
    ),
    (
        "PM110",
        [
            write(
                "domains/desk/macros/not_null.sql",
                "{% test not_null(model, column_name) %}select 1 where false{% endtest %}",
            )
        ],
        "The macro test_not_null of desk has the name of a shared macro and would replace it.",
    ),
    (
        "PM110",
        [
            write(
                "domains/desk/macros/render_check.sql",
                "{% macro render_check(port, check, relation) %}{% endmacro %}",
            )
        ],
        "The macro render_check of desk has the name of a shared macro",
    ),
    (
        "PM110",
        [
            write(
                "domains/desk/macros/run_query.sql",
                "{% macro duckdb__get_binding_char() %}{% endmacro %}{% macro run_query(sql) %}{% endmacro %}",
            )
        ],
        "The macro run_query of desk has the name of a shared macro",
    ),
    (
        "PM110",
        [
            write(
                "domains/desk/macros/of_jinja.sql",
                "".join(f"{{% macro {name}() %}}{{% endmacro %}}" for name in sorted(DEFAULT_NAMESPACE)),
            )
        ],
        " ... ".join(f"The macro {name} of desk has the name of a shared macro" for name in DEFAULT_NAMESPACE),
    ),
    (
        "PM110",
        [
            write(
                "domains/desk/macros/table.sql",
                "{% materialization table, adapter='duckdb' %}{{ return({'relations': []}) }}{% endmaterialization %}",
            )
        ],
        "The macro materialization_table_duckdb of desk is a materialization, which only the root may have.",
    ),
    (
        "PM110",
        [
            write(
                "domains/desk/macros/output_port.sql",
                "{% materialization own_port, default %}{{ return({'relations': []}) }}{% endmaterialization %}",
            )
        ],
        "The macro materialization_own_port_default of desk is a materialization, which only the root may have.",
    ),
    (
        "PM110",
        [Edit("domains/desk/dbt_project.yml", "name: desk", "name: desk\non-run-end: ['select 1']")],
        "desk has a hook (on-run-end) that would run in every run of every domain.",
    ),
    (
        "PM110",
        [Edit("domains/desk/dbt_project.yml", "name: desk", "name: desk\nprofile: portmesh")],
        "desk names a profile, so dbt could build it without the mesh, and so without rules and checks.",
    ),
    ("PM111", [Edit(ROOT, "    +group: desk\n", "")], "The model desk.int_desk__lines is in no group."),
    (
        "PM111",
        [write("models/loose.sql", "select 1 as one")],
        "The model portmesh.loose is in no group. ... Move it into a domain",
    ),
    (
        "PM111",
        [
            Edit(ROOT, "    +group: desk\n", ""),
            write(READER, "{{ config(group='shop') }} select * from {{ ref('shop', 'lines') }}"),
        ],
        "The model desk.int_desk__lines is in the group shop, not in its domain's.",
    ),
    (
        "PM111",
        [write("domains/desk/models/second.yml", "groups: [{name: second, owner: {name: a, email: b}}]")],
        "The domain desk has a group second; a domain is one product, with one group of the same name.",
    ),
    (
        "PM112",
        [write("domains/desk/models/intermediate/open.sql", "{{ config(access='public') }} select 1 as one")],
        "desk.open is public but not in output_ports/, so nothing audits it.",
    ),
    (
        "PM112",
        [
            write(
                "domains/desk/models/intermediate/open.sql", "{{ config(materialized='output_port') }} select 1 as one"
            )
        ],
        "desk.open is materialized as output_port but not in output_ports/",
    ),
    (
        "PM112",
        [write("domains/desk/models/marts/output_ports/deep.sql", "select 1 as one")],
        "desk.deep is in output_ports/ but is materialized as view.",
    ),
    (
        "PM126",
        [meta("model: {inputs: {lines: stg_raw__lines}, grain: line_id}")],
        "shop.lines has config.meta.model and SQL that was not made from it.",
    ),
    (
        "PM124",
        [Edit(PORT, "    config:\n", "    config:\n      on_schema_change: ignore\n")],
        "shop.lines sets on_schema_change, which is not a setting of output ports.",
    ),
    (
        "PM124",
        [Edit(PORT, "    config:\n", "    config:\n      partitoned_by: [amount]\n")],
        "shop.lines sets partitoned_by, which is not a setting of output ports. ... Write partition_by",
    ),
    (
        "PM124",
        [Edit("domains/shop/dbt_project.yml", "name: shop", "models: {+incremental_strategy: append}\nname: shop")],
        "shop.lines sets incremental_strategy, which is not a setting of output ports.",
    ),
    (
        "PM113",
        [write("domains/shop/tests/assert_lines.sql", "select * from {{ ref('lines') }} where amount < 0")],
        "The singular test assert_lines reads shop.lines, so it would run only after the port is published.",
    ),
    (
        "PM114",
        [meta("classifcation: internal")],
        "shop.lines: config.meta has the unknown key classifcation; did you mean classification?",
    ),
    ("PM114", [meta("zzz: 1")], "config.meta has the unknown key zzz (known: version, classification,"),
    (
        "PM114",
        [Edit(PORT, f"freshness: {DAY}", "freshness: 24")],
        "freshness is 24, not a mapping with column, warn_after and error_after.",
    ),
    (
        "PM114",
        [Edit(PORT, "column: landed_at", "column: landedat")],
        "freshness.column is landedat; it must be a column of the contract.",
    ),
    (
        "PM114",
        [Edit(PORT, "warn_after", "warn_afer")],
        "freshness has the unknown key warn_afer; did you mean warn_after?",
    ),
    (
        "PM114",
        [Edit(PORT, "period: hour", "period: week")],
        "freshness.warn_after does not look like {count: 24, period: hour} (periods: minute, hour, day).",
    ),
    (
        "PM114",
        [Edit(PORT, "count: 24", "count: 0")],
        "freshness.warn_after does not look like {count: 24, period: hour}",
    ),
    ("PM114", [meta("subject: customer")], "subject is customer, not a mapping with entity and key."),
    ("PM114", [meta("subject: {key: household_id}")], "subject.entity is missing."),
    (
        "PM114",
        [meta("subject: {entity: customer, key: household_id}")],
        "subject.key is household_id; it must be a column of the contract.",
    ),
    (
        "PM114",
        [Edit(PORT, "[{name: desk, purpose: Reports.}]", "desk")],
        "consumers is not a list of {name, purpose, until}.",
    ),
    (
        "PM114",
        [Edit(PORT, "purpose: Reports.}", "purpose: Reports.}, board")],
        "the consumer board must be written as {name: board, purpose: ...}.",
    ),
    (
        "PM114",
        [Edit(PORT, "purpose: Reports.", "purpose: Reports., unitl: 2099-01-01")],
        "the consumer desk has the unknown key unitl; did you mean until?",
    ),
    (
        "PM114",
        [Edit(PORT, "purpose: Reports.", "purpose: Reports., until: next year")],
        "until of desk is next year, not a date like 2027-06-30.",
    ),
    ("PM114", [meta("consumer: [{name: board}]")], "unknown key consumer; did you mean consumers?"),
    (
        "PM114",
        [Edit(PORT, "period: hour", "perod: hour")],
        "freshness.warn_after has the unknown key perod; did you mean period?",
    ),
    (
        "PM114",
        [Edit(PORT, "description: Euro.", "description: Euro., config: {meta: {dimension: accuracy}}")],
        "config.meta of the column amount has the unknown key dimension (known:",
    ),
    (
        "PM114",
        [Edit(PORT, "[unique, not_null]", "[{unique: {config: {meta: {dimensoin: uniqueness}}}}, not_null]")],
        "config.meta of the check unique_lines_line_id has the unknown key dimensoin; did you mean dimension?",
    ),
    (
        "PM114",
        [meta("exemptions: [{rule: PM106, reason: Soon., untill: 2099-01-01}]")],
        "the exemption PM106 has the unknown key untill; did you mean until?",
    ),
    ("PM114", [meta("keep_versions: 0")], "keep_versions is 0, not a whole number above 0."),
    (
        "PM114",
        [
            Edit(
                PORT,
                "[unique, not_null]",
                "[unique, not_null, {unique: {name: odd, config: {meta: {dimension: speed}}}}]",
            )
        ],
        "the dimension of odd is speed, not completeness, uniqueness, timeliness or accuracy.",
    ),
    (
        "PM114",
        [
            Edit(
                PORT,
                "- {name: amount",
                "- {name: AMOUNT, data_type: double, description: Euro.}\n      - {name: amount",
            )
        ],
        "shop.lines: the column amount is declared twice; dbt keeps only the last declaration.",
    ),
    (
        "PM127",
        [landing("one", "orders"), landing("two", "orders")],
        "The source table two.tickets of desk lands in the feed orders, as does one.tickets of desk, so each would",
    ),
    (
        "PM128",
        [IN_PYTHON, Edit(PRODUCT, "engine: emr", "engine: athena")],
        "shop.int_shop__pairs is a Python model (models/intermediate/int_shop__pairs.py), and the engine of shop is "
        "athena, which runs none.",
    ),
    (
        "PM125",
        [Edit(PRODUCT, "channel: '#shop'", "channel: '#shop'\n      consumer: desk")],
        "The group shop.shop: config.meta has the unknown key consumer (known: kind, stage, engine, purpose, channel,",
    ),
    (
        "PM125",
        [Edit(PRODUCT, "channel: '#shop'", "channel: '#shop'\n      enginge: emr")],
        "The group shop.shop: config.meta has the unknown key enginge; did you mean engine?",
    ),
    (
        "PM125",
        [Edit(PRODUCT, "channel: '#shop'", "channel: '#shop'\n      on: inputs")],
        "The group shop.shop: config.meta has the key True, which is no text: YAML reads on, off, yes and no as",
    ),
    (
        "PM125",
        [Edit(PRODUCT, "email: shop@example.com", "email: shop@example.com\n    githb: shop")],
        "The group shop.shop: the owner has the unknown key githb; did you mean github?",
    ),
    (
        "PM125",
        [source("crm", meta="{external_locaton: x}")],
        "The source desk.other.tickets: config.meta has the unknown key external_locaton; did you mean external_loc",
    ),
    (
        "PM125",
        [
            write(
                "domains/desk/models/staging/_other__sources.yml",
                "sources: [{name: other, schema: crm, tables: [{name: tickets, columns: "
                "[{name: day, config: {meta: {form: Tag}}}]}]}]",
            )
        ],
        "config.meta of the column day has the unknown key form (known:",
    ),
    (
        "PM115",
        [meta(EXEMPTION.format(rule="PM106", reason="Soon.", until="2020-01-01"))],
        "shop.lines: its exemption from PM106 expired on 2020-01-01.",
    ),
    ("PM115", [meta("exemptions: [{rule: PM106, until: 2099-01-01}]")], "its exemption from PM106 has no reason."),
    (
        "PM115",
        [meta("exemptions: [{rule: PM106, reason: Soon.}]")],
        "its exemption from PM106 has no end date: until is missing.",
    ),
    ("PM115", [meta("exemptions: [{rule: PM106, reason: Soon., until: later}]")], "has no end date: until is later."),
    ("PM115", [meta("exemptions: PM106")], "shop.lines: its exemptions are not a list."),
    ("PM115", [meta("exemptions: [PM106]")], "its exemption is not a mapping with rule, reason and until."),
    (
        "PM115",
        [
            write(
                READER,
                "{{ config(meta={'exemptions': [{'rule': 'PM104', 'reason': 'x', 'until': '2099-01-01'}]}) }} select 1",
            )
        ],
        "desk.int_desk__lines: its exemption names the rule PM104; only PM101,",
    ),
    (
        "PM116",
        [
            write("domains/shop/seeds/rates.csv", "currency,rate\nEUR,1\n"),
            write(READER, "select * from {{ ref('shop', 'rates') }}"),
        ],
        "desk.int_desk__lines reads shop.rates, a seed of shop, not a port. ... "
        "Read an output port of shop with ref('shop', '<port>'); if there is none, ask shop@example.com for one",
    ),
    (
        "PM117",
        [exposure("shop"), Edit(PORT, "purpose: Reports.}", "purpose: Reports.}, {name: shop, purpose: A board.}")],
        "The exposure shop has the same name as a domain, so a port's list of consumers could not tell them apart.",
    ),
    (
        "PM118",
        [SNAPSHOT, Edit(SNAPSHOT.path, "strategy: check", "strategy: check\n      target_schema: shop")],
        "The snapshot desk.days would be written to shop.days, but desk may write it only to desk__internal. ... "
        "Remove its target_schema",
    ),
    (
        "PM118",
        [write("domains/shop/models/staging/lines__20261123_061400_ab12cd.sql", "select 1 as one")],
        "The model shop.lines__20261123_061400_ab12cd has the name of a version of a port: "
        "lines__20261123_061400_ab12cd. ... Give it a different name",
    ),
    (
        "PM118",
        [
            write(
                "domains/shop/tests/named.sql",
                "{{ config(store_failures=true, alias='lines__20261123_061400_ab12cd__replaced') }} select 1 as one",
            )
        ],
        "The test shop.named has the name of a version of a port",
    ),
]

PASSING: list[tuple[str, list[Edit]]] = [
    ("PM101", []),
    (
        "PM102",
        [
            Edit(PRODUCT, "kind: source-aligned", "kind: aggregate"),
            Edit(PRODUCT, "stage: active", "stage: deprecated"),
            Edit(PRODUCT, "engine: emr", "engine: athena"),
        ],
    ),
    (
        "PM103",
        [
            Edit(PORT, "classification: internal", "classification: restricted"),
            Edit(PORT, "version: 1.0.0", "version: 12.3.40"),
        ],
    ),
    ("PM104", [write("domains/shop/models/intermediate/int_shop__lines.sql", "select * from {{ ref('lines') }}")]),
    ("PM105", [Edit(PORT, "purpose: Reports.", "purpose: Reports., until: 2099-06-30")]),
    (
        "PM106",
        [
            Edit(PORT, f"        freshness: {DAY}\n", ""),
            Edit(
                PORT,
                "When it landed.",
                "When it landed., data_tests: [{fresh_within: {arguments: {count: 1, period: day}}}]",
            ),
        ],
    ),
    ("PM106", [Edit(PORT, "data_tests: [unique, not_null]", "constraints: [{type: not_null}, {type: unique}]")]),
    (
        "PM106",
        [
            Edit(PORT, "data_tests: [unique, not_null]", "constraints: [{type: primary_key}]"),
            Edit(
                PORT,
                "data_tests: [{accepted_range: {arguments: {min_value: 0}}}]",
                "constraints: [{type: check, expression: amount >= 0}]",
            ),
        ],
    ),
    (
        "PM106",
        [
            NO_KEY,
            Edit(
                PORT,
                "min_value: 0}}}",
                f"min_value: 0}}, {AS_UNIQUENESS}}}}}, {{accepted_values: {{arguments: {{values: [1]}}}}}}",
            ),
        ],
    ),
    (
        "PM106",
        [
            NO_KEY,
            meta(EXEMPTION.format(rule="PM106", reason="The key comes with the next version.", until="2099-01-01")),
        ],
    ),
    (
        "PM107",
        [
            exposure("board"),
            Edit(PORT, "purpose: Reports.}", "purpose: Reports.}, {name: board, purpose: The weekly meeting.}"),
        ],
    ),
    ("PM108", [RELATIONSHIP]),
    ("PM109", [source("crm")]),
    ("PM109", [source("crm__shop", meta="{external_location: \"landed('{name}')\"}")]),
    ("PM109", [source("shops", "lines")]),
    (
        "PM110",
        [
            write(
                "domains/desk/macros/ticket_day.sql",
                "{% macro ticket_day(at) %}{{ at }}{% endmacro %}{% test has_rows(model) %}select 1{% endtest %}",
            )
        ],
    ),
    ("PM111", [write("domains/desk/models/intermediate/more.sql", "{{ config(group='shop') }} select 1 as one")]),
    ("PM112", [write("domains/desk/models/intermediate/more.sql", "select 1 as one")]),
    ("PM113", [write("domains/desk/tests/assert_lines.sql", "select * from {{ ref('int_desk__lines') }}")]),
    (
        "PM114",
        [
            meta("subject: {entity: customer, key: line_id}"),
            Edit(PORT, "warn_after: {", "error_after: {count: 2.5, period: day}, warn_after: {"),
            Edit(PORT, "purpose: Reports.", "purpose: Reports., until: 2099-06-30"),
        ],
    ),
    ("PM114", [meta("keep_versions: 5")]),
    (
        "PM114",
        [
            meta("rows_from: [shop.int_shop__pairs.id]"),
            Edit(PORT, "description: Euro.", "description: Euro., config: {meta: {computed_from: []}}"),
        ],
    ),
    (
        "PM125",
        [
            Edit(PRODUCT, "email: shop@example.com", "email: shop@example.com\n    github: '@example/shop'"),
            write(
                "domains/desk/models/staging/_other__sources.yml",
                "sources: [{name: other, schema: crm, config: {meta: {plugin: excel, sheet: 1}}, tables: "
                "[{name: tickets, columns: [{name: day, config: {meta: {from: Tag}}}]}]}]",
            ),
        ],
    ),
    ("PM115", [meta(EXEMPTION.format(rule="PM103", reason="Not used.", until="2099-01-01"))]),
    (
        "PM116",
        [
            write("domains/desk/seeds/rates.csv", "currency,rate\nEUR,1\n"),
            write(READER, "select * from {{ ref('rates') }} cross join {{ ref('shop', 'lines') }}"),
        ],
    ),
    (
        "PM117",
        [
            exposure("shop_board"),
            Edit(PORT, "purpose: Reports.}", "purpose: Reports.}, {name: shop_board, purpose: A board.}"),
        ],
    ),
    ("PM118", [SNAPSHOT]),
    ("PM126", [meta("model: null")]),
    ("PM127", [landing("one", "orders"), landing("two", "two__orders")]),
    ("PM128", [IN_PYTHON]),
    (
        "PM124",
        [
            Edit(
                PORT, "    config:\n", "    config:\n      full_refresh: false\n      persist_docs: {relation: true}\n"
            ),
            Edit("domains/shop/dbt_project.yml", "name: shop", "models: {+tags: [nightly]}\nname: shop"),
        ],
    ),
]


def project_files(mesh: Mesh) -> dict[Path, str]:
    """The text of each of the project's own files, without those of dbt or the repository."""
    files = [
        *mesh.folder.glob("*.yml"),
        *(mesh.folder / "domains").rglob("*.*"),
        *(mesh.folder / "models").rglob("*.*"),
    ]
    return {file: file.read_text() for file in files if file.is_file()}


def change(mesh: Mesh, edits: list[Edit]) -> None:
    for edit in edits:
        if not edit.old:
            mesh.write(edit.path, edit.new)
            continue
        text = (mesh.folder / edit.path).read_text()
        assert edit.old in text, f"{edit.old!r} is not in {edit.path}:\n{text}"
        (mesh.folder / edit.path).write_text(text.replace(edit.old, edit.new))


def said(outcome: Outcome) -> str:
    """The output as one line, so that its line breaks don't matter."""
    return " ".join(outcome.output.split())


def findings(outcome: Outcome) -> list[tuple[str, str]]:
    """The code and the file of each finding."""
    text = outcome.output.rsplit("nothing was built.", 1)[-1]
    return re.findall(r"^\s*(PM\d{3})  (?:.|\n)*?\n\s*(\S+\.(?:yml|sql))\n", text, flags=re.MULTILINE)


def one_of_each_rule_first() -> Iterator[Any]:
    """All cases. Those after the first case of each rule are marked thorough."""
    seen: set[str] = set()
    for number, case in enumerate(FAILING):
        marks = [pytest.mark.thorough] if case[0] in seen else []
        seen.add(case[0])
        yield pytest.param(*case, id=f"{case[0]}-{number}", marks=marks)


@pytest.mark.parametrize(("code", "edits", "message"), one_of_each_rule_first())
def test_a_broken_rule_stops_the_run(good: Mesh, code: str, edits: list[Edit], message: str) -> None:
    change(good, edits)
    refused = good.dbt("compile")
    assert refused.exit_code == 2, refused.output
    found = findings(refused)
    assert code in {c for c, _ in found}, refused.output
    assert "nothing was built." in refused.output
    assert f"docs/rules/{code}.md" in refused.output
    assert all(part in said(refused) for part in message.split(" ... ")), refused.output
    for _, where in found:
        assert (good.folder / where).exists(), where
    assert max(len(line) for line in refused.output.partition("nothing was built.")[2].splitlines()) <= 100
    assert "> in macro" not in refused.output


@pytest.mark.parametrize(("code", "edits"), PASSING, ids=[f"{c[0]}-{n}" for n, c in enumerate(PASSING)])
def test_a_kept_rule_lets_it_run(good: Mesh, code: str, edits: list[Edit]) -> None:
    change(good, edits)
    compiled = good.dbt("compile")
    assert compiled.ok, compiled.output
    assert code not in compiled.output


BAD = [
    Edit(PORT, "description: One row per line of lines.", "description: ''"),
    Edit(PRODUCT, "channel: '#shop'", "channel: ''"),
    Edit(PORT, "classification: internal", "classification: secret"),
    Edit(PORT, "{name: desk, purpose: Reports.}", "{name: till, until: 2099-06-30}"),
    NO_KEY,
    exposure("board"),
    RELATIONSHIP,
    source("shop", "lines"),
    write(
        "domains/desk/macros/not_null.sql", "{% test not_null(model, column_name) %}select 1 where false{% endtest %}"
    ),
    write("domains/desk/models/second.yml", "groups: [{name: second, owner: {name: a, email: b}}]"),
    write("domains/desk/models/intermediate/open.sql", "{{ config(access='public') }} select 1 as one"),
    write("domains/shop/tests/assert_lines.sql", "select * from {{ ref('lines') }} where amount < 0"),
    meta("zzz: 1"),
    Edit(PORT, "    config:\n", "    config:\n      on_schema_change: fail\n"),
    meta(EXEMPTION.format(rule="PM106", reason="Soon.", until="2020-01-01")),
]


def test_a_bad_mesh_gets_all_its_findings_at_once(good: Mesh) -> None:
    change(good, BAD)
    refused = good.dbt("build")
    assert refused.exit_code == 1
    assert "16 findings; nothing was built." in refused.output
    assert findings(refused) == [
        ("PM101", PORT),
        ("PM102", PRODUCT),
        ("PM103", PORT),
        ("PM104", READER),
        ("PM105", PORT),
        ("PM106", PORT),
        ("PM107", "domains/desk/models/_desk__exposures.yml"),
        ("PM108", RELATIONSHIP.path),
        ("PM109", "domains/desk/models/staging/_other__sources.yml"),
        ("PM110", "domains/desk/macros/not_null.sql"),
        ("PM111", "domains/desk/models/second.yml"),
        ("PM112", "domains/desk/models/intermediate/open.sql"),
        ("PM113", "domains/shop/tests/assert_lines.sql"),
        ("PM114", PORT),
        ("PM115", PORT),
        ("PM124", PORT),
    ]
    assert good.value("select count(*) from duckdb_views() where schema_name in ('shop', 'desk__internal')") == 0


@pytest.mark.parametrize(
    "command", ["build", "run", "test", "compile", "docs generate", "build --select lines", "test --select lines"]
)
def test_every_command_that_runs_hooks_is_stopped(good: Mesh, command: str) -> None:
    change(good, [UNLISTED])
    refused = good.dbt(*command.split())
    assert refused.exit_code == (2 if command in ("compile", "docs generate") else 1)
    assert findings(refused) == [("PM104", READER)]


def test_leaving_the_group_out_is_no_way_out(good: Mesh) -> None:
    good.remove("domains/desk/models/desk.yml")
    project = good.folder / ROOT
    text = project.read_text()
    project.write_text(text.replace("    +group: desk\n", ""))
    change(good, [UNLISTED])
    refused = good.dbt("compile")
    good.write("domains/desk/models/desk.yml", (good.folder / PRODUCT).read_text().replace("shop", "desk"))
    assert findings(refused) == [
        ("PM102", "domains/desk/models/desk.yml"),
        ("PM104", READER),
        ("PM111", READER),
    ]
    assert "The product desk has no group named desk." in refused.output


def test_another_environment_has_the_same_rules(mesh: Mesh) -> None:
    mesh.set_up("shop", "platform", environment="dev_ana", root=RULES_ONLY)
    mesh.port("shop/lines", LINES, COLUMNS)
    records = "sources: [{name: records, schema: dev_ana__portmesh, tables: [{name: publications}]}]"
    mesh.write("domains/platform/models/staging/_records__sources.yml", records)
    assert mesh.dbt("deps").ok
    assert mesh.dbt("compile").ok
    mesh.write("domains/shop/models/staging/_records__sources.yml", records.replace("name: records", "name: copied"))
    mesh.write("domains/platform/models/staging/_records__sources.yml", records.replace("portmesh", "shop"))
    refused = mesh.dbt("compile")
    assert findings(refused) == [
        ("PM109", "domains/platform/models/staging/_records__sources.yml"),
        ("PM109", "domains/shop/models/staging/_records__sources.yml"),
    ]
    assert "(dev_ana__shop.publications)" in refused.output


def test_a_package_of_macros_is_no_domain(good: Mesh) -> None:
    change(
        good,
        [
            write("domains/helpers/dbt_project.yml", "{name: helpers, version: 0.1.0, config-version: 2}"),
            write(
                "domains/helpers/macros/not_null.sql",
                "{% test not_null(model, column_name) %}select 1 where false{% endtest %}",
            ),
            Edit("packages.yml", "- local: domains/shop\n", "- local: domains/shop\n- local: domains/helpers\n"),
        ],
    )
    assert good.dbt("deps").ok
    allowed = good.dbt("compile")
    change(good, [write("domains/helpers/models/seen.sql", "select 1 as one")])
    refused = good.dbt("compile")
    good.remove("domains/helpers/dbt_project.yml")
    change(good, [Edit("packages.yml", "- local: domains/helpers\n", "")])
    (good.folder / "dbt_packages" / "helpers").unlink()
    assert good.dbt("deps").ok
    assert allowed.ok, allowed.output
    assert [code for code, _ in findings(refused)] == ["PM102", "PM110", "PM111"]


def test_a_third_party_package_is_left_alone(mesh: Mesh) -> None:
    mesh.set_up("shop", "others", root=RULES_ONLY)
    mesh.port("shop/lines", LINES, COLUMNS)
    mesh.write("domains/others/models/theirs.sql", "{{ config(access='public') }} select 1 as one")
    (mesh.folder / "macros").unlink()
    for file in (REPOSITORY / "macros").rglob("*.*"):
        link = mesh.folder / file.relative_to(REPOSITORY)
        link.parent.mkdir(parents=True, exist_ok=True)
        if file.stem != "third_party_packages":
            link.symlink_to(file)
    mesh.write(
        "macros/rules/third_party_packages.sql", "{% macro third_party_packages() %}{{ return([]) }}{% endmacro %}"
    )
    assert mesh.dbt("deps").ok
    assert [code for code, _ in findings(mesh.dbt("compile"))] == ["PM112"]
    mesh.write(
        "macros/rules/third_party_packages.sql",
        "{% macro third_party_packages() %}{{ return(['others']) }}{% endmacro %}",
    )
    assert mesh.dbt("compile").ok


def test_every_rule_has_a_page_and_both_cases() -> None:
    sources = {path: path.read_text() for path in (REPOSITORY / "macros" / "rules").glob("*.sql")}
    codes = {code for text in sources.values() for code in re.findall(r"finding\('(PM\d{3})'", text)}
    assert len(codes) > 14
    from tests import test_rules_gate as gate

    # PM119 only warns: its cases are in test_rules_access.py.
    tried = {code for code, *_ in FAILING + gate.FAILING}
    assert codes - {"PM119"} == tried == {code for code, *_ in PASSING + gate.PASSING}
    called = sources[REPOSITORY / "macros" / "rules" / "check_rules.sql"]
    rules = {path.stem for path, text in sources.items() if "finding('PM" in text}
    assert rules == set(re.findall(r"portmesh\.(\w+)[],\n]", called.partition("_rules()")[2])) & {
        path.stem for path in sources
    }
    pages = {path.stem: path.read_text() for path in (REPOSITORY / "docs" / "rules").glob("PM*.md")}
    assert pages.keys() >= codes
    index = (REPOSITORY / "docs" / "rules" / "README.md").read_text()
    for code in codes:
        title = re.fullmatch(rf"# {code}: (.+)", pages[code].splitlines()[0])
        assert title, code
        assert f"| [{code}]({code}.md) | {title[1]} |" in index
        assert re.findall(r"^## (.+)$", pages[code], flags=re.MULTILINE) == ["Example", "Reason", "Fix"]


def test_the_mesh_of_this_repository_keeps_every_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTMESH_DATABASE", str(tmp_path / "portmesh.duckdb"))
    if not (REPOSITORY / "dbt_packages").exists():
        assert dbtRunner().invoke(["deps", "--project-dir", str(REPOSITORY)]).success
    place = [
        "--project-dir",
        str(REPOSITORY),
        "--profiles-dir",
        str(REPOSITORY / "profiles"),
        "--target-path",
        str(tmp_path),
    ]
    compiled = dbtRunner().invoke(["compile", *place])  # With a selection, dbt would not compile the hooks.
    assert compiled.success, compiled.exception
    compiled_nodes = [result.node.unique_id for result in compiled.result.results]  # type: ignore[union-attr]
    assert "operation.portmesh.portmesh-on-run-start-0" in compiled_nodes
    assert sum(node.startswith("model.") for node in compiled_nodes) > 20
