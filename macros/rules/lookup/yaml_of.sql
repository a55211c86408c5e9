{# The file with the properties of a node, from the root of the repository; its own file where it has none. #}
{% macro yaml_of(node) %}
  {{- return(portmesh.file_of(node, (node.patch_path or node.original_file_path).split('://') | last)) -}}
{% endmacro %}
