{% macro athena__create_iceberg_table(relation, rows, home, node) %}
  {% set fields = portmesh.partition_fields(node) if node else [] %}
  {% do portmesh.execute_sql(
      'create table ' ~ relation
      ~ " with (table_type = 'iceberg', is_external = false, format = 'parquet', location = '"
      ~ portmesh.iceberg__new_location(home) ~ "'" ~ portmesh._athena_partitioning(fields) ~ ') as\n'
      ~ (rows if not fields else 'select * from (\n' ~ rows ~ '\n) as rows_to_be where false')) %}
  {% if fields %}{% do portmesh.engine_macro('insert_rows')(node, relation, '', rows, none) %}{% endif %}
{% endmacro %}

{% macro _athena_partitioning(fields) %}
  {%- set texts = [] -%}
  {%- for field in fields -%}
    {%- set arguments = field.column | lower ~ (', ' ~ field.size if field.size else '') -%}
    {%- set text = arguments if field.transform == 'identity' else field.transform ~ '(' ~ arguments ~ ')' -%}
    {%- do texts.append("'" ~ text ~ "'") -%}
  {%- endfor -%}
  {{- return(', partitioning = array[' ~ texts | join(', ') ~ ']' if texts else '') -}}
{% endmacro %}

{# Athena writes at most 100 partitions in one statement, so more are written in groups. The rows come from the table
   `stored`, or from a table created for this, so that every statement sees the same rows. #}
{% macro athena__insert_rows(node, relation, columns, rows, stored) %}
  {% set insert, fields = 'insert into ' ~ relation ~ columns ~ '\n', portmesh.partition_fields(node) %}
  {% set key, at_once = portmesh._partition_key(node, fields), portmesh._partitions_at_once(fields) %}
  {% set distinct = 'select distinct ' ~ key ~ ' from (\n' ~ rows ~ '\n) as rows_to_be' %}
  {% set keys = portmesh.query(distinct).columns[0].values() | list if key else [] %}
  {% if keys | length <= at_once %}
    {% do portmesh.execute_sql(insert ~ rows) %}
  {% else %}
    {% set source = stored or relation.incorporate(path={'identifier': relation.identifier ~ '__rows'}) %}
    {% if not stored %}{% do portmesh.engine_macro('create_iceberg_table')(source, rows, source, none) %}{% endif %}
    {% for group in keys | sort | batch(at_once) %}
      {% set condition = key ~ ' in ' ~ portmesh.literal_row(group) %}
      {% do portmesh.execute_sql(insert ~ 'select * from ' ~ source ~ ' where ' ~ condition) %}
    {% endfor %}
    {% if not stored %}{% do portmesh.engine_macro('drop_table')(source) %}{% endif %}
  {% endif %}
{% endmacro %}

{# The number of partition keys (_partition_key) in one statement. Each may be spread over all buckets. #}
{% macro _partitions_at_once(fields) %}
  {% set buckets = namespace(product=1) %}
  {% for field in fields if field.transform == 'bucket' %}
    {% set buckets.product = buckets.product * field.size %}
  {% endfor %}
  {{ return(100 // buckets.product) }}
{% endmacro %}

{# SQL for a text that differs for each partition; a null is not an empty text. It leaves out buckets, because SQL
   cannot compute their numbers. #}
{% macro _partition_key(node, fields) %}
  {%- set types, parts = {}, [] -%}
  {%- for column in node.columns.values() -%}
    {%- do types.update({column.name: column.data_type | lower}) -%}
  {%- endfor -%}
  {%- for field in fields if field.transform != 'bucket' -%}
    {%- set column = adapter.quote(field.column) -%}
    {%- if field.transform == 'truncate' -%}
      {%- set value = 'substr(' ~ column ~ ', 1, ' ~ field.size ~ ')' if types[field.column] == 'string'
          else column ~ ' - ((' ~ column ~ ' % ' ~ field.size ~ ') + ' ~ field.size ~ ') % ' ~ field.size -%}
    {%- else -%}
      {%- set truncated = "date_trunc('" ~ field.transform ~ "', " ~ column ~ ')' -%}
      {%- set value = column if field.transform == 'identity' else truncated -%}
    {%- endif -%}
    {%- do parts.append("coalesce('=' || cast(" ~ value ~ " as varchar), '')") -%}
  {%- endfor -%}
  {{- return(parts | join(" || '|' || ")) -}}
{% endmacro %}

{# `table` comes from record_tables. #}
{% macro athena__create_record_table(table) %}
  {% set relation = table.relation %}
  {% if table.rows %}
    {% do portmesh.engine_macro('create_iceberg_table')(relation, table.rows, relation, none) %}
  {% else %}
    {% do portmesh.execute_sql(
        'create table if not exists ' ~ relation.render_hive() ~ ' (' ~ portmesh.column_definitions(table.columns)
        ~ ") location '" ~ portmesh.iceberg__new_location(relation) ~ "' tblproperties ('table_type' = 'ICEBERG')") %}
  {% endif %}
{% endmacro %}

{# `change` comes from changed_columns: a column to add or widen. #}
{% macro athena__change_column(relation, change) %}
  {% set name, type = '`' ~ change.column ~ '`', portmesh.stored_type(change.data_type) %}
  {% set action = 'add columns (' ~ name ~ ' ' ~ type ~ ')' if change.change == 'add'
      else 'change column ' ~ name ~ ' ' ~ name ~ ' ' ~ type %}
  {% do portmesh.execute_sql('alter table ' ~ relation.render_hive() ~ ' ' ~ action) %}
{% endmacro %}
