{% macro duckdb__list_versions(port) %}
  {% set query %}
    select name from (
      select database_name, schema_name, table_name as name from duckdb_tables()
      union all select database_name, schema_name, view_name from duckdb_views()
    )
    where database_name = '{{ port.relation.database }}' and schema_name = '{{ port.internal_schema }}'
      and starts_with(name, '{{ port.alias }}__')
  {% endset %}
  {% set found, taken = [], portmesh.tables_by_name() %}
  {% for name in portmesh.query(query).columns[0].values() if portmesh.is_version_of(port, name) %}
    {% if (port.internal_schema ~ '.' ~ name) | lower not in taken %}{% do found.append(name) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro duckdb__open_versions(ports) %}
  {% set views, found = portmesh._views_text(), {} %}
  {% for port in ports %}
    {% set versions = found.setdefault(port.reads_as, []) %}
    {% set held = portmesh._versions_in(port, views) %}
    {% for name in portmesh.list_versions(port) %}
      {% do versions.append({'name': name, 'kind': 'table', 'where': port.internal_schema ~ '.' ~ name, 'is_held': name in held}) %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# The SQL of every view but those that runs make beside an increment. #}
{% macro _views_text() %}
  {% set query %}
    select string_agg(sql, chr(10)) from duckdb_views() where not internal and not regexp_full_match(view_name, '.*__\d{8}_\d{6}_[0-9a-f]{6}__result')
  {% endset %}
  {{ return(portmesh.query(query).rows[0][0] or '') }}
{% endmacro %}

{% macro duckdb__drop_version(port, name) %}
  {% if name in portmesh._versions_in(port, portmesh._views_text()) %}{{ return(none) }}{% endif %}
  {% do portmesh.execute_sql('drop ' ~ ('view' if name.endswith('__result') else 'table') ~ ' if exists ' ~ portmesh.version_relation(port, name)) %}
{% endmacro %}

{# A view on versions of the port: what else may stand at its name is somebody's own. #}
{% macro duckdb__is_published_here(port) %}{{ return(portmesh._versions_in(port, portmesh._view_text(port)) | length > 0) }}{% endmacro %}

{# DuckDB keeps a view's SQL with the names that its author wrote: with the schema, or without it and then not that of a CTE. #}
{% macro duckdb__readers_of(port) %}
  {% set schema, name, found = modules.re.escape(port.relation.schema), modules.re.escape(port.alias), [] %}
  {% set query %}
    select schema_name, view_name, sql from duckdb_views()
    where not internal and database_name = '{{ port.relation.database }}'
      and (schema_name, view_name) <> ('{{ port.relation.schema }}', '{{ port.alias }}')
      and not (schema_name = '{{ port.internal_schema }}' and regexp_full_match(view_name, '.*__\d{8}_\d{6}_[0-9a-f]{6}__result'))
    order by 1, 2
  {% endset %}
  {% for row in portmesh.query(query).rows %}
    {% set names_port = modules.re.search('(?i)\\b"?' ~ schema ~ '"?\\."?' ~ name ~ '\\b(?!\\.)', row[2]) %}
    {% set names_bare = modules.re.search('(?i)\\b(from|join)\\s+"?' ~ name ~ '\\b(?!\\.)', row[2])
        and not modules.re.search('(?i)"?\\b' ~ name ~ '"?(\\s*\\([^)]*\\))?\\s+as\\s+(not\\s+)?(materialized\\s*)?\\(', row[2]) %}
    {% if names_port or names_bare or portmesh._versions_in(port, row[2]) %}{% do found.append('the view ' ~ row[0] ~ '.' ~ row[1]) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro duckdb__drop_port(port, versions, exists) %}
  {% if exists %}{% do portmesh.execute_sql('drop view ' ~ port.relation) %}{% endif %}
  {% for name in versions | sort(reverse=true) %}{% do portmesh.drop_version(port, name) %}{% endfor %}
{% endmacro %}

{# What neither the kept versions nor the candidate at hand need: older versions, leftovers of broken runs. #}
{% macro duckdb__drop_superseded_versions(port, history, place) %}
  {% set needed = portmesh.needed_versions(port, history.versions) + [place.version, place.version ~ '__result', place.version ~ '__replaced'] %}
  {% for name in portmesh.list_versions(port) if name not in needed %}{% do portmesh.drop_version(port, name) %}{% endfor %}
{% endmacro %}

{% macro duckdb__replace_table(relation, sql) %}
  {% set existing = load_relation(relation) %}
  {% if existing and existing.type != 'table' %}{% do adapter.drop_relation(existing) %}{% endif %}
  {% do portmesh.execute_sql('create or replace table ' ~ relation ~ ' as select * from (\n' ~ sql ~ '\n) as failing') %}
{% endmacro %}

{# As the text of a hook, which dbt runs and commits. #}
{% macro duckdb__make_records(schemas, records) %}
  {%- for schema in schemas -%}
  create schema if not exists {{ environment_schema(schema) }};
  {% endfor %}
  {%- for name, columns in records.items() -%}
  {%- set relation, names = portmesh.record_table(name), portmesh._column_names(portmesh.record_table(name)) -%}
  create table if not exists {{ relation }} ({{ portmesh.column_definitions(columns) }});
  {% for column, type in (portmesh.missing_columns(names, columns) if names else {}).items() -%}
  alter table {{ relation }} add column {{ column }} {{ portmesh.stored_type(type) }};
  {% endfor %}
  {%- endfor -%}
{% endmacro %}

{# By a statement that opens no transaction: a hook's own would be rolled back with it. #}
{% macro _column_names(relation) %}
  {% set query %}
    select column_name from duckdb_columns()
    where database_name = '{{ relation.database }}' and schema_name = '{{ relation.schema }}' and table_name = '{{ relation.identifier }}'
  {% endset %}
  {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}
