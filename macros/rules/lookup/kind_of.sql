{# The type of a node in words: model, snapshot, semantic model. #}
{% macro kind_of(node) %}
  {{- return(node.resource_type | string | replace('_', ' ')) -}}
{% endmacro %}
