{# dbt's defaults. #}
{% macro default_limits() %}
  {{- return({
      'enabled': true, 'severity': 'error', 'where': none, 'limit': none, 'fail_calc': 'count(*)', 'warn_if': '!= 0',
      'error_if': '!= 0', 'store_failures': none,
  }) -}}
{% endmacro %}
