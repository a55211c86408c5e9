{# Whether a check counts rows and compares the count with a number, as dbt does by default. Otherwise its limits can be
   any SQL. #}
{% macro has_plain_limits(check) %}
  {% set condition = '\\s*(!=|<>|<=|>=|==?|<|>)\\s*-?\\d+\\s*$' %}
  {{ return(check.fail_calc == 'count(*)' and modules.re.match(condition, check.warn_if) is not none
      and modules.re.match(condition, check.error_if) is not none) }}
{% endmacro %}
