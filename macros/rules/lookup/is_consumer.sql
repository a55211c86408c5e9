{% macro is_consumer(node, name) %}
  {{- return(name in portmesh.consumers_of(node) | map(attribute='name') | list) -}}
{% endmacro %}
