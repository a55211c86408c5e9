{# All values of a key in a section of dbt_project.yml, such as `models:`, for any folder. #}
{% macro config_values(section, key) %}
  {% set found = [] %}
  {% for name, value in section.items() %}
    {% if name | trim in [key, '+' ~ key] %}{% do found.append(value) %}
    {% elif value is mapping %}{% do found.extend(portmesh.config_values(value, key)) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
