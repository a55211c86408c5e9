{% test accepted_range(model, column_name, min_value=none, max_value=none) %}
  {%- set min_value, max_value = portmesh.date_in_sql(min_value), portmesh.date_in_sql(max_value) -%}
  {%- do portmesh.assert_some_argument('accepted_range', {'min_value': min_value, 'max_value': max_value}) -%}
  {%- for argument, bound in {'min_value': min_value, 'max_value': max_value}.items() -%}
    {%- set is_bound = bound is none or portmesh.is_number(bound) or (bound is string and bound | trim) -%}
    {%- do portmesh.assert_argument('accepted_range', argument, bound, is_bound,
        'a number, a date, or the SQL of a value', 'write it like 0, 99.5, 2017-01-01 or "date \'2017-01-01\'"') -%}
  {%- endfor -%}
  {%- if portmesh.is_number(min_value) and portmesh.is_number(max_value) -%}
    {%- do portmesh.assert_argument('accepted_range', 'max_value', max_value, max_value >= min_value,
        'at least min_value (' ~ min_value ~ ')', 'swap the two') -%}
  {%- endif -%}
select {{ column_name }}
from {{ model }}
where {{ adapter.dispatch('outside_range', 'portmesh')(column_name, min_value, max_value) }}
{% endtest %}

{# The two bounds stand bare, so that the engine's minimum and maximum of a file answer them. NaN is above every
   number in DuckDB and Spark, which a lower bound alone lets through, and Iceberg's maximum does not count it.
   typeof() is a constant: for columns that cannot hold NaN nothing remains of that line. #}
{% macro default__outside_range(column_name, min_value, max_value) -%}
  {{ portmesh.beyond_bounds(column_name, min_value, max_value) }}
   or (typeof({{ column_name }}) in ('FLOAT', 'DOUBLE') and isnan(try_cast({{ column_name }} as double)))
{%- endmacro %}

{# Spark resolves no cast of a date to a number, not even in a branch that it folds away. #}
{% macro spark__outside_range(column_name, min_value, max_value) -%}
  {{ portmesh.beyond_bounds(column_name, min_value, max_value) }}
   or (typeof({{ column_name }}) in ('float', 'double') and cast({{ column_name }} as string) = 'NaN')
{%- endmacro %}

{# Trino: NaN compares as false, so it is not inside; a negated range is still answered by minimum and maximum. #}
{% macro athena__outside_range(column_name, min_value, max_value) -%}
  {%- set inside = [] -%}
  {%- if min_value is not none -%}{%- do inside.append(column_name ~ ' >= ' ~ min_value) -%}{%- endif -%}
  {%- if max_value is not none -%}{%- do inside.append(column_name ~ ' <= ' ~ max_value) -%}{%- endif -%}
  not ({{ inside | join(' and ') }})
{%- endmacro %}
