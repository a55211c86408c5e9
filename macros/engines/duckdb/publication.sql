{# DuckDB: switching to the new version, recording it and dropping old versions are one transaction, which
   build_output_port commits. Until then consumers read the version that they had. #}

{% macro duckdb__published_rows(port, version) %}
  {{ return(portmesh.version_relation(port, version.base)) }}
{% endmacro %}

{% macro duckdb__current_snapshot(port) %}{{ return(none) }}{% endmacro %}

{# Whether the port's view reads the recorded version. #}
{% macro duckdb__reads_as_recorded(port, current) %}
  {{ return(portmesh.duckdb__shown_versions(port) == [current.base]) }}
{% endmacro %}

{# The names of the versions that the port's view reads. #}
{% macro duckdb__shown_versions(port) %}
  {{ return(portmesh.duckdb__versions_in(port, portmesh.duckdb__view_text(port))) }}
{% endmacro %}

{% macro duckdb__view_text(port) %}
  {% set query %}
    select sql from duckdb_views()
    where database_name = '{{ port.relation.database }}' and schema_name = '{{ port.relation.schema }}'
      and view_name = '{{ port.alias }}'
  {% endset %}
  {{ return(portmesh.query(query).columns[0].values() | join('\n')) }}
{% endmacro %}

{# The names of the port's versions in a text of SQL. It compares the schema too, because another domain's port may have
   versions with the same names. #}
{% macro duckdb__versions_in(port, text) %}
  {% set found, name = [], modules.re.escape(port.alias) ~ portmesh.version_pattern() ~ '\\w*' %}
  {% for schema, name in modules.re.findall('(?<!\\w)(?:(\\w+)"?\\.)?"?(' ~ name ~ ')', text) %}
    {% if schema in ['', port.internal_schema] and name not in found %}{% do found.append(name) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro duckdb__publish_version(port, place, changes) %}
  {% if place.is_increment %}{% do portmesh._join_increment(port, place, changes) %}{% endif %}
  {% do portmesh._show_version(port, place.base) %}
{% endmacro %}

{% macro _join_increment(port, place, changes) %}
  {% set base = portmesh.version_relation(port, place.base) %}
  {% set replaced = portmesh.version_relation(port, place.version ~ '__replaced') %}
  {% do portmesh.execute_sql('drop view ' ~ place.result) %}
  {% for change in changes %}
    {% set name, type = adapter.quote(change.column), portmesh.stored_type(change.data_type) %}
    {% set action = 'add column ' ~ name ~ ' ' if change.change == 'add' else 'alter column ' ~ name ~ ' type ' %}
    {% do portmesh.execute_sql('alter table ' ~ base ~ ' ' ~ action ~ type) %}
  {% endfor %}
  {% if portmesh.count_rows(replaced) %}
    {% set shares_key = portmesh.shares_key(port, portmesh.quoted_names(port.unique_key), replaced) %}
    {% do portmesh.execute_sql('delete from ' ~ base ~ ' where ' ~ shares_key) %}
  {% endif %}
  {% do portmesh.execute_sql('insert into ' ~ base ~ ' by name select * from ' ~ place.candidate) %}
{% endmacro %}

{% macro _show_version(port, base) %}
  {% do portmesh.execute_sql('create or replace view ' ~ port.relation ~ ' as select ' ~ portmesh.column_list(port)
      ~ ' from ' ~ portmesh.version_relation(port, base)) %}
{% endmacro %}

{% macro duckdb__show_again(port, current) %}{% do portmesh._show_version(port, current.base) %}{% endmacro %}

{# The view must read the audited version, which must have as many rows as were counted. #}
{% macro duckdb__assert_published(port, place, row_count) %}
  {% set shown = portmesh.duckdb__shown_versions(port) %}
  {% set rows = portmesh.count_rows(port.relation) if shown == [place.base] else none %}
  {% if rows != row_count %}
    {% set now = 'a view on ' ~ (shown | join(', ') or 'something else') if rows is none
        else '{:,}'.format(rows) ~ ' rows of it' %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not published: a hook of the port, or someone else, changed it after its audit.\n\n'
        ~ '  audited   ' ~ '{:,}'.format(row_count) ~ ' rows of ' ~ place.base ~ '\n'
        ~ '  now       ' ~ now ~ '\n'
        ~ '  next      remove whatever writes to the port after its audit, then: '
        ~ portmesh.build_command(port.node)) %}
  {% endif %}
{% endmacro %}

{% macro duckdb__finish_publication(port, place) %}{% endmacro %}

{% macro duckdb__publish_shell(port) %}
  {% do portmesh.execute_sql('create view ' ~ port.relation ~ ' as select * from (select '
      ~ portmesh.columns_as_contracted(port, []) ~ ') as contract where false') %}
{% endmacro %}
