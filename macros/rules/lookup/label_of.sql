{% macro label_of(node) %}
  {{- return(node.package_name ~ '.' ~ (node.source_name ~ '.' if node.source_name) ~ node.name ~ ('.v' ~ node.version if node.version else '')) -}}
{% endmacro %}
