{# Athena's parser for Hive DDL does not accept block comments; dbt-athena leaves out dbt's own there
   (https://github.com/Tomme/dbt-athena/pull/64). Statements that read or write rows go to Trino's parser, which does.
   #}
{% macro athena__takes_comment(sql) %}
  {% set first = 'select|with|insert|update|delete|merge|create table \\S+ with' %}
  {{- return(modules.re.match('(?is)\\s*(' ~ first ~ ')\\b', sql) is not none) -}}
{% endmacro %}

{# Athena has no function that raises an error, so an invalid cast does it. It reads no data, so it costs nothing. #}
{% macro athena__failing_statement(message) %}
  {% do print('\n' ~ message) %}
  {{- return('select cast(' ~ portmesh.text_literal(message) ~ ' as date)') -}}
{% endmacro %}

{% macro athena__refresh_views(node) %}{{ return('') }}{% endmacro %}
