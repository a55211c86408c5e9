{# Athena gives Hive's DDL to a parser that knows no block comment, which dbt-athena respects for dbt's own
   (https://github.com/Tomme/dbt-athena/pull/64). What writes or gives rows goes to Trino's, which does. #}
{% macro athena__takes_comment(sql) %}
  {% set first = 'select|with|insert|update|delete|merge|create table \\S+ with' %}
  {{- return(modules.re.match('(?is)\\s*(' ~ first ~ ')\\b', sql) is not none) -}}
{% endmacro %}

{# Athena has no function that fails. No data is read, so nothing is billed. #}
{% macro athena__failing_statement(message) %}
  {% do print('\n' ~ message) %}
  {{- return('select cast(' ~ portmesh.text_literal(message) ~ ' as date)') -}}
{% endmacro %}

{% macro athena__refresh_views(node) %}{{ return('') }}{% endmacro %}
