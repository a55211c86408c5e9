{% macro athena__published_pointer(port) %}
  {{- return(adapter.get_glue_table(port.relation)['Table']['Parameters']['metadata_location']) -}}
{% endmacro %}

{% macro athena__current_snapshot(port) %}
  {{- return(portmesh.query("select snapshot_id from " ~ portmesh.metadata_table(port.relation, 'refs') ~ " where name = 'main'").rows[0][0] | int) -}}
{% endmacro %}

{% macro athena__list_snapshots(port) %}
  {% set ids = [] %}
  {% for row in portmesh.query('select snapshot_id from ' ~ portmesh.metadata_table(port.relation, 'snapshots')).rows %}{% do ids.append(row[0] | int) %}{% endfor %}
  {{ return(ids) }}
{% endmacro %}

{% macro metadata_table(relation, name) %}
  {{- return(relation.incorporate(path={'identifier': relation.identifier ~ '$' ~ name})) -}}
{% endmacro %}

{# dbt is told too: the same run may write the port once more. #}
{% macro athena__rename_table(from_relation, to_relation) %}
  {% do portmesh.execute_sql('alter table ' ~ from_relation.render_hive() ~ ' rename to ' ~ to_relation.render_hive()) %}
  {% do adapter.cache_added(to_relation) %}
{% endmacro %}

{% macro athena__publish_branch(port, place) %}
  {% do adapter.swap_table(place.result, port.relation) %}
  {% do portmesh.forget_table(place.result) %}
{% endmacro %}

{# The port's name turns to the new table; the old one's files belong to no name then, and go by `portmesh clean`. #}
{% macro athena__publish_beside(port, place) %}{% do portmesh.engine_macro('publish_branch')(port, place) %}{% endmacro %}

{% macro athena__kept_rows(port, current, previous) %}
  {{- return('(select * from ' ~ port.relation ~ ' for version as of ' ~ previous.snapshot_id | int ~ ')') -}}
{% endmacro %}

{# Athena cannot move a table back to a snapshot, so the kept rows are written once more, as a version like any other. #}
{% macro athena__restore_version(port, current, previous) %}
  {% set place = portmesh.place_candidate(port, current, false, []) %}
  {% do portmesh.write_candidate(port, place, 'select * from ' ~ portmesh.kept_rows(port, current, previous), []) %}
  {% do portmesh.publish_version(port, place, []) %}
{% endmacro %}
