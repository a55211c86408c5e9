{# What dbt-athena 1.11.1 needs for the mesh. One macro, one reason; the tests of
   tests/engines/test_athena_adapter.py fail without each of them, and say when one is no longer needed. #}

{# Iceberg holds microseconds; `timestamp` alone is milliseconds in Athena, and no Iceberg table takes it. #}
{% macro athena__type_timestamp() %}timestamp(6){% endmacro %}

{# Its own writes a file for a Hive table of text: backslashes, microseconds and, on a machine that is not set to
   UTF-8, every letter beyond ASCII are lost, and what it cannot read as a timestamp becomes null.
   https://github.com/dbt-labs/dbt-adapters/issues/415 #}
{% macro athena__create_csv_table(model, agate_table) %}
  {% set columns = [] %}
  {% for column in agate_table.column_names %}
    {% set type = model.config.column_types.get(column) or adapter.convert_type(agate_table, loop.index0) %}
    {% set name = adapter.quote_seed_column(column, config.get('quote_columns')) %}
    {% do columns.append(portmesh.athena__seed_value('null', type) ~ ' as ' ~ name) %}
  {% endfor %}
  {% set sql = create_table_as(false, this, 'select ' ~ columns | join(', ') ~ ' where false') %}
  {% call statement('create_seed') %}{{ sql }}{% endcall %}
  {{ return(sql) }}
{% endmacro %}

{% macro athena__load_csv_rows(model, agate_table) %}
  {{ return(portmesh.iceberg__insert_seed(model, agate_table)) }}
{% endmacro %}

{% macro athena__seed_value(name, type) %}
  {%- set type = portmesh.athena__type_timestamp() if type == 'timestamp' else dml_data_type(type) -%}
  {{- return('cast(' ~ name ~ ' as ' ~ type ~ ')') -}}
{% endmacro %}

{# Without this a clone is a view on the other environment's table, which a port's next build does not write over: a
   copy. #}
{% macro athena__can_clone_table() %}{{ return(true) }}{% endmacro %}

{% macro athena__create_or_replace_clone(this_relation, defer_relation) %}
  {% set existing = load_relation(this_relation) %}
  {% if existing %}{% do adapter.drop_relation(existing) %}{% endif %}
  {{ create_table_as(false, this_relation, 'select * from ' ~ defer_relation) }}
{% endmacro %}

{# Its own sends GRANT, which Athena does not know. #}
{% macro athena__apply_grants(relation, grant_config, should_revoke) %}
  {% do portmesh.iceberg__pass_over_grants(relation, grant_config) %}
{% endmacro %}

{# A unit test makes an empty table to learn its columns' types; an Iceberg table takes no smallint, a Hive table no
   timestamp(6), and a view takes both. https://github.com/dbt-labs/dbt-adapters/issues/424 #}
{% macro athena__get_create_table_as_sql(temporary, relation, sql) -%}
  {%- if model.resource_type == 'unit_test' -%}create or replace view {{ relation }} as {{ sql }}
  {%- else -%}{{ return(create_table_as(temporary, relation, sql)) }}{%- endif -%}
{%- endmacro %}

{# Its results have decimals as text, of which dbt says that it is no number of failures. In the gate a port is at work,
   which casts them itself. #}
{% macro athena__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) %}
  {% set counted = {'by': fail_calc} %}
  {% if model.resource_type == 'test' and fail_calc != 'count(*)' %}
    {% set count = 'select ' ~ fail_calc ~ ' as failures from (\n' ~ main_sql ~ '\n) as found' %}
    {% if portmesh.describe_query(count)[0].type.startswith('decimal') %}
      {% do counted.update({'by': 'cast(' ~ fail_calc ~ ' as double)'}) %}
    {% endif %}
  {% endif %}
  {{ return(dbt.default__get_test_sql(main_sql, counted.by, warn_if, error_if, limit)) }}
{% endmacro %}
