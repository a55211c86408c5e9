{# Only well-formed entries: PM114 reports the others. #}
{% macro consumers_of(node) %}
  {% set consumers = portmesh.meta_of(node).get('consumers') %}
  {{ return(consumers | select('mapping') | list if consumers is sequence and consumers is not string else []) }}
{% endmacro %}
