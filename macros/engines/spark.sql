{# Spark: a candidate is an Iceberg branch of the port, named after the run; publication moves main to it. #}

{% macro spark__engine_type(data_type) %}{{ return('timestamp_ntz' if data_type == 'timestamp' else data_type) }}{% endmacro %}

{% macro spark__stored_type(data_type) %}{{ return({'timestamp': 'timestamp_ntz', 'tinyint': 'int', 'smallint': 'int'}.get(data_type, data_type)) }}{% endmacro %}

{% macro spark__describe_query(sql) %}
  {% set columns = [] %}
  {% for row in portmesh.query('describe query select * from (\n' ~ sql ~ '\n) as described').rows %}
    {% do columns.append({'name': row['col_name'], 'type': row['data_type']}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{% macro spark__analyse_query(sql) %}{% do portmesh.describe_query(sql) %}{% endmacro %}

{% macro spark__is_iceberg_table(relation) %}{{ return(relation.is_iceberg) }}{% endmacro %}

{% macro spark__branch_relation(port) %}
  {{- return(api.Relation.create(schema=port.relation.schema, identifier=port.alias ~ '.branch_' ~ port.version, type='table')) -}}
{% endmacro %}

{% macro spark__published_pointer(port) %}{{ return(portmesh.current_snapshot(port)) }}{% endmacro %}

{% macro spark__current_snapshot(port) %}
  {{- return(portmesh.query("select snapshot_id from " ~ port.relation ~ ".refs where name = 'main'").rows[0][0] | int) -}}
{% endmacro %}

{% macro spark__list_snapshots(port) %}
  {% set ids = [] %}
  {% for row in portmesh.query('select snapshot_id from ' ~ port.relation ~ '.snapshots').rows %}{% do ids.append(row[0] | int) %}{% endfor %}
  {{ return(ids) }}
{% endmacro %}

{% macro spark__create_iceberg_table(relation, rows, home) %}
  {% set fields = portmesh.partition_fields(model) if home.identifier == model.get('alias') else [] %}
  {% do portmesh.execute_sql(
      'create table ' ~ relation ~ ' using iceberg ' ~ portmesh._spark_partitioning(fields)
      ~ " location '" ~ portmesh.new_location(home) ~ "'"
      ~ " tblproperties ('format-version' = '2') as\n" ~ rows) %}
{% endmacro %}

{% macro _spark_partitioning(fields) %}
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

{# Iceberg's schema is of the table, not of a branch: a version that changes it waits for its verdict in a table beside. #}
{% macro spark__changes_beside(port) %}{{ return(portmesh.schema_changes(port, port.relation) | length > 0) }}{% endmacro %}

{% macro spark__publish_changed(port) %}
  {% set beside, branch = port.whole, portmesh.branch_relation(port) %}
  {% do portmesh.evolve_schema(port.relation, portmesh.schema_changes(port, port.relation)) %}
  {% do portmesh.open_branch(port) %}
  {% do portmesh.overwrite_branch(port, branch, 'select ' ~ portmesh.column_list(port) ~ ' from ' ~ beside) %}
  {% do portmesh.publish_branch(port) %}
  {% do portmesh.drop_table(beside) %}
{% endmacro %}

{% macro spark__open_branch(port) %}
  {% do portmesh.execute_sql('alter table ' ~ port.relation ~ ' create branch ' ~ port.version) %}
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

{# Iceberg refuses this where main is not an ancestor of the branch, so two runs never lose each other's rows. #}
{% macro spark__publish_branch(port) %}
  {% do portmesh.execute_sql("call system.fast_forward('" ~ port.relation ~ "', 'main', '" ~ port.version ~ "')") %}
  {% do portmesh.execute_sql('alter table ' ~ port.relation ~ ' drop branch ' ~ port.version) %}
{% endmacro %}

{% macro spark__rename_table(from_relation, to_relation) %}
  {% do portmesh.execute_sql('alter table ' ~ from_relation ~ ' rename to ' ~ to_relation) %}
{% endmacro %}

{% macro spark__kept_rows(port, version) %}
  {{- return('(select * from ' ~ port.relation ~ ' version as of ' ~ version.snapshot_id | int ~ ')') -}}
{% endmacro %}

{% macro spark__restore_version(port, current, previous) %}
  {% do portmesh.execute_sql("call system.set_current_snapshot('" ~ port.relation ~ "', " ~ previous.snapshot_id | int ~ 'L)') %}
{% endmacro %}

{% macro spark__list_versions(port) %}
  {% set names = [] %}
  {% for row in portmesh.query('show tables in ' ~ port.internal_schema).rows %}{% do names.append(row['tableName']) %}{% endfor %}
  {% if load_relation(port.relation) %}
    {% for row in portmesh.query("select name from " ~ port.relation ~ ".refs where type = 'BRANCH' and name <> 'main'").rows %}
      {% do names.append(row[0]) %}
    {% endfor %}
  {% endif %}
  {% set found = [] %}
  {% for name in names if portmesh.is_version_of(port, name) %}{% do found.append(name) %}{% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro spark__drop_version(port, name) %}
  {% if portmesh.has_iceberg_table(port.relation) %}
    {% do portmesh.execute_sql('alter table ' ~ port.relation ~ ' drop branch if exists ' ~ name) %}
  {% endif %}
  {% do portmesh.drop_unless_shared(portmesh.version_relation(port, name)) %}
{% endmacro %}

{% macro spark__drop_table(relation) %}
  {% do portmesh.execute_sql('drop table if exists ' ~ relation ~ ' purge') %}
{% endmacro %}

{% macro spark__forget_table(relation) %}
  {% do portmesh.execute_sql('drop table if exists ' ~ relation) %}
{% endmacro %}

{% macro spark__storable_type(type) %}{{ return({'void': 'string'}.get(type, type)) }}{% endmacro %}

{% macro spark__word_buckets(key) %}
  {{- return({
      'key': 'shiftright(' ~ key ~ ', 6)', 'keys_in_a_row': 64,
      'holds_duplicates': 'count(*) <> bit_count(bit_or(shiftleft(1L, cast(' ~ key ~ ' & 63 as int))))'}) -}}
{% endmacro %}

{% macro spark__hash_buckets(key) %}{{ return({'key': 'xxhash64(' ~ key ~ ')', 'holds_duplicates': 'count(*) > 1'}) }}{% endmacro %}

{% macro spark__existing_schemas() %}{{ return(list_schemas(none).columns[0].values() | list) }}{% endmacro %}
