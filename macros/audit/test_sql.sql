{# The SQL that dbt's own test node runs: one row with failures, should_warn, should_error. #}
{% macro test_sql(check, sql) %}
  {{- return(get_test_sql(sql, check.fail_calc, check.warn_if, check.error_if, none)) -}}
{% endmacro %}
