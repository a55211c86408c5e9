{# Spark: Iceberg's metadata tables and procedures that `portmesh clean` and `portmesh maintain` use. #}

{% macro spark__metadata(relation, name) %}{{ return(relation ~ '.' ~ name) }}{% endmacro %}

{% macro spark__tables_in(schema) %}
  {% set names = [] %}
  {% for row in run_query('show tables in ' ~ schema).rows %}{% do names.append(row['tableName']) %}{% endfor %}
  {{ return(names) }}
{% endmacro %}

{% macro spark__branches_of(port) %}
  {% set names = [] %}
  {% if load_relation(port.relation) %}
    {% set branches = 'select name from ' ~ port.relation ~ ".refs where type = 'BRANCH' and name <> 'main'" %}
    {% for row in portmesh.query(branches).rows %}{% do names.append(row[0]) %}{% endfor %}
  {% endif %}
  {{ return(names) }}
{% endmacro %}

{% macro spark__drop_version(port, name) %}
  {% if portmesh.iceberg__table_exists(port, none) %}
    {% do portmesh.execute_sql('alter table ' ~ port.relation ~ ' drop branch if exists ' ~ name) %}
  {% endif %}
  {% do portmesh.iceberg__drop_unless_shared(port, name) %}
{% endmacro %}

{# A table that Athena created may share the port's files under another name. #}
{% macro spark__has_own_files(port, relation) %}{{ return(false) }}{% endmacro %}

{% macro spark__drop_table(relation) %}
  {% do portmesh.execute_sql('drop table if exists ' ~ relation ~ ' purge') %}
{% endmacro %}

{% macro spark__forget_table(relation) %}
  {% do portmesh.execute_sql('drop table if exists ' ~ relation) %}
{% endmacro %}

{# A tag for each published contract version: `select … from orders.order_lines version as of 'v1.2.0'`. #}
{% macro spark__tag_contract_version(port, name, snapshot_id) %}
  {% set version = ' as of version ' ~ snapshot_id | int if snapshot_id else '' %}
  {% do portmesh.execute_sql('alter table ' ~ port.relation ~ ' create or replace tag `' ~ name ~ '`' ~ version) %}
{% endmacro %}

{# The thresholds match src/portmesh/lake/iceberg.py, which predicts what will be rewritten. #}
{% macro spark__compact(port) %}
  {% do portmesh.execute_sql(
      "call system.rewrite_data_files(table => '" ~ port.relation ~ "', options => map('min-input-files', '5',"
      ~ " 'delete-file-threshold', '1', 'remove-dangling-deletes', 'true'))") %}
{% endmacro %}

{% macro spark__rewrite_manifests(port) %}
  {% do portmesh.execute_sql("call system.rewrite_manifests(table => '" ~ port.relation ~ "')") %}
{% endmacro %}

{# `older_than` turns off Iceberg's own rule (expire everything older than five days), so that only the listed snapshots
   expire. #}
{% macro spark__remove_expired(port, keep) %}
  {% for name, snapshot_id in keep.tags %}
    {% do portmesh.engine_macro('tag_contract_version')(port, name, snapshot_id) %}
  {% endfor %}
  {% for name in keep.expired_tags %}
    {% do portmesh.execute_sql('alter table ' ~ port.relation ~ ' drop tag if exists `' ~ name ~ '`') %}
  {% endfor %}
  {% if keep.expire %}
    {% do portmesh.execute_sql(
        "call system.expire_snapshots(table => '" ~ port.relation ~ "',"
        ~ " older_than => timestamp_ltz '1970-01-02 00:00:00',"
        ~ ' snapshot_ids => array(' ~ keep.expire | join('L, ') ~ 'L))') %}
  {% endif %}
  {% do portmesh.execute_sql(
      "call system.remove_orphan_files(table => '" ~ port.relation ~ "', older_than => timestamp_ltz '"
      ~ keep.files_older_than ~ "', prefix_listing => true)") %}
{% endmacro %}
