{# The entries that can be read; what is wrong with the others is PM114's finding. #}
{% macro consumers_of(node) %}
  {% set consumers = portmesh.meta_of(node).get('consumers') %}
  {{ return(consumers | select('mapping') | list if consumers is sequence and consumers is not string else []) }}
{% endmacro %}
