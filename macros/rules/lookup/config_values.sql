{# The values that a part of a dbt_project.yml, such as its `models:`, gives to a key, in whatever folder. #}
{% macro config_values(section, key) %}
  {% set found = [] %}
  {% for name, value in section.items() %}
    {% if name | trim in [key, '+' ~ key] %}{% do found.append(value) %}
    {% elif value is mapping %}{% do found.extend(portmesh.config_values(value, key)) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
