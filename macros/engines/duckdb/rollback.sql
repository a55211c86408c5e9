{% macro duckdb__can_restore(port, history) %}
  {% set kept, current, previous = portmesh.list_versions(port), history.versions[0], history.versions[1] %}
  {% set has_replaced = current.kind != 'increment' or current.version ~ '__replaced' in kept %}
  {{ return(previous.base in kept and has_replaced) }}
{% endmacro %}

{# The rows of the previous version: another table, or the same table without the increment. #}
{% macro duckdb__kept_rows(port, current, previous) %}
  {% set base = portmesh.version_relation(port, previous.base) %}
  {% if not portmesh._is_increment_on(current, previous) %}{{ return(base) }}{% endif %}
  {{ return('(select * from ' ~ base ~ ' where (' ~ portmesh._is_of_increment(port, current) ~ ') is not true'
      ~ ' union all by name select * from ' ~ portmesh.version_relation(port, current.version ~ '__replaced') ~ ')') }}
{% endmacro %}

{# The condition that a row belongs to the increment, by the key that it was published with. #}
{% macro _is_of_increment(port, version) %}
  {% set key = (fromjson(version.contract or '{}') or {}).get('unique_key') or port.unique_key %}
  {{ return(portmesh.shares_key(port, portmesh.quoted_names(key), portmesh.version_relation(port, version.version))) }}
{% endmacro %}

{# Current and previous are the same version if consumers read something that is not recorded. #}
{% macro _is_increment_on(current, previous) %}
  {{ return(current.base == previous.base and current.version != previous.version) }}
{% endmacro %}

{% macro duckdb__restore_version(port, current, previous) %}
  {% set base = portmesh.version_relation(port, previous.base) %}
  {% if portmesh._is_increment_on(current, previous) %}
    {% set replaced = portmesh.version_relation(port, current.version ~ '__replaced') %}
    {% do portmesh.execute_sql('delete from ' ~ base ~ ' where ' ~ portmesh._is_of_increment(port, current)) %}
    {% do portmesh._take_columns_back(base, current, previous) %}
    {% do portmesh.execute_sql('insert into ' ~ base ~ ' by name select * from ' ~ replaced) %}
  {% endif %}
  {% do portmesh.show_again(port, previous) %}
  {% do portmesh.assert_published(port, {'base': previous.base}, previous.row_count | int) %}
{% endmacro %}

{# Undoes the columns that the increment added or widened. DuckDB also casts the rows that this transaction has deleted,
   whose values may be too large; all others fit. #}
{% macro _take_columns_back(base, current, previous) %}
  {% set types = {} %}
  {% for column in fromjson(previous.contract or '{}').columns or [] %}
    {% do types.update({column.name | lower: column.data_type}) %}
  {% endfor %}
  {% for column in fromjson(current.contract or '{}').columns or [] if types %}
    {% set name, type = adapter.quote(column.name), types.get(column.name | lower) %}
    {% set stored = portmesh.stored_type(type) if type else none %}
    {% if not type %}
      {% do portmesh.execute_sql('alter table ' ~ base ~ ' drop column ' ~ name) %}
    {% elif stored != portmesh.stored_type(column.data_type) %}
      {% do portmesh.execute_sql('alter table ' ~ base ~ ' alter column ' ~ name ~ ' type ' ~ stored
          ~ ' using try_cast(' ~ name ~ ' as ' ~ stored ~ ')') %}
    {% endif %}
  {% endfor %}
{% endmacro %}
