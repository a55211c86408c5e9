{# Fixes that dbt-spark 1.11.0 needs to work with an Iceberg catalog on Glue over Thrift. Each macro gives its reason.
   tests/engines/test_spark_adapter.py fails without any one of them, and shows when one is no longer needed. #}

{# dbt-spark's macro cannot set a location, and Iceberg puts a database's tables below it.
   https://github.com/dbt-labs/dbt-spark/issues/663 #}
{% macro spark__create_schema(relation) -%}
  {%- call statement('create_schema') -%}
    create schema if not exists {{ relation.without_identifier() }}
    location '{{ portmesh.iceberg__lake_location(relation.schema) }}'
  {%- endcall -%}
{%- endmacro %}

{# SHOW TABLE EXTENDED fails for Iceberg tables, and dbt-spark then runs a DESCRIBE for each table. All tables of this
   catalog are Iceberg, so their names are enough. https://github.com/apache/spark/pull/37588 (SPARK-33393) #}
{% macro spark__list_relations_without_caching(relation) %}
  {# Spark fails to list the tables of a database that does not exist yet. #}
  {% if relation.schema not in portmesh.existing_schemas() %}{{ return([]) }}{% endif %}
  {% call statement('list_relations', fetch_result=True) -%}show tables in {{ relation.schema }} like '*'{%- endcall %}
  {% set rows = [] %}
  {% for row in load_result('list_relations').table.rows if not row[2] %}
    {% do rows.append([row[0], row[1], row[2], 'Provider: iceberg\nType: MANAGED\n']) %}
  {% endfor %}
  {{ return(rows) }}
{% endmacro %}

{# Over Thrift, a statement that returns no rows also returns no columns, and fetching them fails after it has run. This
   affects everything that dbt and a domain's macros send with run_query: alter table, unit tests, operations.
   https://github.com/dbt-labs/dbt-adapters/issues/481, https://github.com/apache/kyuubi/issues/7106 #}
{% macro run_query(sql) %}
  {% if target.type != 'spark' or portmesh._gives_rows(sql) %}{{ return(dbt.run_query(sql)) }}{% endif %}
  {% call statement('run_query_statement', auto_begin=false) %}{{ sql }}{% endcall %}
{% endmacro %}

{% macro _gives_rows(sql) %}
  {% set first_word = modules.re.match('(?s)(?:\\s|--[^\\n]*\\n|/\\*.*?\\*/)*(\\w*)', sql).group(1) | lower %}
  {{ return(first_word not in [
      'alter', 'analyze', 'cache', 'clear', 'comment', 'create', 'delete', 'drop', 'grant', 'insert', 'merge', 'msck',
      'refresh', 'replace', 'reset', 'revoke', 'truncate', 'uncache', 'update', 'use']) }}
{% endmacro %}

{# dbt-spark's macro sends a number of guessed type as a float, which changes a large BIGINT. The same macro has another
   problem with other connection methods: https://github.com/dbt-labs/dbt-adapters/issues/487 #}
{% macro spark__load_csv_rows(model, agate_table) %}
  {{ return(portmesh.iceberg__insert_seed(model, agate_table)) }}
{% endmacro %}

{% macro spark__seed_value(name, type) %}cast({{ name }} as {{ type }}){% endmacro %}

{# dbt stages the changed rows of a snapshot in a view. dbt-spark creates a permanent view, which Iceberg's Glue catalog
   does not have. https://github.com/dbt-labs/dbt-spark/pull/651 #}
{% macro spark_build_snapshot_staging_table(strategy, sql, target_relation) %}
  {% set name = target_relation.identifier ~ '__dbt_tmp' %}
  {% set rows = snapshot_staging_table(strategy, sql, target_relation) %}
  {% set staging = api.Relation.create(identifier=name, type='view').include(schema=false) %}
  {% call statement('build_snapshot_staging_relation') %}{{ create_temporary_view(staging, rows) }}{% endcall %}
  {{ return(staging) }}
{% endmacro %}

{# dbt-spark's macro returns rows of DESCRIBE instead of columns, so that in a snapshot with `hard_deletes: new_record`
   the record of a deleted row has no values. https://github.com/dbt-labs/dbt-adapters/issues/1401 #}
{% macro spark__get_columns_in_relation(relation) %}
  {{ return(adapter.get_columns_in_relation(relation)) }}
{% endmacro %}

{# dbt-spark's macro refuses to drop columns, but Iceberg can. https://github.com/dbt-labs/dbt-adapters/issues/467 #}
{% macro spark__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
  {% set added, removed = [], [] %}
  {% for column in add_columns or [] %}{% do added.append(column.quoted ~ ' ' ~ column.data_type) %}{% endfor %}
  {% for column in remove_columns or [] %}{% do removed.append(column.quoted) %}{% endfor %}
  {% for action, columns in [('add', added), ('drop', removed)] if columns %}
    {% do run_query('alter table ' ~ relation ~ ' ' ~ action ~ ' columns (' ~ columns | join(', ') ~ ')') %}
  {% endfor %}
{% endmacro %}

{# dbt-spark makes shallow clones, which only Delta has. Here a clone copies the rows.
   https://github.com/dbt-labs/dbt-spark/pull/816 #}
{% materialization clone, adapter='spark' %}
  {{ return(portmesh.materialization_clone_default()) }}
{% endmaterialization %}

{% macro spark__create_or_replace_clone(this_relation, defer_relation) %}
  create or replace table {{ this_relation }} using iceberg as select * from {{ defer_relation }}
{% endmacro %}

{# dbt-spark's timestamp has a zone, while `timestamp` in this mesh has none (spark.sql.timestampType). In Athena, a
   snapshot's times would have another type than the rows' own times. #}
{% macro spark__current_timestamp() %}localtimestamp(){% endmacro %}

{# dbt-spark's macro sends GRANT, which Spark refuses. #}
{% macro spark__apply_grants(relation, grant_config, should_revoke) %}
  {% do portmesh.iceberg__pass_over_grants(relation, grant_config) %}
{% endmacro %}

{# dbt-spark's macro uses to_timestamp(<number>), which fails if timestamps have no zone (spark.sql.timestampType) and
   ANSI mode is on. #}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
  timestampadd({{ datepart }}, {{ interval }}, cast({{ from_date_or_timestamp }} as timestamp))
{%- endmacro %}
