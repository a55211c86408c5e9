{% macro is_in_port_folder(node) %}
  {{- return('/output_ports/' in node.original_file_path) -}}
{% endmacro %}
