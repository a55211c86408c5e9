{% macro athena__published_pointer(port) %}
  {{- return(adapter.get_glue_table(port.relation)['Table']['Parameters']['metadata_location']) -}}
{% endmacro %}

{# Also updates dbt's cache, because the same run may write the port again. #}
{% macro athena__rename_table(from_relation, to_relation) %}
  {% set new_name = to_relation.render_hive() %}
  {% do portmesh.execute_sql('alter table ' ~ from_relation.render_hive() ~ ' rename to ' ~ new_name) %}
  {% do adapter.cache_added(to_relation) %}
{% endmacro %}

{% macro athena__publish_branch(port, place) %}
  {% do adapter.swap_table(place.result, port.relation) %}
  {% do portmesh.engine_macro('forget_table')(place.result) %}
{% endmacro %}

{# Points the port's name to the new table. The previous table, with its versions, keeps another name for a rollback.
   Giving it that name takes seconds, so this checks again that no other run has published in the meantime. #}
{% macro athena__publish_beside(port, place) %}
  {% do portmesh.athena__open_second_name(port, place.replaced) %}
  {% do portmesh.iceberg__assert_not_overtaken(port, place) %}
  {% do portmesh.engine_macro('publish_branch')(port, place) %}
{% endmacro %}

{% macro athena__rows_of_snapshot(relation, snapshot_id) %}
  {{- return('(select * from ' ~ relation ~ ' for version as of ' ~ snapshot_id | int ~ ')') -}}
{% endmacro %}

{# If a kept table has the previous version as its last snapshot, it becomes the port again as it is. Otherwise the rows
   are written again as a new version, because Athena cannot move a table back to an older snapshot. #}
{% macro athena__restore_version(port, current, previous) %}
  {% set withdrawn = portmesh._name_of_withdrawn(port, current) %}
  {% set holder = portmesh.iceberg__holder_of_snapshot(port, previous.snapshot_id) %}
  {% if holder != port.relation and portmesh.iceberg__snapshot_of(holder) == previous.snapshot_id | int
      and portmesh.table_columns(holder) == portmesh.table_columns(port.relation) %}
    {% do portmesh.engine_macro('publish_beside')(port, {
        'result': holder, 'replaced': withdrawn, 'exists': true,
        'pointer': portmesh.engine_macro('published_pointer')(port)}) %}
  {% else %}
    {% set place = dict(portmesh.place_candidate(port, current, false, []), replaced=withdrawn) %}
    {% do portmesh.write_candidate(port, place, 'select * from ' ~ portmesh.kept_rows(port, current, previous), []) %}
    {% do portmesh.publish_version(port, place, []) %}
  {% endif %}
{% endmacro %}

{# The name under which the current table is kept: the version that consumers no longer read. If a rollback that was
   killed has already used that name, a new name. #}
{% macro _name_of_withdrawn(port, current) %}
  {% set is_taken = current.version in portmesh.tables_in(port.internal_schema) %}
  {% set name = portmesh.new_version_name(port, current) ~ '__replaced' if is_taken else current.version %}
  {{ return(portmesh.version_relation(port, name)) }}
{% endmacro %}
