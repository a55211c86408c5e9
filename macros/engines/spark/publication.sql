{% macro spark__published_pointer(port) %}{{ return(portmesh.current_snapshot(port)) }}{% endmacro %}

{# Iceberg refuses this if main is not an ancestor of the branch, so two runs can never lose each other's rows. #}
{% macro spark__publish_branch(port, place) %}
  {% do portmesh.execute_sql("call system.fast_forward('" ~ port.relation ~ "', 'main', '" ~ place.version ~ "')") %}
  {% do portmesh.execute_sql('alter table ' ~ port.relation ~ ' drop branch ' ~ place.version) %}
{% endmacro %}

{% macro spark__publish_beside(port, place) %}
  {% do portmesh._replace_columns_and_rows(port, place.result) %}
  {% do portmesh.engine_macro('drop_table')(place.result) %}
{% endmacro %}

{# Uses one commit, so that no reader sees a column before its values. The table keeps its location, snapshots, tags and
   branches. #}
{% macro _replace_columns_and_rows(port, rows) %}
  {% do portmesh.execute_sql(
      'create or replace table ' ~ port.relation ~ ' using iceberg '
      ~ portmesh.spark__partitioning(portmesh.partition_fields(port.node))
      ~ " tblproperties ('format-version' = '2') as\nselect " ~ portmesh.column_list(port) ~ ' from ' ~ rows) %}
{% endmacro %}

{# Also updates dbt's cache, because the same run may write the port again. #}
{% macro spark__rename_table(from_relation, to_relation) %}
  {% do portmesh.execute_sql('alter table ' ~ from_relation ~ ' rename to ' ~ to_relation) %}
  {% do adapter.cache_added(to_relation.replace(is_iceberg=true)) %}
{% endmacro %}

{% macro spark__rows_of_snapshot(relation, snapshot_id) %}
  {{- return('(select * from ' ~ relation ~ ' version as of ' ~ snapshot_id | int ~ ')') -}}
{% endmacro %}

{# Spark reads a snapshot with the table's current columns. If the snapshot had other columns, or is in a table that
   Athena kept, its rows are written again. #}
{% macro spark__restore_version(port, current, previous) %}
  {% set kept = portmesh.kept_rows(port, current, previous) %}
  {% if portmesh.iceberg__holder_of_snapshot(port, previous.snapshot_id) == port.relation
      and portmesh.table_columns(kept) == portmesh.table_columns(port.relation) %}
    {% do portmesh.execute_sql(
        "call system.set_current_snapshot('" ~ port.relation ~ "', " ~ previous.snapshot_id | int ~ 'L)') %}
  {% else %}
    {% do portmesh._replace_columns_and_rows(port, kept) %}
  {% endif %}
{% endmacro %}
