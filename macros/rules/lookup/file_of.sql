{% macro file_of(node, path=none) %}
  {%- set folder = '' if node.package_name == project_name else 'domains/' ~ node.package_name ~ '/' -%}
  {{- return(folder ~ (path or node.original_file_path)) -}}
{% endmacro %}
