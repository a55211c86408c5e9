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

{# The port's name turns to the new table; the old one's files belong to no name then, and go by `portmesh clean`. #}
{% macro athena__publish_beside(port, place) %}
  {% do portmesh.engine_macro('publish_branch')(port, place) %}
{% endmacro %}

{% macro athena__kept_rows(port, current, previous) %}
  {{- return('(select * from ' ~ port.relation ~ ' for version as of ' ~ previous.snapshot_id | int ~ ')') -}}
{% endmacro %}

{# Athena cannot move a table back to a snapshot, so the kept rows are written once more, as a version like any
   other. #}
{% macro athena__restore_version(port, current, previous) %}
  {% set place = portmesh.place_candidate(port, current, false, []) %}
  {% do portmesh.write_candidate(port, place, 'select * from ' ~ portmesh.kept_rows(port, current, previous), []) %}
  {% do portmesh.publish_version(port, place, []) %}
{% endmacro %}
