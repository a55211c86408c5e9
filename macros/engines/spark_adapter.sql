{# What dbt-spark 1.11.0 needs to work with an Iceberg catalog on Glue over Thrift. One macro, one reason; the tests of
   tests/engines/test_spark_adapter.py fail without each of them, and say when one is no longer needed. #}

{# Iceberg's catalog on Glue has no views ("is not supported by catalog"), so a view's rows are stored, as a table. #}
{% materialization view, adapter='spark' %}
  {{ return(dbt.materialization_table_spark()) }}
{% endmaterialization %}

{# Its own has no place for the location, and Iceberg puts a database's tables below that. #}
{% macro spark__create_schema(relation) -%}
  {%- call statement('create_schema') -%}
    create schema if not exists {{ relation.without_identifier() }} location '{{ portmesh.lake_location(relation.schema) }}'
  {%- endcall -%}
{%- endmacro %}

{# SHOW TABLE EXTENDED fails for Iceberg tables, and what dbt-spark does then is a DESCRIBE for each table. All tables of this
   catalog are Iceberg. https://github.com/apache/spark/pull/37588 (SPARK-33393) #}
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
