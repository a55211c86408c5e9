{% test accepted_range(model, column_name, min_value=none, max_value=none) %}
  {%- set min_value, max_value = portmesh.date_in_sql(min_value), portmesh.date_in_sql(max_value) -%}
  {%- do portmesh.assert_some_argument('accepted_range', {'min_value': min_value, 'max_value': max_value}) -%}
  {%- for argument, bound in {'min_value': min_value, 'max_value': max_value}.items() -%}
    {%- set is_bound = bound is none or portmesh.is_number(bound) or (bound is string and bound | trim) -%}
    {%- do portmesh.assert_argument('accepted_range', argument, bound, is_bound,
        'a number, a date, or SQL for a value', 'write it like 0, 99.5, 2017-01-01 or "date \'2017-01-01\'"') -%}
  {%- endfor -%}
  {%- if portmesh.is_number(min_value) and portmesh.is_number(max_value) -%}
    {%- do portmesh.assert_argument('accepted_range', 'max_value', max_value, max_value >= min_value,
        'at least min_value (' ~ min_value ~ ')', 'swap min_value and max_value') -%}
  {%- endif -%}
select {{ column_name }}
from {{ model }}
where {{ adapter.dispatch('outside_range', 'portmesh')(column_name, min_value, max_value) }}
{% endtest %}

{# The bounds are plain comparisons, so that the engine can answer them from a file's minimum and maximum. DuckDB and
   Spark treat NaN as larger than every number, so a lower bound alone would let it pass, and Iceberg's maximum ignores
   it: the last line finds it. typeof() is constant for a column, so that line costs nothing if the column cannot be
   NaN. #}
{% macro default__outside_range(column_name, min_value, max_value) -%}
  {{ portmesh.beyond_bounds(column_name, min_value, max_value) }}
   or (typeof({{ column_name }}) in ('FLOAT', 'DOUBLE') and isnan(try_cast({{ column_name }} as double)))
{%- endmacro %}

{# Spark refuses to cast a date to a number, even in a branch that can never run, so this casts to string. #}
{% macro spark__outside_range(column_name, min_value, max_value) -%}
  {{ portmesh.beyond_bounds(column_name, min_value, max_value) }}
   or (typeof({{ column_name }}) in ('float', 'double') and cast({{ column_name }} as string) = 'NaN')
{%- endmacro %}

{# In Trino every comparison with NaN is false, so NaN is not inside the range. Trino still answers a negated range from
   the minimum and maximum. #}
{% macro athena__outside_range(column_name, min_value, max_value) -%}
  {%- set inside = [] -%}
  {%- if min_value is not none -%}{%- do inside.append(column_name ~ ' >= ' ~ min_value) -%}{%- endif -%}
  {%- if max_value is not none -%}{%- do inside.append(column_name ~ ' <= ' ~ max_value) -%}{%- endif -%}
  not ({{ inside | join(' and ') }})
{%- endmacro %}
