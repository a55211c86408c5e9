{# Fixes that dbt-athena 1.11.1 needs for the mesh. Each macro gives its reason. tests/engines/test_athena_adapter.py
   fails without any one of them, and shows when one is no longer needed. #}

{# Iceberg stores microseconds. In Athena, plain `timestamp` has milliseconds, which an Iceberg table does not accept.
   #}
{% macro athena__type_timestamp() %}timestamp(6){% endmacro %}

{# dbt-athena's macro writes a text file for a Hive table. It loses backslashes, microseconds and, on a machine that is
   not set to UTF-8, all letters beyond ASCII; a value that it cannot read as a timestamp becomes null.
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

{# Makes a clone a copy. Without this it would be a view on the other environment's table, which the port's next build
   would not replace. #}
{% macro athena__can_clone_table() %}{{ return(true) }}{% endmacro %}

{% macro athena__create_or_replace_clone(this_relation, defer_relation) %}
  {% set existing = load_relation(this_relation) %}
  {% if existing %}{% do adapter.drop_relation(existing) %}{% endif %}
  {{ create_table_as(false, this_relation, 'select * from ' ~ defer_relation) }}
{% endmacro %}

{# dbt-athena's macro sends GRANT, which Athena does not have. #}
{% macro athena__apply_grants(relation, grant_config, should_revoke) %}
  {% do portmesh.iceberg__pass_over_grants(relation, grant_config) %}
{% endmacro %}

{# For a unit test, dbt creates an empty table to find out its columns' types. An Iceberg table cannot have smallint and
   a Hive table cannot have timestamp(6), but a view can have both. https://github.com/dbt-labs/dbt-adapters/issues/424
   #}
{% macro athena__get_create_table_as_sql(temporary, relation, sql) -%}
  {%- if model.resource_type == 'unit_test' -%}create or replace view {{ relation }} as {{ sql }}
  {%- else -%}{{ return(create_table_as(temporary, relation, sql)) }}{%- endif -%}
{%- endmacro %}

{# Athena returns decimals as text, which dbt does not accept as a number of failures. This casts them, but only in
   dbt's test nodes, because the audit of a port does its own cast. #}
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
