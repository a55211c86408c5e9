{% macro duckdb__failing_statement(message) %}
  {{- return('select error(' ~ portmesh.text_literal(message) ~ ')') -}}
{% endmacro %}
