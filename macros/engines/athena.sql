{# Athena: a candidate is a second Glue name on the port's own Iceberg metadata; publication is one Glue UpdateTable that
   moves the port to it. Two names that share files are never dropped by DROP TABLE, which would take the files along. #}

{% macro athena__engine_type(data_type) %}
  {{- return({'string': 'varchar', 'timestamp': 'timestamp(6)', 'int': 'integer'}.get(data_type, data_type)) -}}
{% endmacro %}

{# In DDL, Athena has Hive's names. #}
{% macro athena__stored_type(data_type) %}{{ return({'tinyint': 'int', 'smallint': 'int'}.get(data_type, data_type)) }}{% endmacro %}

{# typeof() is a constant: one statement gives the names, one the exact types, and neither reads a row. #}
{% macro athena__describe_query(sql) %}
  {% set names = portmesh.query('select * from (\n' ~ sql ~ '\n) as described limit 0').column_names %}
  {% set places, types = portmesh.column_places(names), [] %}
  {% for place in places %}{% do types.append('typeof(' ~ place ~ ')') %}{% endfor %}
  {% set row = portmesh.query(
      'select ' ~ types | join(', ') ~ ' from (select 1) as one left join (select * from (\n' ~ sql
      ~ '\n) as model where false) as described (' ~ places | join(', ') ~ ') on true').rows[0] %}
  {% set columns = [] %}
  {% for name in names %}{% do columns.append({'name': name, 'type': row[loop.index0]}) %}{% endfor %}
  {{ return(columns) }}
{% endmacro %}

{# Glue has them in Hive's names. #}
{% macro athena__table_columns(relation) %}
  {% set names = {'string': 'varchar', 'int': 'integer', 'float': 'real', 'timestamp': 'timestamp(6)'} %}
  {% set columns = [] %}
  {% for column in adapter.get_columns_in_relation(relation) %}
    {% do columns.append({'name': column.name, 'type': names.get(column.dtype, column.dtype)}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{% macro athena__analyse_query(sql) %}{% do portmesh.query('explain ' ~ sql) %}{% endmacro %}

{% macro athena__is_iceberg_table(relation) %}
  {{- return((adapter.get_glue_table(relation)['Table'].get('Parameters') or {}).get('table_type', '') | lower == 'iceberg') -}}
{% endmacro %}

{% macro athena__branch_relation(port) %}{{ return(portmesh.version_relation(port, port.version)) }}{% endmacro %}

{% macro athena__published_pointer(port) %}
  {{- return(adapter.get_glue_table(port.relation)['Table']['Parameters']['metadata_location']) -}}
{% endmacro %}

{% macro athena__current_snapshot(port) %}
  {{- return(portmesh.query("select snapshot_id from " ~ portmesh.metadata_table(port.relation, 'refs') ~ " where name = 'main'").rows[0][0] | int) -}}
{% endmacro %}

{% macro athena__list_snapshots(port) %}
  {% set ids = [] %}
  {% for row in portmesh.query('select snapshot_id from ' ~ portmesh.metadata_table(port.relation, 'snapshots')).rows %}{% do ids.append(row[0] | int) %}{% endfor %}
  {{ return(ids) }}
{% endmacro %}

{% macro metadata_table(relation, name) %}
  {{- return(relation.incorporate(path={'identifier': relation.identifier ~ '$' ~ name})) -}}
{% endmacro %}

{% macro athena__create_iceberg_table(relation, rows, home) %}
  {% set fields = portmesh.partition_fields(model) if home.identifier == model.get('alias') else [] %}
  {% do portmesh.execute_sql(
      'create table ' ~ relation ~ " with (table_type = 'iceberg', is_external = false, format = 'parquet', location = '"
      ~ portmesh.new_location(home) ~ "'" ~ portmesh._athena_partitioning(fields) ~ ') as\n'
      ~ (rows if not fields else 'select * from (\n' ~ rows ~ '\n) as rows_to_be where false')) %}
  {% if fields %}{% do portmesh.insert_rows(model, relation, '', rows, none) %}{% endif %}
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
      {% for text in group %}{% do texts.append(portmesh._literal(text)) %}{% endfor %}
      {% do portmesh.execute_sql('insert into ' ~ relation ~ columns ~ '\nselect * from ' ~ source ~ ' where ' ~ key ~ ' in (' ~ texts | join(', ') ~ ')') %}
    {% endfor %}
    {% if not stored %}{% do portmesh.drop_table(source) %}{% endif %}
  {% endif %}
{% endmacro %}

{# A text that is another for each partition; buckets aside, whose numbers SQL cannot tell. #}
{% macro _partition_key(node, fields) %}
  {%- set types, parts = {}, [] -%}
  {%- for column in node.columns.values() -%}{%- do types.update({column.name: column.data_type}) -%}{%- endfor -%}
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

{# A second name has metadata, and so columns, of its own. #}
{% macro athena__changes_beside(port) %}{{ return(false) }}{% endmacro %}

{# A Glue name comes only by CREATE TABLE, so a placeholder is made and turned to the port's metadata. #}
{% macro athena__open_branch(port) %}
  {% set changes = portmesh.schema_changes(port, port.relation) %}
  {% do portmesh.open_second_name(port) %}
  {% do portmesh.evolve_schema(port.whole, changes) %}
{% endmacro %}

{% macro open_second_name(port) %}
  {% set placeholder = portmesh.new_location(port.whole) %}
  {% do portmesh.execute_sql('create table ' ~ port.whole.render_hive() ~ " (placeholder int) location '" ~ placeholder ~ "' tblproperties ('table_type' = 'ICEBERG')") %}
  {% do adapter.swap_table(port.relation, port.whole) %}
  {% do adapter.delete_from_s3(placeholder) %}
{% endmacro %}

{% macro athena__add_column(relation, name, data_type) %}
  {% do portmesh.execute_sql('alter table ' ~ relation.render_hive() ~ ' add columns (`' ~ name ~ '` ' ~ portmesh.stored_type(data_type) ~ ')') %}
{% endmacro %}

{% macro athena__widen_column(relation, name, data_type) %}
  {% do portmesh.execute_sql('alter table ' ~ relation.render_hive() ~ ' change column `' ~ name ~ '` `' ~ name ~ '` ' ~ portmesh.stored_type(data_type)) %}
{% endmacro %}

{% macro athena__overwrite_branch(port, branch, rows) %}
  {% do portmesh.execute_sql('delete from ' ~ branch) %}
  {% do portmesh.insert_rows(port.node, branch, ' (' ~ portmesh.column_list(port) ~ ')', rows, none) %}
{% endmacro %}

{% macro athena__publish_branch(port) %}
  {% do adapter.swap_table(port.whole, port.relation) %}
  {% do adapter.delete_from_glue_catalog(port.whole) %}
{% endmacro %}

{% macro athena__rename_table(from_relation, to_relation) %}
  {% do portmesh.execute_sql('alter table ' ~ from_relation.render_hive() ~ ' rename to ' ~ to_relation.render_hive()) %}
{% endmacro %}

{% macro athena__kept_rows(port, version) %}
  {{- return('(select * from ' ~ port.relation ~ ' for version as of ' ~ version.snapshot_id | int ~ ')') -}}
{% endmacro %}

{# Athena cannot move a table back to a snapshot, so the kept rows are written once more, as a version like any other. #}
{% macro athena__restore_version(port, current, previous) %}
  {% do portmesh.place_candidate(port, current, false) %}
  {% do portmesh.open_second_name(port) %}
  {% do portmesh.overwrite_branch(port, port.whole, 'select ' ~ portmesh.column_list(port) ~ ' from ' ~ portmesh.kept_rows(port, previous)) %}
  {% do portmesh.publish_version(port) %}
{% endmacro %}

{% macro athena__list_versions(port) %}
  {% set found = [] %}
  {% for relation in adapter.list_relations_without_caching(api.Relation.create(database=port.relation.database, schema=port.internal_schema)) %}
    {% if portmesh.is_version_of(port, relation.identifier) %}{% do found.append(relation.identifier) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro athena__drop_version(port, name) %}
  {% do portmesh.drop_unless_shared(portmesh.version_relation(port, name)) %}
{% endmacro %}

{% macro athena__drop_table(relation) %}
  {% set location = adapter.get_glue_table_location(relation) %}
  {% do portmesh.forget_table(relation) %}
  {% if location %}{% do adapter.delete_from_s3(location) %}{% endif %}
{% endmacro %}

{% macro athena__forget_table(relation) %}
  {% do adapter.delete_from_glue_catalog(relation) %}
{% endmacro %}

{% macro athena__storable_type(type) %}
  {% if type.startswith('timestamp') %}{{ return('timestamp(6)') }}{% endif %}
  {{ return({'tinyint': 'integer', 'smallint': 'integer', 'json': 'varchar', 'unknown': 'varchar'}.get(type, type)) }}
{% endmacro %}

{% macro athena__word_buckets(key) %}
  {%- set bit = 'bitwise_left_shift(bigint \'1\', cast(bitwise_and(cast(' ~ key ~ ' as bigint), 63) as integer))' -%}
  {{- return({
      'key': 'bitwise_right_shift_arithmetic(cast(' ~ key ~ ' as bigint), 6)', 'keys_in_a_row': 64,
      'holds_duplicates': 'count(*) <> bit_count(bitwise_or_agg(' ~ bit ~ '), 64)'}) -}}
{% endmacro %}

{% macro athena__hash_buckets(key) %}
  {{- return({'key': 'from_big_endian_64(xxhash64(to_utf8(' ~ key ~ ')))', 'holds_duplicates': 'count(*) > 1'}) -}}
{% endmacro %}

{% macro athena__existing_schemas() %}{{ return(adapter.list_schemas(target.database)) }}{% endmacro %}
