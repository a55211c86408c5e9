{# Whether a model, seed or snapshot of the mesh makes what stands at the port's name. #}
{% macro is_made(port) %}
  {{- return((port.relation.schema ~ '.' ~ port.alias) | lower in portmesh.tables_by_name()) -}}
{% endmacro %}
