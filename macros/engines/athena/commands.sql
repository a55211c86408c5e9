{# Athena has no function that fails. No data is read, so nothing is billed. #}
{% macro athena__failing_statement(message) %}
  {% do print('\n' ~ message) %}
  {{- return('select cast(' ~ portmesh.text_literal(message) ~ ' as date)') -}}
{% endmacro %}
