{% macro athena__published_pointer(port) %}
  {{- return(adapter.get_glue_table(port.relation)['Table']['Parameters']['metadata_location']) -}}
{% endmacro %}

{# dbt is told too: the same run may write the port once more. #}
{% macro athena__rename_table(from_relation, to_relation) %}
  {% set new_name = to_relation.render_hive() %}
  {% do portmesh.execute_sql('alter table ' ~ from_relation.render_hive() ~ ' rename to ' ~ new_name) %}
  {% do adapter.cache_added(to_relation) %}
{% endmacro %}

{% macro athena__publish_branch(port, place) %}
  {% do adapter.swap_table(place.result, port.relation) %}
  {% do portmesh.engine_macro('forget_table')(place.result) %}
{% endmacro %}

{# The port's name turns to the new table; the one before, with the versions in it, keeps a name for the way back. #}
{% macro athena__publish_beside(port, place) %}
  {% do portmesh._keep_published_table(port, place.replaced) %}
  {% do portmesh.engine_macro('publish_branch')(port, place) %}
{% endmacro %}

{% macro _keep_published_table(port, name) %}
  {% if name.identifier in portmesh.tables_in(name.schema) %}
    {% do portmesh.drop_version(port, name.identifier) %}
  {% endif %}
  {% do portmesh.athena__open_second_name(port, name) %}
{% endmacro %}

{% macro athena__rows_of_snapshot(relation, snapshot_id) %}
  {{- return('(select * from ' ~ relation ~ ' for version as of ' ~ snapshot_id | int ~ ')') -}}
{% endmacro %}

{# A table that was put aside with the version as its last comes back as it is. Athena cannot move a table back to an
   older snapshot, so then the rows are written once more, as a version like any other. #}
{% macro athena__restore_version(port, current, previous) %}
  {% set withdrawn = portmesh.version_relation(port, current.version) %}
  {% set holder = portmesh.iceberg__holder_of_snapshot(port, previous.snapshot_id) %}
  {% if holder != port.relation and portmesh.iceberg__snapshot_of(holder) == previous.snapshot_id | int
      and portmesh.table_columns(holder) == portmesh.table_columns(port.relation) %}
    {% do portmesh.engine_macro('publish_beside')(port, {'result': holder, 'replaced': withdrawn}) %}
  {% else %}
    {% set place = dict(portmesh.place_candidate(port, current, false, []), replaced=withdrawn) %}
    {% do portmesh.write_candidate(port, place, 'select * from ' ~ portmesh.kept_rows(port, current, previous), []) %}
    {% do portmesh.publish_version(port, place, []) %}
  {% endif %}
{% endmacro %}
