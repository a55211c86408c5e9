{% macro spark__takes_comment(sql) %}{{ return(true) }}{% endmacro %}

{# Selects from a list of values, so that it fails on the driver without starting a job. Spark hides the message in its
   own error, so this prints it too. #}
{% macro spark__failing_statement(message) %}
  {% do print('\n' ~ message) %}
  {{- return('select raise_error(' ~ portmesh.text_literal(message) ~ ') from values (1)') -}}
{% endmacro %}
