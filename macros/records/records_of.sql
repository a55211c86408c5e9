{# SQL to put after `from` to read a domain's records: its own table, or until its next run creates that, its rows in
   the table of an earlier Portmesh version. #}
{% macro records_of(name, product) %}
  {% set own = portmesh.record_table(name, product) %}
  {% if own.identifier in portmesh.existing_records() %}{{ return(own) }}{% endif %}
  {{ return('(' ~ portmesh.earlier_records(name, [product]) ~ ') as earlier') }}
{% endmacro %}
