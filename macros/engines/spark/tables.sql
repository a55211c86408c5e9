{% macro spark__create_iceberg_table(relation, rows, home, node) %}
  {% set fields = portmesh.partition_fields(node) if node else [] %}
  {% do portmesh.execute_sql(
      'create table ' ~ relation ~ ' using iceberg ' ~ portmesh.spark__partitioning(fields)
      ~ " location '" ~ portmesh.iceberg__new_location(home) ~ "'"
      ~ " tblproperties ('format-version' = '2') as\n" ~ rows) %}
{% endmacro %}

{% macro spark__partitioning(fields) %}
  {%- set texts = [] -%}
  {%- for field in fields -%}
    {%- set arguments = (field.size ~ ', ' if field.size else '') ~ adapter.quote(field.column) -%}
    {%- do texts.append(arguments if field.transform == 'identity' else field.transform ~ '(' ~ arguments ~ ')') -%}
  {%- endfor -%}
  {{- return('partitioned by (' ~ texts | join(', ') ~ ')' if texts else '') -}}
{% endmacro %}

{% macro spark__insert_rows(node, relation, columns, rows, stored) %}
  {% do portmesh.execute_sql('insert into ' ~ relation ~ columns ~ '\n' ~ rows) %}
{% endmacro %}

{# All ports of a domain write to this table at the same time, so commits are retried more often than Iceberg's default
   of four. `table` comes from record_tables. #}
{% macro spark__create_record_table(table) %}
  {% set columns = '' if table.rows else ' (' ~ portmesh.column_definitions(table.columns) ~ ')' %}
  {% do portmesh.execute_sql(
      'create table if not exists ' ~ table.relation ~ columns
      ~ " using iceberg location '" ~ portmesh.iceberg__new_location(table.relation)
      ~ "' tblproperties ('format-version' = '2', 'commit.retry.num-retries' = '20')"
      ~ (' as\n' ~ table.rows if table.rows else '')) %}
{% endmacro %}

{# `change` comes from changed_columns: a column to add or widen. #}
{% macro spark__change_column(relation, change) %}
  {% set name, type = adapter.quote(change.column), portmesh.stored_type(change.data_type) %}
  {% set action = 'add columns (' ~ name ~ ' ' ~ type ~ ')' if change.change == 'add'
      else 'alter column ' ~ name ~ ' type ' ~ type %}
  {% do portmesh.execute_sql('alter table ' ~ relation ~ ' ' ~ action) %}
{% endmacro %}
