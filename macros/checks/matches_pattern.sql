{% test matches_pattern(model, column_name, pattern) %}
  {%- do portmesh.assert_argument('matches_pattern', 'pattern', pattern, pattern is string and pattern,
      'a regular expression', 'write it like \'^[0-9]{4}-W[0-9]{2}$\', in single quotes') -%}
select {{ column_name }}
from {{ model }}
where not {{ adapter.dispatch('matches', 'portmesh')(column_name, pattern) }}
{% endtest %}

{% macro default__matches(column_name, pattern) -%}
  regexp_matches({{ column_name }}, '{{ pattern | replace("'", "''") }}')
{%- endmacro %}

{# In a Spark string literal, a backslash must itself be escaped. #}
{% macro spark__matches(column_name, pattern) -%}
  {{ column_name }} rlike '{{ pattern | replace("\\", "\\\\") | replace("'", "\\'") }}'
{%- endmacro %}

{% macro athena__matches(column_name, pattern) -%}
  regexp_like({{ column_name }}, '{{ pattern | replace("'", "''") }}')
{%- endmacro %}
