{% macro duckdb__list_versions(port) %}
  {% set query %}
    select name from (
      select database_name, schema_name, table_name as name from duckdb_tables()
      union all select database_name, schema_name, view_name from duckdb_views()
    )
    where database_name = '{{ port.relation.database }}' and schema_name = '{{ port.internal_schema }}'
      and starts_with(name, '{{ port.alias }}__')
  {% endset %}
  {{ return(portmesh.versions_among(port, portmesh.query(query).columns[0].values())) }}
{% endmacro %}

{% macro duckdb__open_versions(ports) %}
  {% set views, found = portmesh._views_text(), {} %}
  {% for port in ports %}
    {% set versions, held = found.setdefault(port.reads_as, []), portmesh.duckdb__versions_in(port, views) %}
    {% for name in portmesh.list_versions(port) %}
      {% set where = port.internal_schema ~ '.' ~ name %}
      {% do versions.append({'name': name, 'kind': 'table', 'where': where, 'is_held': name in held}) %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro duckdb__tables_with_snapshots(port, snapshot_ids) %}{{ return([]) }}{% endmacro %}

{# The SQL of all views, except those that runs create for an increment's result. #}
{% macro _views_text() %}
  {% set query %}
    select string_agg(sql, chr(10)) from duckdb_views() where not internal and not {{ portmesh._is_result_view() }}
  {% endset %}
  {{ return(portmesh.query(query).rows[0][0] or '') }}
{% endmacro %}

{% macro _is_result_view() %}
  {{- return("regexp_full_match(view_name, '.*" ~ portmesh.version_pattern() ~ "__result')") -}}
{% endmacro %}

{% macro duckdb__drop_version(port, name) %}
  {% if name not in portmesh.duckdb__versions_in(port, portmesh._views_text()) %}
    {% set kind = 'view' if name.endswith('__result') else 'table' %}
    {% do portmesh.execute_sql('drop ' ~ kind ~ ' if exists ' ~ portmesh.version_relation(port, name)) %}
  {% endif %}
{% endmacro %}

{# Only a view on versions of the port counts; another relation with its name belongs to someone else. #}
{% macro duckdb__is_published_here(port) %}
  {{ return(portmesh.duckdb__shown_versions(port) | length > 0) }}
{% endmacro %}

{# DuckDB stores a view's SQL as its author wrote it. The port's name may have its schema or not; without one, it must
   not be the name of a CTE. #}
{% macro duckdb__readers_of(port) %}
  {% set schema, name, found = modules.re.escape(port.relation.schema), modules.re.escape(port.alias), [] %}
  {% set with_schema = '(?i)\\b"?' ~ schema ~ '"?\\."?' ~ name ~ '\\b(?!\\.)' %}
  {% set without = '(?i)\\b(from|join)\\s+"?' ~ name ~ '\\b(?!\\.)' %}
  {% set of_cte = '(?i)"?\\b' ~ name ~ '"?(\\s*\\([^)]*\\))?\\s+as\\s+(not\\s+)?(materialized\\s*)?\\(' %}
  {% set query %}
    select schema_name, view_name, sql from duckdb_views()
    where not internal and database_name = '{{ port.relation.database }}'
      and (schema_name, view_name) <> ('{{ port.relation.schema }}', '{{ port.alias }}')
      and not (schema_name = '{{ port.internal_schema }}' and {{ portmesh._is_result_view() }})
    order by 1, 2
  {% endset %}
  {% for schema, view, sql in portmesh.query(query).rows %}
    {% set reads_name = modules.re.search(without, sql) and not modules.re.search(of_cte, sql) %}
    {% if modules.re.search(with_schema, sql) or reads_name or portmesh.duckdb__versions_in(port, sql) %}
      {% do found.append('the view ' ~ schema ~ '.' ~ view) %}
    {% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro duckdb__drop_port(port, versions, exists) %}
  {% if exists %}{% do portmesh.execute_sql('drop view ' ~ port.relation) %}{% endif %}
  {% for name in versions | sort(reverse=true) %}{% do portmesh.drop_version(port, name) %}{% endfor %}
{% endmacro %}

{# Drops what neither the kept versions nor the current candidate need: older versions and leftovers of failed runs. #}
{% macro duckdb__drop_superseded_versions(port, history, place) %}
  {% set version = place.version %}
  {% set needed = portmesh.needed_versions(port, history.versions)
      + [version, version ~ '__result', version ~ '__replaced'] %}
  {% for name in portmesh.list_versions(port) if name not in needed %}
    {% do portmesh.drop_version(port, name) %}
  {% endfor %}
{% endmacro %}

{% macro duckdb__replace_table(relation, sql) %}
  {% set existing = load_relation(relation) %}
  {% if existing and existing.type != 'table' %}{% do adapter.drop_relation(existing) %}{% endif %}
  {% do portmesh.execute_sql(
      'create or replace table ' ~ relation ~ ' as select * from (\n' ~ sql ~ '\n) as failing') %}
{% endmacro %}

{# Returns the SQL for a hook, which dbt runs and commits. #}
{% macro duckdb__make_records(schemas, tables) %}
  {%- for schema in schemas -%}
  create schema if not exists {{ environment_schema(schema) }};
  {% endfor %}
  {%- for table in tables -%}
  create table if not exists {{ table.relation }}
  {{ 'as ' ~ table.rows if table.rows else '(' ~ portmesh.column_definitions(table.columns) ~ ')' }};
  {% set names = portmesh.table_columns(table.relation) | map(attribute='name') | list if table.exists else none %}
  {%- for column, type in table.columns.items() if names and column not in names -%}
  alter table {{ table.relation }} add column {{ column }} {{ portmesh.stored_type(type) }};
  {% endfor %}
  {%- endfor -%}
{% endmacro %}
