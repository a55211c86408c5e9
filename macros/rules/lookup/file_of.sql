{% macro file_of(node, path=none) %}
  {{- return(('' if node.package_name == project_name else 'domains/' ~ node.package_name ~ '/') ~ (path or node.original_file_path)) -}}
{% endmacro %}
