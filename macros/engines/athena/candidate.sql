{# Athena: a candidate is a table of its own or, of an increment, a second Glue name on the port's own Iceberg metadata;
   publication is one Glue UpdateTable that moves the port to it. Two names that share files are never dropped by
   DROP TABLE, which would take the files along. #}

{% macro athena__is_iceberg_table(relation) %}
  {%- set parameters = adapter.get_glue_table(relation)['Table'].get('Parameters') or {} -%}
  {{- return(parameters.get('table_type', '') | lower == 'iceberg') -}}
{% endmacro %}

{% macro athena__branch_relation(port, version) %}{{ return(portmesh.version_relation(port, version)) }}{% endmacro %}

{# To look first whether there are any would scan what the statement scans. #}
{% macro athena__delete_rows(relation, condition) %}
  {% do portmesh.execute_sql('delete from ' ~ relation ~ ' where ' ~ condition) %}
{% endmacro %}

{# Whatever is no increment: Athena cannot overwrite, and rows that it deletes are read on, with the files that say so.
   Of an increment's second name, which has metadata and so columns of its own, what cannot be added, widened or
   dropped there; a column that rows are partitioned by cannot be dropped. #}
{% macro athena__needs_new_table(port, increment) %}
  {% if not increment %}{{ return(true) }}{% endif %}
  {% set needed = portmesh.iceberg__schema_changes(port, port.relation) %}
  {{ return(needed.is_retyped or (needed.surplus and portmesh._is_partitioned(port.relation))) }}
{% endmacro %}

{% macro _is_partitioned(relation) %}
  {%- set partitions = portmesh.athena__metadata(relation, 'partitions') -%}
  {{- return('partition' in portmesh.query('select * from ' ~ partitions ~ ' limit 0').column_names) -}}
{% endmacro %}

{% macro athena__publishes_beside_as_it_is() %}{{ return(true) }}{% endmacro %}

{# A Glue name comes only by CREATE TABLE, so a placeholder is made and turned to the port's metadata. #}
{% macro athena__open_branch(port, place) %}
  {% set needed = portmesh.iceberg__schema_changes(port, port.relation) %}
  {% do portmesh.athena__open_second_name(port, place.result) %}
  {% for change in needed.changes %}{% do portmesh.athena__change_column(place.result, change) %}{% endfor %}
  {% for name in needed.surplus %}
    {% do portmesh.execute_sql('alter table ' ~ place.result.render_hive() ~ ' drop column `' ~ name ~ '`') %}
  {% endfor %}
{% endmacro %}

{% macro athena__open_second_name(port, name) %}
  {% set placeholder = portmesh.iceberg__new_location(name) %}
  {% do portmesh.execute_sql(
      'create table ' ~ name.render_hive() ~ " (placeholder int) location '" ~ placeholder
      ~ "' tblproperties ('table_type' = 'ICEBERG')") %}
  {% do adapter.swap_table(port.relation, name) %}
  {% do adapter.delete_from_s3(placeholder) %}
{% endmacro %}
