"""Quick forms return the same as dbt's own SQL, for any values. Each operation tests many tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine import ENGINES
from tests.mesh import Mesh

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

# For each table `t<i>`: what dbt's unique test counts, whether the quick form finds something, and what dbt's test
# counts in the quick form's buckets; the same for relationships; what dbt's unique test counts among rows that share a
# key with `is_new` rows; and whether the newest k is late, for all rows and for `is_new` rows.
COMPARE = """
{% macro compare(types) %}
  {% set found = [] %}
  {% for type in types %}
    {% set name = 't' ~ loop.index0 %}
    {% set relation = api.Relation.create(database=target.get('database'), schema='raw', identifier=name) %}
    {% set port = {'columns': [{'name': 'k', 'data_type': type}], 'relation': relation, 'product': 'shop',
        'node': {'name': 't', 'columns': {}}} %}
    {% set compared = dict(_compare_unique(port, relation), **_compare_relationships(port, relation)) %}
    {% if type in ['date', 'timestamp'] %}{% do compared.update(_compare_freshness(port, relation)) %}{% endif %}
    {% do found.append(compared) %}
  {% endfor %}
  {% do print(tojson(found)) %}
{% endmacro %}

{% macro _a_check(kind, relation, arguments, package='dbt') %}
  {{ return({
      'macro': 'macro.' ~ package ~ '.test_' ~ kind, 'kind': kind, 'column': 'k', 'fail_calc': 'count(*)',
      'limit': none, 'scope': 'whole',
      'where': none, 'warn_if': '!= 0', 'error_if': '!= 0', 'relation': relation,
      'code': '{{ ' ~ package ~ '.test_' ~ kind ~ '(**_dbt_generic_test_kwargs) }}',
      'arguments': dict(arguments, column_name='k', model='{{ get_where_subquery(portmesh_audited.relation) }}'),
      'test': {'unique_id': 'probe', 'name': 'probe', 'alias': 'probe', 'schema': 'raw', 'database': none,
          'config': {}}}) }}
{% endmacro %}

{% macro _count(sql) %}
  {{ return(run_query('select count(*) from (' ~ sql ~ ') as counted').rows[0][0] | int) }}
{% endmacro %}

{% macro _compare_unique(port, relation) %}
  {% set check = _a_check('unique', relation, {}) %}
  {% set by_dbt = _count(portmesh.render_check(port, check, relation).sql) %}
  {% set quick = portmesh.quick_form(port, check, none) %}
  {% set result = {'by_dbt': by_dbt, 'by_quick': by_dbt > 0, 'in_buckets': by_dbt} %}
  {% if quick %}
    {% set planned = dict(check, quick=quick) %}
    {% set measured = run_query(quick.counting).rows[0] %}
    {% do result.update({'by_quick': measured['failures'] > 0}) %}
    {% if measured['failures'] > 0 %}
      {% set rows = portmesh._rows_in_buckets(planned, measured) %}
      {% do result.update({'in_buckets': _count(portmesh.render_check(port, planned, rows).sql)}) %}
    {% endif %}
  {% endif %}
  {% set increment = '(select * from ' ~ relation ~ ' where is_new) as increment' %}
  {% set shared = '(select * from ' ~ relation ~ ' where ' ~ portmesh.shares_key(port, ['k'], increment) ~ ')' %}
  {% do result.update({
      'by_keys': _count(portmesh.render_check(port, check, shared).sql),
      'has_keys': portmesh._has_exact_keys(port, ['k']),
      'of_new': _count('select k from ' ~ relation ~ ' where k is not null group by k having count(*) > 1'
          ~ ' and max(case when is_new then 1 else 0 end) = 1')}) %}
  {{ return(result) }}
{% endmacro %}

{% macro _compare_relationships(port, relation) %}
  {% set parents = '(select k from ' ~ relation ~ ' where is_new)' %}
  {% set check = _a_check('relationships', relation, {'to': parents, 'field': 'k'}) %}
  {% set by_dbt = _count(portmesh.render_check(port, check, relation).sql) %}
  {% set quick = portmesh.quick_form(port, check, none) %}
  {{ return({'orphans_by_dbt': by_dbt, 'orphans_by_quick': _count(quick.sql) > 0}) }}
{% endmacro %}

{% macro _compare_freshness(port, relation) %}
  {% set check = _a_check('fresh_within', relation, {'count': 3650, 'period': 'day'}, 'portmesh') %}
  {% set quick = portmesh.quick_form(port, check, '(select * from ' ~ relation ~ ' where is_new) as increment') %}
  {% set late_by_dbt = _count(portmesh.render_check(port, check, relation).sql) > 0 %}
  {{ return({'late_by_dbt': late_by_dbt, 'late_by_quick': _count(quick.sql) > 0}) }}
{% endmacro %}
"""
WHOLE = {
    "tinyint": st.integers(-128, 127),
    "smallint": st.sampled_from([-32768, -1, 0, 1, 63, 64, 65, 32767]),
    "int": st.one_of(st.integers(-70_000, 70_000), st.sampled_from([-(2**31), 2**31 - 1])),
    "bigint": st.one_of(
        st.integers(-200, 200),
        st.integers(65_500, 65_600),
        st.sampled_from([-(2**63), 2**63 - 1, 2**32, -(2**32), 2**62]),
    ),
}
OTHERS = {
    "string": st.one_of(
        st.sampled_from(
            ["", " ", "null", "NaN", "true", "a", "A", "á", "à", "'", "\\", "=5", "2020-01-01", "ß", "ss", "😀"]
        ),
        st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=3),
    ),
    "date": st.sampled_from(["1582-10-04", "1970-01-01", "1969-12-31", "2024-02-29", "9999-12-31", "0001-01-01"]),
    "timestamp": st.sampled_from(
        [
            "1970-01-01 00:00:00",
            "2024-01-01 00:00:00.000001",
            "2024-01-01 00:00:00.000002",
            "1969-12-31 23:59:59.999999",
            "2999-12-31 00:00:00",
        ]
    ),
    "decimal(10,2)": st.decimals(-99_999_999, 99_999_999, places=2, allow_nan=False).map(str),
    "double": st.one_of(
        st.sampled_from(["NaN", "0.0", "-0.0", "1e308", "5e-324", "0.1", "0.30000000000000004"]), st.just("1.5")
    ),
    "boolean": st.booleans().map(str),
}
VALUES: dict[str, st.SearchStrategy[Any]] = WHOLE | OTHERS
INFINITE = {
    "date": ["infinity", "-infinity"],
    "timestamp": ["infinity", "-infinity"],
    "double": ["Infinity", "-Infinity"],
}
TABLES = 24


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[str, list[tuple[Any, bool]]]]:
    """The type of `k`, and rows (k, is_new)."""
    found = []
    for _ in range(TABLES):
        kind = draw(st.sampled_from(sorted(VALUES)))
        values = draw(st.lists(st.one_of(st.none(), VALUES[kind], VALUES[kind]), min_size=1, max_size=12))
        found.append((kind, [(value, draw(st.booleans())) for value in values]))
    return found


@pytest.fixture(scope="module")
def probe(new_mesh: Callable[[Path], Mesh], tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    mesh = new_mesh(tmp_path_factory.mktemp("probe"))
    mesh.set_up("shop", root={"macro-paths": ["macros", "probe"]})
    mesh.write("probe/compare.sql", COMPARE)
    assert mesh.dbt("deps").ok
    return mesh


def compared(mesh: Mesh, given_tables: list[tuple[str, list[tuple[Any, bool]]]]) -> list[dict[str, Any]]:
    for place, (kind, rows) in enumerate(given_tables):
        name = {"string": "varchar"}.get(kind, kind)
        values = ", ".join(f"({'null' if k is None else literal(k)}, {is_new})" for k, is_new in rows)
        mesh.engine.make_table(
            f"raw.t{place}", f"select cast(k as {name}) as k, is_new from (values {values}) v(k, is_new)"
        )
    types = json.dumps({"types": [kind for kind, _ in given_tables]})
    printed = mesh.dbt("run-operation", "compare", "--args", types)
    assert printed.ok, printed.output
    (line,) = [line for line in printed.output.splitlines() if line.startswith("[{")]
    found: list[dict[str, Any]] = json.loads(line)
    return found


def literal(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def assert_the_same(found: list[dict[str, Any]], given_tables: list[tuple[str, list[tuple[Any, bool]]]]) -> None:
    assert len(found) == len(given_tables)
    for result, (kind, rows) in zip(found, given_tables, strict=True):
        note = (kind, rows, result)
        assert result["by_quick"] == (result["by_dbt"] > 0), note
        assert result["in_buckets"] == result["by_dbt"], note
        assert result["orphans_by_quick"] == (result["orphans_by_dbt"] > 0), note
        assert result.get("late_by_quick", False) >= result.get("late_by_dbt", False), note
        if result["has_keys"]:
            assert result["by_keys"] == result["of_new"], note
        else:
            assert kind == "double", note


@pytest.mark.nightly
@given(tables())
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_quick_forms_give_what_dbt_gives(probe: Mesh, given_tables: list[tuple[str, list[tuple[Any, bool]]]]) -> None:
    assert_the_same(compared(probe, given_tables), given_tables)


@pytest.mark.parametrize(("new", "is_late_by_quick"), [("2999-12-31", False), ("1970-01-01", True), (None, True)])
def test_an_increment_that_is_fresh_is_enough(probe: Mesh, new: str | None, is_late_by_quick: bool) -> None:
    (found,) = compared(probe, [("date", [("2999-12-31", False), (new, True)])])
    assert (found["late_by_dbt"], found["late_by_quick"]) == (False, is_late_by_quick)


@pytest.mark.engines("local")
def test_quick_forms_give_what_dbt_gives_of_infinite_values(probe: Mesh) -> None:
    given_tables: list[tuple[str, list[tuple[Any, bool]]]] = [
        (kind, [(value, False), (value, True), (other, is_new), (None, True)])
        for kind, values in INFINITE.items()
        for value, other in zip(values, reversed(values), strict=True)
        for is_new in (True, False)
    ]
    assert_the_same(compared(probe, given_tables), given_tables)
