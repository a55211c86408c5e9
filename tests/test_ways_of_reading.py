"""Ways in which a domain could read what it may not: each is refused by a rule, or the docs say what stops it.

One mesh has them all. dbt refuses what it can see, and `portmesh check` the rest.
"""

from __future__ import annotations

import json
import re
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import call
from tests.test_rules import COLUMNS, LINES, RULES_ONLY, findings

PAGE = REPOSITORY / "docs/rules/README.md"
MODELS = "domains/desk/models/intermediate"


class Way(NamedTuple):
    """One way, in the words of docs/rules/README.md; the rule that refuses it, and the file of its finding.

    `texts` are the contents of its files, relative to the domain desk.
    """

    words: str
    code: str
    file: str
    texts: dict[str, str]


def model(words: str, code: str, name: str, text: str, **more: str) -> Way:
    """A way that is the SQL of a model. `more` are other files."""
    path = f"models/intermediate/int_desk__{name}.sql"
    return Way(words, code, path, {path: text, **{key.replace("__", "/"): value for key, value in more.items()}})


def properties(words: str, code: str, name: str, text: str, sql: str = "select 1 as line_id") -> Way:
    """A way that is in the YAML of a model."""
    path = f"models/intermediate/{name}.yml"
    sql_path = f"models/intermediate/int_desk__{name}.sql"
    return Way(words, code, path, {path: f"models: [{{name: int_desk__{name}, {text}}}]", sql_path: sql})


FOREIGN = "shop.secrets"
LINE_ID = "select line_id from {{ ref('shop', 'lines') }}"

IN_DBT = [
    model(
        "`ref()` to a port that does not list it", "PM104", "ref", "select line_id from {{ ref('shop', 'secrets') }}"
    ),
    model("`ref()` to a seed or snapshot", "PM116", "seed", "select * from {{ ref('shop', 'rates') }}"),
    model("`source()` to another domain's source", "PM116", "raw", "select * from {{ source('raw', 'lines') }}"),
    Way(
        "a source declared over a port's table",
        "PM109",
        "models/staging/_table__sources.yml",
        {"models/staging/_table__sources.yml": "sources: [{name: t, schema: shop, tables: [{name: secrets}]}]"},
    ),
    Way(
        "a source whose `external_location` is a port's table",
        "PM109",
        "models/staging/_place__sources.yml",
        {
            "models/staging/_place__sources.yml": "sources: [{name: p, schema: crm, tables: [{name: x, config: "
            "{meta: {external_location: shop.secrets}}}]}]"
        },
    ),
    model(
        "a name from dbt's `graph`",
        "PM122",
        "graph",
        "select * from {{ graph.nodes['model.shop.secrets'].relation_name if execute else 'desk.x' }}",
    ),
    properties(
        "a `relationships` test to a port that does not list it",
        "PM108",
        "related",
        "columns: [{name: line_id, data_tests: [{relationships: "
        "{arguments: {to: \"ref('shop', 'secrets')\", field: line_id}}}]}]",
    ),
    model(
        "a hook that copies it",
        "PM121",
        "hook",
        '{{ config(post_hook="create table desk__internal.copy as select * from shop.secrets") }} select 1 as line_id',
    ),
    Way(
        "an exposure over a port that does not list it",
        "PM107",
        "models/_desk__exposures.yml",
        {
            "models/_desk__exposures.yml": "exposures: [{name: board, type: dashboard, owner: {email: a@example.com}, "
            "depends_on: [\"ref('shop', 'secrets')\"]}]"
        },
    ),
]

IN_CHECK = [
    model("its name in SQL", "PM201", "name", f"select * from {FOREIGN}"),
    model("its name in capitals, quotes or with the catalog", "PM201", "quoted", 'from "mesh"."SHOP"."Secrets"'),
    model("its name inside a CTE of the same name", "PM201", "cte", "with secrets as (from shop.secrets) from secrets"),
    model("its name in a subquery or a union", "PM201", "sub", f"{LINE_ID} where exists (select 1 from {FOREIGN})"),
    model(
        "its name in an ephemeral model", "PM201", "inlined", "{{ config(materialized='ephemeral') }} from shop.secrets"
    ),
    model("a name that Jinja puts together", "PM201", "joined", "select * from {{ ['shop', 'secrets'] | join('.') }}"),
    model(
        "a name that a macro returns",
        "PM201",
        "by_macro",
        "select * from {{ hidden_name() }}",
        macros__hidden="{% macro hidden_name() %}shop.secrets{% endmacro %}",
    ),
    model(
        "a relation that Jinja makes (`api.Relation.create`)",
        "PM201",
        "made",
        "select * from {{ api.Relation.create(schema='shop', identifier='secrets') }}",
    ),
    model("`this` in another schema", "PM201", "this", "from {{ this.incorporate(path={'schema': 'shop'}) }}"),
    model(
        "its name in an incremental model's other branch",
        "PM201",
        "incremental",
        "{{ config(materialized='incremental') }} select 1 {% if is_incremental() %} from shop.secrets {% endif %}",
    ),
    model(
        "its name for one engine only",
        "PM201",
        "engine",
        "select * from {{ 'shop.secrets' if target.type == 'athena' else ref('shop', 'lines') }}",
    ),
    model("a version that is not published yet", "PM201", "candidate", "from shop__internal.secrets__20261126_0600"),
    model("a table of another environment", "PM201", "environment", "select * from dev_ana__shop.secrets"),
    model("the records of another domain", "PM201", "records", "select * from portmesh.publications__shop"),
    model(
        "a view that the port's metadata is in (`secrets$files`)",
        "PM201",
        "metadata",
        'from "shop"."secrets$partitions"',
    ),
    properties(
        "a subquery in a check's expression or `where`",
        "PM201",
        "expression",
        "data_tests: [{expression_is_true: {arguments: {expression: line_id in (select line_id from shop.secrets)}}}]",
    ),
    Way(
        "a singular test",
        "PM201",
        "tests/assert_secrets.sql",
        {"tests/assert_secrets.sql": "select * from shop.secrets where line_id is null"},
    ),
    properties(
        "a generic test of its own",
        "PM201",
        "generic",
        "data_tests: [like_the_secrets]",
    )._replace(
        texts={
            "models/intermediate/generic.yml": "models: [{name: int_desk__generic, data_tests: [like_the_secrets]}]",
            "models/intermediate/int_desk__generic.sql": "select 1 as line_id",
            "macros/like.sql": "{% test like_the_secrets(model) %}select 1 from shop.secrets{% endtest %}",
        }
    ),
    Way(
        "the rows of a unit test",
        "PM201",
        "models/intermediate/units.yml",
        {
            "models/intermediate/units.yml": "unit_tests: [{name: case, model: int_desk__name, given: [], "
            "expect: {format: sql, rows: select * from shop.secrets}}]"
        },
    ),
    Way(
        "a source's `loaded_at_query`",
        "PM201",
        "models/staging/_fresh__sources.yml",
        {
            "models/staging/_fresh__sources.yml": "sources: [{name: f, schema: crm, tables: [{name: y, config: "
            "{loaded_at_query: select max(landed_at) from shop.secrets}}]}]"
        },
    ),
    Way(
        "a text in a Python model",
        "PM201",
        "models/intermediate/int_desk__python.py",
        {
            "models/intermediate/int_desk__python.py": "def model(dbt, session):\n"
            "    return session.sql('select * from shop.secrets')\n"
        },
    ),
    model("its files, by their path", "PM203", "files", "from read_parquet('.lake/landed/lines/*/data.parquet')"),
    model("its files in the place of a table", "PM203", "file", "select * from '.lake/landed/lines/1/data.parquet'"),
    model("a query or name in a string", "PM203", "text", "select * from query('select * from shop.' || 'secrets')"),
    model("another database", "PM203", "other_database", "select * from sqlite_scan('mesh.db', 'secrets')"),
    Way(
        "a source that another domain lands",
        "PM203",
        "models/staging/_landed__sources.yml",
        {"models/staging/_landed__sources.yml": "sources: [{name: l, schema: raw, tables: [{name: lines}]}]"},
    ),
    model(
        "a statement that Jinja sends (`run_query`, `{% call statement %}`, `adapter.execute`)",
        "PM204",
        "sent",
        "{% set x = run_query('select count(*) from shop.secrets') if execute and flags.INTROSPECT %}" + LINE_ID,
    ),
    model(
        "a macro that sends one",
        "PM204",
        "sent_by_macro",
        "{% if execute and flags.INTROSPECT %}{{ count_rows('shop', 'secrets') }}{% endif %}" + LINE_ID,
        macros__count="{% macro count_rows(a, b) %}{% call statement('n') %}select count(*) from {{ a }}.{{ b }}"
        "{% endcall %}{% endmacro %}",
    ),
    model(
        "a statement on a table that another one returns",
        "PM204",
        "returned",
        "{% if execute and flags.INTROSPECT %}{% set t = run_query('select 1').columns[0].values()[0] %}"
        "{% do run_query('select * from ' ~ t) %}{% endif %}" + LINE_ID,
    ),
    model("a `sql_header`", "PM204", "header", "{{ config(sql_header='select * from shop.secrets') }}" + LINE_ID),
    model("two statements in one model", "PM211", "two", "select 1 as x; select * from shop.secrets"),
]

BY_RIGHTS = [
    "a Python model that puts a name together, or opens files itself",
    "`dbt show --inline`, and `dbt run-operation` with a table as its argument",
    "SQL that is sent to the engine without dbt: Athena's console, a Thrift server, a DuckDB shell",
    "a view or function over the table that somebody made outside the mesh, read as a source",
]


def renamed(way: Way) -> dict[str, str]:
    """The files of a way by their paths in the mesh. A macro's file may be named without its ending."""
    return {f"domains/desk/{path if '.' in path else path + '.sql'}": text for path, text in way.texts.items()}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    mesh = Mesh(tmp_path_factory.mktemp("ways"))
    mesh.set_up("shop", "desk", root=RULES_ONLY)
    mesh.port("shop/lines", LINES, COLUMNS, meta="consumers: [{name: desk, purpose: Reports.}]")
    mesh.port("shop/secrets", LINES, COLUMNS)
    mesh.write("domains/shop/seeds/rates.csv", "currency,rate\nEUR,1\n")
    for way in (*IN_DBT, *IN_CHECK):
        for path, text in renamed(way).items():
            mesh.write(path, text)
    assert mesh.dbt("deps").ok
    return mesh


@pytest.fixture(scope="module")
def in_dbt(bad: Mesh) -> set[tuple[str, str]]:
    """Code and file of each finding of dbt's own rules."""
    return set(findings(bad.dbt("build")))


@pytest.fixture(scope="module")
def in_check(bad: Mesh) -> set[tuple[str, str]]:
    """Code and file of each finding of `portmesh check`."""
    printed = StringIO()
    with chdir(bad.folder), redirect_stdout(printed):
        assert call("check", "--json") == 1
    return {(each["code"], each["file"]) for each in json.loads(printed.getvalue())["findings"]}


@pytest.mark.parametrize("way", IN_DBT, ids=lambda way: way.words)
def test_dbt_refuses(way: Way, in_dbt: set[tuple[str, str]]) -> None:
    assert (way.code, f"domains/desk/{way.file}") in in_dbt


@pytest.mark.parametrize("way", IN_CHECK, ids=lambda way: way.words)
def test_check_refuses(way: Way, in_check: set[tuple[str, str]]) -> None:
    assert (way.code, f"domains/desk/{way.file}") in in_check


def test_nothing_is_reported_that_is_not_tried(in_check: set[tuple[str, str]]) -> None:
    """Besides the ways, check finds other sides of them, such as the hook that dbt refuses."""
    tried = {(way.code, f"domains/desk/{way.file}") for way in IN_CHECK}
    others = {(code, Path(file).name) for code, file in in_check - tried}
    assert others == {
        ("PM201", "int_desk__graph.sql"),
        ("PM201", "int_desk__two.sql"),
        ("PM203", "_sources.yml"),
        ("PM204", "int_desk__hook.sql"),
        ("PM205", "int_desk__engine.sql"),
    }


def test_the_docs_have_every_way() -> None:
    rows = re.findall(r"^\| (.+) \| \[(PM\d{3})\]\(PM\d{3}\.md\) \|$", PAGE.read_text(), flags=re.MULTILINE)
    listed = [(words, code) for words, code in rows if not words.startswith("[PM")]
    assert listed == [(way.words, way.code) for way in (*IN_DBT, *IN_CHECK)]
    assert len(listed) >= 20
    for words in BY_RIGHTS:
        assert f"| {words} |" in PAGE.read_text()


def test_a_way_that_only_rights_stop_is_not_seen(bad: Mesh) -> None:
    """What the docs say that no rule sees, none sees."""
    file = f"{MODELS}/int_desk__late.py"
    bad.write(file, "def model(dbt, session):\n    return session.table('.'.join(['shop', 'secrets']))\n")
    printed = StringIO()
    with chdir(bad.folder), redirect_stdout(printed):
        call("check", "--json")
    found = {each["file"] for each in json.loads(printed.getvalue())["findings"]}
    bad.remove(file)
    assert file not in found
    assert len(found) > 20
