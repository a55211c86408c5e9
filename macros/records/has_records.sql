{# Whether there is a table that may hold records of a domain: its own, or that of an earlier release. #}
{% macro has_records(product) %}
  {% set own = portmesh.record_table('publications', product).identifier %}
  {{ return(own in portmesh.existing_records() or 'publications' in portmesh.existing_records()) }}
{% endmacro %}
