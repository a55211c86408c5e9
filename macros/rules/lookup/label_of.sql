{% macro label_of(node) %}
  {{- return(node.package_name ~ '.' ~ node.name ~ ('.v' ~ node.version if node.version else '')) -}}
{% endmacro %}
