{# Spark: a candidate is an Iceberg branch of the port, named after the run; publication moves main to it. #}

{% macro spark__is_iceberg_table(relation) %}{{ return(relation.is_iceberg) }}{% endmacro %}

{% macro spark__branch_relation(port, version) %}
  {{- return(api.Relation.create(schema=port.relation.schema, identifier=port.alias ~ '.branch_' ~ version, type='table')) -}}
{% endmacro %}

{% macro spark__create_iceberg_table(relation, rows, home) %}
  {% set node = portmesh.port_node_at(home) %}
  {% set fields = portmesh.partition_fields(node) if node else [] %}
  {% do portmesh.execute_sql(
      'create table ' ~ relation ~ ' using iceberg ' ~ portmesh.spark_partitioning(fields)
      ~ " location '" ~ portmesh.new_location(home) ~ "'"
      ~ " tblproperties ('format-version' = '2') as\n" ~ rows) %}
{% endmacro %}

{% macro spark_partitioning(fields) %}
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

{# Every port of a run adds to it, so a commit is tried more often than Iceberg's four times. #}
{% macro spark__create_record_table(relation, columns) %}
  {% do portmesh.execute_sql(
      'create table if not exists ' ~ relation ~ ' (' ~ portmesh.column_definitions(columns) ~ ')'
      ~ " using iceberg location '" ~ portmesh.lake_location(relation.schema) ~ '/' ~ relation.identifier
      ~ "' tblproperties ('format-version' = '2', 'commit.retry.num-retries' = '20')") %}
{% endmacro %}

{% macro spark__add_column(relation, name, data_type) %}
  {% do portmesh.execute_sql('alter table ' ~ relation ~ ' add columns (' ~ adapter.quote(name) ~ ' ' ~ portmesh.stored_type(data_type) ~ ')') %}
{% endmacro %}

{% macro spark__widen_column(relation, name, data_type) %}
  {% do portmesh.execute_sql('alter table ' ~ relation ~ ' alter column ' ~ adapter.quote(name) ~ ' type ' ~ portmesh.stored_type(data_type)) %}
{% endmacro %}

{% macro spark__overwrite_branch(port, branch, rows) %}
  {% do portmesh.execute_sql('insert overwrite ' ~ branch ~ ' (' ~ portmesh.column_list(port) ~ ')\n' ~ rows) %}
{% endmacro %}

{% macro spark__open_branch(port, place) %}
  {% do portmesh.execute_sql('alter table ' ~ port.relation ~ ' create branch ' ~ place.version) %}
{% endmacro %}

{# Iceberg's schema is of the table, not of a branch: a version that changes it waits for its verdict in a table beside. #}
{% macro spark__needs_new_table(port) %}
  {% set needed = portmesh.schema_changes(port, port.relation) %}
  {{ return(needed.changes | length > 0 or not needed.is_enough) }}
{% endmacro %}

{# Its rows are copied into the port. #}
{% macro spark__publishes_beside_as_it_is() %}{{ return(false) }}{% endmacro %}
