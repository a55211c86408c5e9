{% macro label_of(node) %}
  {%- set parts = [node.package_name, node.source_name, node.name, 'v' ~ node.version if node.version] -%}
  {{- return(parts | select | join('.')) -}}
{% endmacro %}
