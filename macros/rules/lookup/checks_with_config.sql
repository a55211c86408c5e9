{# The few checks of all ports that configure something besides their arguments. #}
{% macro checks_with_config(mesh) %}
  {% set found = [] %}
  {% set limits = portmesh.default_limits() %}
  {% for id in mesh.ports %}
    {% for test in mesh.tests_of.get(id, []) if test.test_metadata %}
      {% set config = test.config %}
      {% set is_plain = config.severity | lower == 'error' and config.where is none and config.limit is none
          and config.fail_calc == limits.fail_calc and config.warn_if == limits.warn_if
          and config.error_if == limits.error_if and config.store_failures is none %}
      {% if config.meta or not is_plain %}
        {% do found.append(test) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
