{# The names (of tables, branches or second Glue names) that belong to versions of the port or to their work tables. #}
{% macro versions_among(port, names) %}
  {% set found, end = [], '(__(replaced|result|increment|rows))?$' %}
  {% set pattern = modules.re.escape(port.alias) ~ portmesh.version_pattern() ~ end %}
  {% for name in names if modules.re.match(pattern, name) %}{% do found.append(name) %}{% endfor %}
  {{ return(found) }}
{% endmacro %}
