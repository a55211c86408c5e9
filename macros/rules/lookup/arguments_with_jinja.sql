{# The strings in a test's arguments, at any depth, that dbt renders as Jinja, except `model`, which dbt writes itself.
   dbt also renders a single call without braces, such as ref('lines'). #}
{% macro arguments_with_jinja(value) %}
  {% set found = [] %}
  {% if value is string %}
    {% set is_call = modules.re.match('\\s*(env_var|ref|var|source|doc)\\s*\\(', value) %}
    {% if is_call or '{' in value %}{% do found.append('{{ ' ~ value ~ ' }}' if is_call else value) %}{% endif %}
  {% elif value is mapping %}
    {% for key in value if key != 'model' %}
      {% do found.extend(portmesh.arguments_with_jinja(value[key])) %}
    {% endfor %}
  {% elif value is sequence %}
    {% for part in value %}{% do found.extend(portmesh.arguments_with_jinja(part)) %}{% endfor %}
  {% endif %}
  {{ return(found) }}
{% endmacro %}
