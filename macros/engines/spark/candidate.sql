{# Spark: a candidate is an Iceberg branch of the port, named after the run. Publishing moves main to the branch. #}

{% macro spark__is_iceberg_table(relation) %}{{ return(relation.is_iceberg) }}{% endmacro %}

{% macro spark__branch_relation(port, version) %}
  {%- set name = port.alias ~ '.branch_' ~ version -%}
  {{- return(api.Relation.create(schema=port.relation.schema, identifier=name, type='table')) -}}
{% endmacro %}

{% macro spark__write_candidate(port, place, sql, changes) %}
  {% if place.is_increment or place.is_beside %}
    {% do portmesh.iceberg__write_candidate(port, place, sql, changes) %}
  {% else %}
    {% do portmesh.engine_macro('open_branch')(port, place) %}
    {% do portmesh.execute_sql('insert overwrite ' ~ place.result ~ ' (' ~ portmesh.column_list(port) ~ ')\n'
        ~ portmesh.iceberg__rows_as_contracted(port, sql)) %}
  {% endif %}
{% endmacro %}

{# Counts first, because even deleting no rows would be a commit. #}
{% macro spark__delete_rows(relation, condition) %}
  {% if portmesh.count_rows('(select 1 from ' ~ relation ~ ' where ' ~ condition ~ ') as replaced') %}
    {% do portmesh.execute_sql('delete from ' ~ relation ~ ' where ' ~ condition) %}
  {% endif %}
{% endmacro %}

{% macro spark__open_branch(port, place) %}
  {% do portmesh.execute_sql('alter table ' ~ port.relation ~ ' create branch ' ~ place.version) %}
{% endmacro %}

{# An Iceberg schema belongs to the table, not to a branch, so a candidate with a changed schema is written to a
   separate table. #}
{% macro spark__needs_new_table(port, increment) %}
  {% set needed = portmesh.iceberg__schema_changes(port, port.relation) %}
  {{ return(needed.changes | length > 0 or not needed.is_enough) }}
{% endmacro %}

{# The rows of a separate table are copied into the port. #}
{% macro spark__publishes_beside_as_it_is() %}{{ return(false) }}{% endmacro %}
