{# DuckDB: a port is a view on a version table. A candidate is a table that no view names; nothing that a view names is changed
   before the verdict. #}

{% macro duckdb__place_candidate(port, current, increment, changes) %}
  {% set version, existing = portmesh.new_version_name(port, current), load_relation(port.relation) %}
  {% if existing and (existing.type != 'view' or not (current or portmesh._is_view_of_portmesh(port))) %}{% do portmesh.refuse_foreign(port, existing.type) %}{% endif %}
  {% set candidate = portmesh.version_relation(port, version) %}
  {{ return({
      'version': version, 'base': current.base if increment else version, 'candidate': candidate,
      'result': portmesh.version_relation(port, version ~ '__result', 'view') if increment else candidate,
      'is_increment': increment,
  }) }}
{% endmacro %}

{# Of a port without a record: on a version of it, a clone of another environment's, or what publish_shell left. #}
{% macro _is_view_of_portmesh(port) %}
  {% set text = portmesh._view_text(port) %}
  {% set clone_or_shell = ' as select \\* from ([^ ()]+\\."?' ~ modules.re.escape(port.alias) ~ '"?|\\(.*\\) as contract where .*);?$' %}
  {{ return(portmesh._versions_in(port, text) | length > 0 or modules.re.search('(?is)' ~ clone_or_shell, text) is not none) }}
{% endmacro %}

{# The columns are declared, so that none keeps a collation of the model's. #}
{% macro duckdb__write_candidate(port, place, sql, changes) %}
  {% set columns = [] %}
  {% for column in port.columns %}{% do columns.append(adapter.quote(column.name) ~ ' ' ~ portmesh.stored_type(column.data_type)) %}{% endfor %}
  {% do portmesh.execute_sql('create table ' ~ place.candidate ~ ' (' ~ columns | join(', ') ~ ')') %}
  {% do portmesh.execute_sql('insert into ' ~ place.candidate ~ ' select ' ~ portmesh.column_list(port) ~ ' from (\n' ~ sql ~ '\n) as model') %}
{% endmacro %}

{# Beside the increment stand the published rows that it replaces, which the way back needs, and a view of what the port will
   be. The published table stays as it is until publish_version. #}
{% macro duckdb__compose_result(port, place, changes) %}
  {% set base = portmesh.version_relation(port, place.base) %}
  {% set replaced = portmesh._replaced(port, place) %}
  {% set shares_key = portmesh.shares_key(port, portmesh.quoted_names(port.unique_key), place.candidate) %}
  {% do portmesh.execute_sql('create table ' ~ replaced ~ ' as select * from ' ~ base ~ ' where ' ~ shares_key) %}
  {% set others = ' where (' ~ shares_key ~ ') is not true' if portmesh.count_rows(replaced) else '' %}
  {% do portmesh.execute_sql(
      'create view ' ~ place.result ~ ' as select ' ~ portmesh._published_columns(port, changes) ~ ' from ' ~ base ~ others
      ~ ' union all select ' ~ portmesh.column_list(port) ~ ' from ' ~ place.candidate) %}
{% endmacro %}

{# Published rows with the columns and types of today's contract. #}
{% macro _published_columns(port, changes) %}
  {% set columns, changed = [], {} %}
  {% for change in changes %}{% do changed.update({change.column: change}) %}{% endfor %}
  {% for column in port.columns %}
    {% set name, change = adapter.quote(column.name), changed.get(column.name, {}) %}
    {% set value = 'null' if change.change == 'add' else name %}
    {% do columns.append(name if not change else 'cast(' ~ value ~ ' as ' ~ portmesh.engine_type(column.data_type) ~ ') as ' ~ name) %}
  {% endfor %}
  {{ return(columns | join(', ')) }}
{% endmacro %}

{% macro _replaced(port, place) %}{{ return(portmesh.version_relation(port, place.version ~ '__replaced')) }}{% endmacro %}

{% macro duckdb__drop_candidate(place) %}{% do portmesh.execute_sql('drop table ' ~ place.candidate) %}{% endmacro %}

{% macro duckdb__published_rows(port, version) %}{{ return(portmesh.version_relation(port, version.base)) }}{% endmacro %}

{% macro duckdb__current_snapshot(port) %}{{ return(none) }}{% endmacro %}

{# Whether the port's view is the one on the recorded version. #}
{% macro duckdb__reads_as_recorded(port, current) %}
  {% set shown = portmesh._versions_in(port, portmesh._view_text(port)) %}
  {{ return(shown == [current.base]) }}
{% endmacro %}

{% macro _view_text(port) %}
  {% set query %}
    select sql from duckdb_views()
    where database_name = '{{ port.relation.database }}' and schema_name = '{{ port.relation.schema }}' and view_name = '{{ port.alias }}'
  {% endset %}
  {{ return(portmesh.query(query).columns[0].values() | join('\n')) }}
{% endmacro %}

{# Names of the port's versions that a text of SQL names; a port of another domain may have versions of the same names. #}
{% macro _versions_in(port, text) %}
  {% set found = [] %}
  {% set name = modules.re.escape(port.alias) ~ '__\\d{8}_\\d{6}_[0-9a-f]{6}\\w*' %}
  {% for schema, name in modules.re.findall('(?<!\\w)(?:(\\w+)"?\\.)?"?(' ~ name ~ ')', text) %}
    {% if schema in ['', port.internal_schema] and name not in found %}{% do found.append(name) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
