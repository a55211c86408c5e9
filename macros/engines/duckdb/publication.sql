{# DuckDB: the switch, its records and the dropping of old versions are one transaction, which ends with the commit of
   build_output_port. Until then consumers read the version that they had. #}

{% macro duckdb__publish_version(port, place, changes) %}
  {% if place.is_increment %}{% do portmesh._join_increment(port, place, changes) %}{% endif %}
  {% do portmesh._show_version(port, place.base) %}
{% endmacro %}

{% macro _join_increment(port, place, changes) %}
  {% set base, replaced = portmesh.version_relation(port, place.base), portmesh._replaced(port, place) %}
  {% set names = portmesh.quoted_names(port.unique_key) | join(', ') %}
  {% do portmesh.execute_sql('drop view ' ~ place.result) %}
  {% for change in changes %}
    {% set column, type = adapter.quote(change.column), portmesh.stored_type(change.data_type) %}
    {% set action = 'add column ' ~ column ~ ' ' if change.change == 'add' else 'alter column ' ~ column ~ ' type ' %}
    {% do portmesh.execute_sql('alter table ' ~ base ~ ' ' ~ action ~ type) %}
  {% endfor %}
  {% if portmesh.count_rows(replaced) %}
    {% set shares_key = portmesh.shares_key(port, portmesh.quoted_names(port.unique_key), replaced) %}
    {% do portmesh.execute_sql('delete from ' ~ base ~ ' where ' ~ shares_key) %}
  {% endif %}
  {% do portmesh.execute_sql('insert into ' ~ base ~ ' by name select * from ' ~ place.candidate) %}
{% endmacro %}

{% macro _show_version(port, base) %}
  {% do portmesh.execute_sql('create or replace view ' ~ port.relation ~ ' as select ' ~ portmesh.column_list(port) ~ ' from ' ~ portmesh.version_relation(port, base)) %}
{% endmacro %}

{% macro duckdb__show_again(port, current) %}{% do portmesh._show_version(port, current.base) %}{% endmacro %}

{# The view must name the version that was audited, and that must hold as many rows as were counted. #}
{% macro duckdb__assert_published(port, place, row_count) %}
  {% set shown = portmesh._versions_in(port, portmesh._view_text(port)) %}
  {% set rows = portmesh.count_rows(port.relation) if shown == [place.base] else none %}
  {% if rows != row_count %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not published: what its readers would see is not what was audited; a hook of the port, or somebody else, has changed it.\n\n'
        ~ '  audited   ' ~ '{:,}'.format(row_count) ~ ' rows of ' ~ place.base
        ~ '\n  now       ' ~ ('{:,}'.format(rows) ~ ' rows of it' if rows is not none else 'a view on ' ~ (shown | join(', ') or 'something else'))
        ~ '\n  next      take out what writes to the port after its audit, then: dbt build --select ' ~ port.node.name ~ '+') %}
  {% endif %}
{% endmacro %}

{% macro duckdb__finish_publication(port, place) %}{% endmacro %}

{% macro duckdb__publish_shell(port) %}
  {% do portmesh.execute_sql('create view ' ~ port.relation ~ ' as select * from (' ~ portmesh.contract_query(port) ~ ') as contract where false') %}
{% endmacro %}

{% macro duckdb__can_restore(port, history) %}
  {% set kept, current, previous = portmesh.list_versions(port), history.versions[0], history.versions[1] %}
  {{ return(previous.base in kept and (current.kind != 'increment' or current.version ~ '__replaced' in kept)) }}
{% endmacro %}

{# The version before: the rows of another table, or those of the same one with the increment taken out again. #}
{% macro duckdb__kept_rows(port, current, previous) %}
  {% set base = portmesh.version_relation(port, previous.base) %}
  {% if not portmesh._is_increment_on(current, previous) %}{{ return(base) }}{% endif %}
  {{ return('(select * from ' ~ base ~ ' where (' ~ portmesh._is_of_increment(port, current) ~ ') is not true'
      ~ ' union all by name select * from ' ~ portmesh.version_relation(port, current.version ~ '__replaced') ~ ')') }}
{% endmacro %}

{# By the key that the increment was published with. #}
{% macro _is_of_increment(port, version) %}
  {% set key = (fromjson(version.contract or '{}') or {}).get('unique_key') or port.unique_key %}
  {{ return(portmesh.shares_key(port, portmesh.quoted_names(key), portmesh.version_relation(port, version.version))) }}
{% endmacro %}

{# The same version twice: what consumers read now is none of the records. #}
{% macro _is_increment_on(current, previous) %}
  {{ return(current.base == previous.base and current.version != previous.version) }}
{% endmacro %}

{# What the increment added to the table or made wider becomes as the version before had it. #}
{% macro _take_columns_back(base, columns, columns_before) %}
  {% set types = {} %}
  {% for column in columns_before %}{% do types.update({column.name | lower: column.data_type}) %}{% endfor %}
  {% for column in columns if types %}
    {% set name, type = adapter.quote(column.name), types.get(column.name | lower) %}
    {% if not type %}
      {% do portmesh.execute_sql('alter table ' ~ base ~ ' drop column ' ~ name) %}
    {% elif portmesh.stored_type(type) != portmesh.stored_type(column.data_type) %}
      {% do portmesh.execute_sql('alter table ' ~ base ~ ' alter column ' ~ name ~ ' type ' ~ portmesh.stored_type(type)) %}
    {% endif %}
  {% endfor %}
{% endmacro %}

{% macro duckdb__restore_version(port, current, previous) %}
  {% set base = portmesh.version_relation(port, previous.base) %}
  {% if portmesh._is_increment_on(current, previous) %}
    {% do portmesh.execute_sql('delete from ' ~ base ~ ' where ' ~ portmesh._is_of_increment(port, current)) %}
    {% do portmesh._take_columns_back(base, fromjson(current.contract or '{}').columns or [], fromjson(previous.contract or '{}').columns or []) %}
    {% do portmesh.execute_sql('insert into ' ~ base ~ ' by name select * from ' ~ portmesh.version_relation(port, current.version ~ '__replaced')) %}
  {% endif %}
  {% do portmesh._show_version(port, previous.base) %}
  {% do portmesh.assert_published(port, {'base': previous.base}, previous.row_count | int) %}
{% endmacro %}
