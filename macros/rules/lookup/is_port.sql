{% macro is_port(node) %}
  {{- return(node.config.materialized == 'output_port' or portmesh.is_in_port_folder(node)) -}}
{% endmacro %}
