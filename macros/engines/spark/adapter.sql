{# What dbt-spark 1.11.0 needs to work with an Iceberg catalog on Glue over Thrift. One macro, one reason; the tests of
   tests/engines/test_spark_adapter.py fail without each of them, and say when one is no longer needed. #}

{# Its own has no place for the location, and Iceberg puts a database's tables below that.
   https://github.com/dbt-labs/dbt-spark/issues/663 #}
{% macro spark__create_schema(relation) -%}
  {%- call statement('create_schema') -%}
    create schema if not exists {{ relation.without_identifier() }}
    location '{{ portmesh.iceberg__lake_location(relation.schema) }}'
  {%- endcall -%}
{%- endmacro %}

{# SHOW TABLE EXTENDED fails for Iceberg tables, and what dbt-spark does then is a DESCRIBE for each table. All
   tables of this catalog are Iceberg. https://github.com/apache/spark/pull/37588 (SPARK-33393) #}
{% macro spark__list_relations_without_caching(relation) %}
  {# A database that is not there yet has no tables; asked for them, Spark fails. #}
  {% if relation.schema not in portmesh.existing_schemas() %}{{ return([]) }}{% endif %}
  {% call statement('list_relations', fetch_result=True) -%}show tables in {{ relation.schema }} like '*'{%- endcall %}
  {% set rows = [] %}
  {% for row in load_result('list_relations').table.rows if not row[2] %}
    {% do rows.append([row[0], row[1], row[2], 'Provider: iceberg\nType: MANAGED\n']) %}
  {% endfor %}
  {{ return(rows) }}
{% endmacro %}

{# Over Thrift, a statement that gives no rows also gives no columns, and fetching them fails after it was run.
   Everything that dbt and a domain's macros send by run_query is concerned: alter table, unit tests, operations.
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

{# Its own sends a number whose type was guessed as a float, so that a large BIGINT changes. Of the same macro, by
   another method of connection: https://github.com/dbt-labs/dbt-adapters/issues/487 #}
{% macro spark__load_csv_rows(model, agate_table) %}
  {{ return(portmesh.iceberg__insert_seed(model, agate_table)) }}
{% endmacro %}

{% macro spark__seed_value(name, type) %}cast({{ name }} as {{ type }}){% endmacro %}

{# Rows of a snapshot that changed are staged in a view; its own is a lasting one, which Iceberg's catalog on Glue
   has not. https://github.com/dbt-labs/dbt-spark/pull/651 #}
{% macro spark_build_snapshot_staging_table(strategy, sql, target_relation) %}
  {% set name = target_relation.identifier ~ '__dbt_tmp' %}
  {% set rows = snapshot_staging_table(strategy, sql, target_relation) %}
  {% set staging = api.Relation.create(identifier=name, type='view').include(schema=false) %}
  {% call statement('build_snapshot_staging_relation') %}{{ create_temporary_view(staging, rows) }}{% endcall %}
  {{ return(staging) }}
{% endmacro %}

{# Its own gives rows of DESCRIBE where dbt expects columns, so that the record of a deleted row has no values in a
   snapshot with `hard_deletes: new_record`. https://github.com/dbt-labs/dbt-adapters/issues/1401 #}
{% macro spark__get_columns_in_relation(relation) %}
  {{ return(adapter.get_columns_in_relation(relation)) }}
{% endmacro %}

{# Its own refuses to drop columns, which Iceberg can. https://github.com/dbt-labs/dbt-adapters/issues/467 #}
{% macro spark__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
  {% set added, removed = [], [] %}
  {% for column in add_columns or [] %}{% do added.append(column.quoted ~ ' ' ~ column.data_type) %}{% endfor %}
  {% for column in remove_columns or [] %}{% do removed.append(column.quoted) %}{% endfor %}
  {% for action, columns in [('add', added), ('drop', removed)] if columns %}
    {% do run_query('alter table ' ~ relation ~ ' ' ~ action ~ ' columns (' ~ columns | join(', ') ~ ')') %}
  {% endfor %}
{% endmacro %}

{# Its own makes shallow clones, which Delta has and Iceberg has not: a clone is a copy.
   https://github.com/dbt-labs/dbt-spark/pull/816 #}
{% materialization clone, adapter='spark' %}
  {{ return(portmesh.materialization_clone_default()) }}
{% endmaterialization %}

{% macro spark__create_or_replace_clone(this_relation, defer_relation) %}
  create or replace table {{ this_relation }} using iceberg as select * from {{ defer_relation }}
{% endmacro %}

{# Its own has a zone, while `timestamp` has none in this mesh (spark.sql.timestampType): a snapshot's times would
   come to Athena as another type than the rows' own. #}
{% macro spark__current_timestamp() %}localtimestamp(){% endmacro %}

{# Its own sends GRANT, which Spark does not allow. #}
{% macro spark__apply_grants(relation, grant_config, should_revoke) %}
  {% do portmesh.iceberg__pass_over_grants(relation, grant_config) %}
{% endmacro %}

{# Its own ends in to_timestamp(<number>), which fails where a timestamp has no zone (spark.sql.timestampType) and
   ANSI is on. #}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
  timestampadd({{ datepart }}, {{ interval }}, cast({{ from_date_or_timestamp }} as timestamp))
{%- endmacro %}
