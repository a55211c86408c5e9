{% macro spark__takes_comment(sql) %}{{ return(true) }}{% endmacro %}

{# From a list of values, so that it fails on the driver, without a job.
   Spark buries the message in its own: print it, too. #}
{% macro spark__failing_statement(message) %}
  {% do print('\n' ~ message) %}
  {{- return('select raise_error(' ~ portmesh.text_literal(message) ~ ') from values (1)') -}}
{% endmacro %}
