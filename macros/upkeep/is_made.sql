{# Whether a model, seed or snapshot of the mesh builds the relation with the port's name. #}
{% macro is_made(port) %}
  {{- return((port.relation.schema ~ '.' ~ port.alias) | lower in portmesh.tables_by_name()) -}}
{% endmacro %}
