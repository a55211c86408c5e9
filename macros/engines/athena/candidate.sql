{# Athena: a candidate is a separate table, or for an increment a second Glue name for the port's own Iceberg metadata.
   Publishing is one Glue UpdateTable call that moves the port to it. DROP TABLE would delete files that two names
   share, so it is never used for such names. #}

{% macro athena__is_iceberg_table(relation) %}
  {%- set parameters = adapter.get_glue_table(relation)['Table'].get('Parameters') or {} -%}
  {{- return(parameters.get('table_type', '') | lower == 'iceberg') -}}
{% endmacro %}

{% macro athena__branch_relation(port, version) %}{{ return(portmesh.version_relation(port, version)) }}{% endmacro %}

{# Does not count first, because counting would scan as much as the statement itself. #}
{% macro athena__delete_rows(relation, condition) %}
  {% do portmesh.execute_sql('delete from ' ~ relation ~ ' where ' ~ condition) %}
{% endmacro %}

{# True for a full build: Athena cannot overwrite a table, and readers would still read deleted rows together with the
   delete files. An increment changes columns on its second name, which has its own metadata. It needs a new table only
   if a column must change its type, or must be dropped from a partitioned table. #}
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

{# Only CREATE TABLE adds a name to Glue, so this creates a placeholder and then points it to the port's metadata. #}
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
