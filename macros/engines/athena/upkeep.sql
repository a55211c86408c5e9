{# Athena: Iceberg's metadata tables, OPTIMIZE and VACUUM, which `portmesh clean` and `portmesh maintain` use. #}

{% macro athena__metadata(relation, name) %}
  {{- return(relation.incorporate(path={'identifier': relation.identifier ~ '$' ~ name})) -}}
{% endmacro %}

{% macro athena__tables_in(schema) %}
  {% set relation = api.Relation.create(database=target.database, schema=schema) %}
  {{ return(adapter.list_relations_without_caching(relation) | map(attribute='identifier') | list) }}
{% endmacro %}

{# Athena creates no branches: its candidates are second names. #}
{% macro athena__branches_of(port) %}{{ return([]) }}{% endmacro %}

{% macro athena__drop_version(port, name) %}
  {% do portmesh.iceberg__drop_unless_shared(port, name) %}
{% endmacro %}

{# A second name has the same location as the table it belongs to. #}
{% macro athena__has_own_files(port, relation) %}
  {% set places = [adapter.get_glue_table_location(port.relation)] %}
  {% for name in portmesh.list_versions(port) if name != relation.identifier %}
    {% do places.append(adapter.get_glue_table_location(portmesh.version_relation(port, name))) %}
  {% endfor %}
  {{ return(adapter.get_glue_table_location(relation) not in places) }}
{% endmacro %}

{% macro athena__drop_table(relation) %}
  {% set location = adapter.get_glue_table_location(relation) %}
  {% do portmesh.engine_macro('forget_table')(relation) %}
  {% if location %}{% do adapter.delete_from_s3(location) %}{% endif %}
{% endmacro %}

{% macro athena__forget_table(relation) %}
  {% do adapter.delete_from_glue_catalog(relation) %}
{% endmacro %}

{# Athena cannot write tags; `portmesh maintain --target emr` sets them for what Athena published. #}
{% macro athena__tag_contract_version(port, name, snapshot_id) %}{% endmacro %}

{% macro athena__compact(port) %}
  {% do adapter.run_operation_with_potential_multiple_runs(
      'optimize ' ~ port.relation.schema ~ '.' ~ port.alias ~ ' rewrite data using bin_pack', 'optimize') %}
{% endmacro %}

{% macro athena__rewrite_manifests(port) %}{% endmacro %}

{# VACUUM expires snapshots by number and age, and also deletes orphan files. #}
{% macro athena__remove_expired(port, keep) %}
  {% do portmesh.execute_sql(
      'alter table ' ~ port.relation.render_hive() ~ " set tblproperties ('vacuum_min_snapshots_to_keep' = '"
      ~ keep.snapshots_to_keep ~ "', 'vacuum_max_snapshot_age_seconds' = '" ~ keep.max_age_seconds ~ "')") %}
  {% do adapter.run_operation_with_potential_multiple_runs(
      'vacuum ' ~ port.relation.schema ~ '.' ~ port.alias, 'vacuum') %}
{% endmacro %}
