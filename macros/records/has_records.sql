{# Whether a table exists that may have records of a domain: its own, or the table of an earlier Portmesh version. #}
{% macro has_records(product) %}
  {% set own = portmesh.record_table('publications', product).identifier %}
  {{ return(own in portmesh.existing_records() or 'publications' in portmesh.existing_records()) }}
{% endmacro %}
