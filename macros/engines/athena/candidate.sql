{# Athena: a candidate is a second Glue name on the port's own Iceberg metadata; publication is one Glue UpdateTable that
   moves the port to it. Two names that share files are never dropped by DROP TABLE, which would take the files along. #}

{% macro athena__is_iceberg_table(relation) %}
  {{- return((adapter.get_glue_table(relation)['Table'].get('Parameters') or {}).get('table_type', '') | lower == 'iceberg') -}}
{% endmacro %}

{% macro athena__branch_relation(port, version) %}{{ return(portmesh.version_relation(port, version)) }}{% endmacro %}

{% macro athena__create_iceberg_table(relation, rows, home) %}
  {% set node = portmesh.port_node_at(home) %}
  {% set fields = portmesh.partition_fields(node) if node else [] %}
  {% do portmesh.execute_sql(
      'create table ' ~ relation ~ " with (table_type = 'iceberg', is_external = false, format = 'parquet', location = '"
      ~ portmesh.new_location(home) ~ "'" ~ portmesh._athena_partitioning(fields) ~ ') as\n'
      ~ (rows if not fields else 'select * from (\n' ~ rows ~ '\n) as rows_to_be where false')) %}
  {% if fields %}{% do portmesh.engine_macro('insert_rows')(node, relation, '', rows, none) %}{% endif %}
{% endmacro %}

{% macro _athena_partitioning(fields) %}
  {%- set texts = [] -%}
  {%- for field in fields -%}
    {%- set arguments = field.column | lower ~ (', ' ~ field.size if field.size else '') -%}
    {%- do texts.append("'" ~ (arguments if field.transform == 'identity' else field.transform ~ '(' ~ arguments ~ ')') ~ "'") -%}
  {%- endfor -%}
  {{- return(', partitioning = array[' ~ texts | join(', ') ~ ']' if texts else '') -}}
{% endmacro %}

{# Athena writes at most 100 partitions a statement, so rows of more go by groups of partitions: from the table `stored`
   that holds them, or one that is made of them, so that each statement sees the same rows. #}
{% macro athena__insert_rows(node, relation, columns, rows, stored) %}
  {% set fields = portmesh.partition_fields(node) %}
  {% set buckets = namespace(product=1) %}
  {% for field in fields if field.transform == 'bucket' %}{% set buckets.product = buckets.product * field.size %}{% endfor %}
  {% set key, at_once = portmesh._partition_key(node, fields), 100 // buckets.product %}
  {% set keys = portmesh.query('select distinct ' ~ key ~ ' from (\n' ~ rows ~ '\n) as rows_to_be').columns[0].values() | list if key else [] %}
  {% if keys | length <= at_once %}
    {% do portmesh.execute_sql('insert into ' ~ relation ~ columns ~ '\n' ~ rows) %}
  {% else %}
    {% set source = stored or relation.incorporate(path={'identifier': relation.identifier ~ '__rows'}) %}
    {% if not stored %}{% do portmesh.create_iceberg_table(source, rows, source) %}{% endif %}
    {% for group in keys | sort | batch(at_once) %}
      {% set texts = [] %}
      {% for text in group %}{% do texts.append(portmesh.literal(text)) %}{% endfor %}
      {% do portmesh.execute_sql('insert into ' ~ relation ~ columns ~ '\nselect * from ' ~ source ~ ' where ' ~ key ~ ' in (' ~ texts | join(', ') ~ ')') %}
    {% endfor %}
    {% if not stored %}{% do portmesh.drop_table(source) %}{% endif %}
  {% endif %}
{% endmacro %}

{# A text that is another for each partition; buckets aside, whose numbers SQL cannot tell. #}
{% macro _partition_key(node, fields) %}
  {%- set types, parts = {}, [] -%}
  {%- for column in node.columns.values() -%}{%- do types.update({column.name: column.data_type | lower}) -%}{%- endfor -%}
  {%- for field in fields if field.transform != 'bucket' -%}
    {%- set column = adapter.quote(field.column) -%}
    {%- if field.transform == 'truncate' -%}
      {%- set value = 'substr(' ~ column ~ ', 1, ' ~ field.size ~ ')' if types[field.column] == 'string'
          else column ~ ' - ((' ~ column ~ ' % ' ~ field.size ~ ') + ' ~ field.size ~ ') % ' ~ field.size -%}
    {%- else -%}
      {%- set value = column if field.transform == 'identity' else "date_trunc('" ~ field.transform ~ "', " ~ column ~ ')' -%}
    {%- endif -%}
    {%- do parts.append("coalesce(cast(" ~ value ~ " as varchar), '')") -%}
  {%- endfor -%}
  {{- return(parts | join(" || '|' || ")) -}}
{% endmacro %}

{% macro athena__create_record_table(relation, columns) %}
  {% do portmesh.execute_sql(
      'create table if not exists ' ~ relation.render_hive() ~ ' (' ~ portmesh.column_definitions(columns) ~ ')'
      ~ " location '" ~ portmesh.lake_location(relation.schema) ~ '/' ~ relation.identifier ~ "' tblproperties ('table_type' = 'ICEBERG')") %}
{% endmacro %}

{% macro athena__add_column(relation, name, data_type) %}
  {% do portmesh.execute_sql('alter table ' ~ relation.render_hive() ~ ' add columns (`' ~ name ~ '` ' ~ portmesh.stored_type(data_type) ~ ')') %}
{% endmacro %}

{% macro athena__widen_column(relation, name, data_type) %}
  {% do portmesh.execute_sql('alter table ' ~ relation.render_hive() ~ ' change column `' ~ name ~ '` `' ~ name ~ '` ' ~ portmesh.stored_type(data_type)) %}
{% endmacro %}

{% macro athena__overwrite_branch(port, branch, rows) %}
  {% do portmesh.execute_sql('delete from ' ~ branch) %}
  {% do portmesh.engine_macro('insert_rows')(port.node, branch, ' (' ~ portmesh.column_list(port) ~ ')', rows, none) %}
{% endmacro %}

{# A second name has metadata, and so columns, of its own: what cannot be added or widened there needs another table. #}
{% macro athena__needs_new_table(port) %}{{ return(not portmesh.schema_changes(port, port.relation).is_enough) }}{% endmacro %}

{% macro athena__publishes_beside_as_it_is() %}{{ return(true) }}{% endmacro %}

{# A Glue name comes only by CREATE TABLE, so a placeholder is made and turned to the port's metadata. #}
{% macro athena__open_branch(port, place) %}
  {% set needed = portmesh.schema_changes(port, port.relation) %}
  {% do portmesh.open_second_name(port, place) %}
  {% for change, name, data_type in needed.changes %}{% do change(place.result, name, data_type) %}{% endfor %}
{% endmacro %}

{% macro open_second_name(port, place) %}
  {% set placeholder = portmesh.new_location(place.result) %}
  {% do portmesh.execute_sql('create table ' ~ place.result.render_hive() ~ " (placeholder int) location '" ~ placeholder ~ "' tblproperties ('table_type' = 'ICEBERG')") %}
  {% do adapter.swap_table(port.relation, place.result) %}
  {% do adapter.delete_from_s3(placeholder) %}
{% endmacro %}
