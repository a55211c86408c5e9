{% macro duckdb__engine_type(data_type) %}{{ return(data_type) }}{% endmacro %}
{% macro duckdb__stored_type(data_type) %}{{ return(data_type) }}{% endmacro %}
{% macro duckdb__is_of_type(type, wanted) %}{{ return(type == wanted) }}{% endmacro %}
{% macro duckdb__table_name(name) %}{{ return(name) }}{% endmacro %}

{% macro duckdb__described_type(data_type) %}
  {{- return({'string': 'VARCHAR', 'int': 'INTEGER'}.get(data_type, data_type | upper | replace(' ', ''))) -}}
{% endmacro %}

{% macro duckdb__portable_type(type) %}
  {{- return({'VARCHAR': 'string', 'INTEGER': 'int'}.get(type, type | lower)) -}}
{% endmacro %}

{% macro duckdb__text_literal(value) %}
  {{- return("'" ~ value | string | replace("'", "''") ~ "'") -}}
{% endmacro %}

{% macro duckdb__describe_query(sql) %}
  {% set columns = [] %}
  {% for row in portmesh.query('describe select * from (\n' ~ sql ~ '\n) as described').rows %}
    {% do columns.append({'name': row['column_name'], 'type': row['column_type']}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{# This and the next macros use run_query because hooks may call them at the start of a run. A statement that opened a
   transaction would make dbt roll back what the hook creates. #}
{% macro duckdb__table_columns(relation) %}
  {% set columns = [] %}
  {% for row in run_query('describe ' ~ relation).rows %}
    {% do columns.append({'name': row['column_name'], 'type': row['column_type']}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{% macro duckdb__tables_in(schema) %}
  {% set query %}
    select table_name from duckdb_tables()
    where database_name = '{{ target.database }}' and schema_name = '{{ schema }}'
  {% endset %}
  {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}

{% macro duckdb__existing_schemas() %}
  {{ return(run_query('select distinct schema_name from duckdb_schemas()').columns[0].values() | list) }}
{% endmacro %}

{% macro duckdb__analyse_query(sql) %}{% do portmesh.query('explain ' ~ sql) %}{% endmacro %}

{# The bytes that this connection has read from files, from DuckDB's log (settings in profiles.yml). Data that is
   already in memory does not count. #}
{% macro duckdb__bytes_read_so_far() %}
  {% set query %}
    select sum(regexp_extract(message, '''value'': (\d+)', 1)::bigint)
    from duckdb_logs
    where type = 'Metrics' and connection_id = current_connection_id()
      and starts_with(message, '{''metric'': io.total_bytes_read')
  {% endset %}
  {% set read = run_query(query).rows[0][0] %}
  {{ return(read | int if read is not none else none) }}
{% endmacro %}
