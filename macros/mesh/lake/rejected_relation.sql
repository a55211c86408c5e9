{# The relation with the rejected rows of a source table; none if it does not exist: no row was ever rejected. #}
{% macro rejected_relation(source) %}
  {% if not execute or not flags.INTROSPECT %}{{ return(none) }}{% endif %}
  {% set name = source.identifier ~ '__rejected' %}
  {% if not (source | string).startswith('landed(') %}
    {{ return(adapter.get_relation(database=source.database, schema=source.schema, identifier=name)) }}
  {% endif %}
  {% set files = portmesh.text_literal(portmesh.lake_folder() ~ '/' ~ name ~ '/*/data.parquet') %}
  {% set number = run_query('select count(*) from glob(' ~ files ~ ')').rows[0][0] %}
  {{ return('landed(' ~ portmesh.text_literal(name) ~ ')' if number else none) }}
{% endmacro %}
