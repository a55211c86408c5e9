{# The names (of tables, branches or second Glue names) that belong to versions of the port or to their work tables.
   Names of relations that a model, seed or snapshot builds are left out. #}
{% macro versions_among(port, names) %}
  {% set schema, found, free = port.internal_schema | lower, [], [] %}
  {% set end = '(__(replaced|result|increment|rows))?$' %}
  {% set pattern = modules.re.escape(port.alias) ~ portmesh.version_pattern() ~ end %}
  {% for name in names if modules.re.match(pattern, name) %}{% do found.append(name) %}{% endfor %}
  {% set taken = portmesh.tables_by_name() if found else {} %}
  {% for name in found if schema ~ '.' ~ name | lower not in taken %}{% do free.append(name) %}{% endfor %}
  {{ return(free) }}
{% endmacro %}
