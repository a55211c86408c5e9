{# Athena: what `portmesh clean` and `portmesh maintain` ask of Iceberg's own tables, and of OPTIMIZE and VACUUM. #}

{% macro athena__metadata(relation, name) %}{{ return(portmesh.metadata_table(relation, name)) }}{% endmacro %}

{% macro athena__tables_in(schema) %}
  {% set names = [] %}
  {% for relation in adapter.list_relations_without_caching(api.Relation.create(database=target.database, schema=schema)) %}
    {% do names.append(relation.identifier) %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}

{# Athena cannot write a tag; `portmesh maintain --target emr` sets those of what Athena published. #}
{% macro athena__tag_contract_version(port, name, snapshot_id) %}{% endmacro %}

{% macro athena__compact(port) %}
  {% do adapter.run_operation_with_potential_multiple_runs(
      'optimize ' ~ port.relation.schema ~ '.' ~ port.alias ~ ' rewrite data using bin_pack', 'optimize') %}
{% endmacro %}

{% macro athena__rewrite_manifests(port) %}{% endmacro %}

{# VACUUM counts snapshots from the newest and looks at their age, and so takes orphan files away too. #}
{% macro athena__let_go(port, keep) %}
  {% do portmesh.execute_sql(
      'alter table ' ~ port.relation.render_hive() ~ " set tblproperties ('vacuum_min_snapshots_to_keep' = '" ~ keep.snapshots_to_keep
      ~ "', 'vacuum_max_snapshot_age_seconds' = '" ~ keep.max_age_seconds ~ "')") %}
  {% do adapter.run_operation_with_potential_multiple_runs('vacuum ' ~ port.relation.schema ~ '.' ~ port.alias, 'vacuum') %}
{% endmacro %}
