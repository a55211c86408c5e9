{# The checks of all ports of which something is said beside their arguments: few, of many. #}
{% macro checks_with_config(mesh) %}
  {% set found = [] %}
  {% set limits = portmesh.default_limits() %}
  {% for id in mesh.ports %}
    {% for test in mesh.tests_of.get(id, []) if test.test_metadata %}
      {% set config = test.config %}
      {% if config.meta or config.severity | lower != 'error' or config.where is not none or config.limit is not none or config.fail_calc != limits.fail_calc
          or config.warn_if != limits.warn_if or config.error_if != limits.error_if or config.store_failures is not none %}
        {% do found.append(test) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# What dbt sets where nobody says anything. #}
{% macro default_limits() %}
  {{- return({
      'enabled': true, 'severity': 'error', 'where': none, 'limit': none, 'fail_calc': 'count(*)', 'warn_if': '!= 0',
      'error_if': '!= 0', 'store_failures': none,
  }) -}}
{% endmacro %}
