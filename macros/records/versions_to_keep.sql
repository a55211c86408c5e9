{% macro versions_to_keep(node) %}
  {{- return((node.config.meta or {}).get('keep_versions', 2)) -}}
{% endmacro %}
