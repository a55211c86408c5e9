{# DuckDB: a port is a view on a version table, and a candidate is a table that no view names. Before the audit has
   passed, nothing that a view names is changed. #}

{% macro duckdb__place_candidate(port, current, increment, changes) %}
  {% set version, existing = portmesh.new_version_name(port, current), load_relation(port.relation) %}
  {% set is_own = existing and existing.type == 'view' and (current or portmesh._is_view_of_portmesh(port)) %}
  {% if existing and not is_own %}{% do portmesh.refuse_foreign(port, existing.type) %}{% endif %}
  {% set candidate = portmesh.version_relation(port, version) %}
  {{ return({
      'version': version, 'base': current.base if increment else version, 'candidate': candidate,
      'result': portmesh.version_relation(port, version ~ '__result', 'view') if increment else candidate,
      'is_increment': increment,
  }) }}
{% endmacro %}

{# Whether the view of a port without a record was created by Portmesh: on one of its versions, as a clone of another
   environment's port, or by publish_shell. #}
{% macro _is_view_of_portmesh(port) %}
  {% set text, name = portmesh.duckdb__view_text(port), modules.re.escape(port.alias) %}
  {% set clone_or_shell = ' as select \\* from ([^ ()]+\\."?' ~ name ~ '"?|\\(.*\\) as contract where .*);?$' %}
  {% set is_copy = modules.re.search('(?is)' ~ clone_or_shell, text) is not none %}
  {{ return(is_copy or portmesh.duckdb__versions_in(port, text) | length > 0) }}
{% endmacro %}

{# Declares the columns, so that none keeps a collation from the model. #}
{% macro duckdb__write_candidate(port, place, sql, changes) %}
  {% set columns = {} %}
  {% for column in port.columns %}{% do columns.update({adapter.quote(column.name): column.data_type}) %}{% endfor %}
  {% do portmesh.execute_sql('create table ' ~ place.candidate ~ ' (' ~ portmesh.column_definitions(columns) ~ ')') %}
  {% do portmesh.execute_sql('insert into ' ~ place.candidate ~ ' select ' ~ portmesh.column_list(port)
      ~ ' from (\n' ~ sql ~ '\n) as model') %}
{% endmacro %}

{# Creates a table with the published rows that the increment replaces, which a rollback needs, and a view of the port
   as it will be. The published table does not change until publish_version. #}
{% macro duckdb__compose_result(port, place, changes) %}
  {% set base = portmesh.version_relation(port, place.base) %}
  {% set replaced = portmesh.version_relation(port, place.version ~ '__replaced') %}
  {% set shares_key = portmesh.shares_key(port, portmesh.quoted_names(port.unique_key), place.candidate) %}
  {% do portmesh.execute_sql('create table ' ~ replaced ~ ' as select * from ' ~ base ~ ' where ' ~ shares_key) %}
  {% set others = ' where (' ~ shares_key ~ ') is not true' if portmesh.count_rows(replaced) else '' %}
  {% set added = changes | selectattr('change', 'equalto', 'add') | map(attribute='column') | map('lower') | list %}
  {% set names = port.columns | map(attribute='name') | map('lower') | reject('in', added) | list %}
  {% do portmesh.execute_sql(
      'create view ' ~ place.result ~ ' as select ' ~ portmesh.columns_as_contracted(port, names) ~ ' from ' ~ base
      ~ others ~ ' union all select ' ~ portmesh.column_list(port) ~ ' from ' ~ place.candidate) %}
{% endmacro %}

{% macro duckdb__drop_candidate(place) %}{% do portmesh.execute_sql('drop table ' ~ place.candidate) %}{% endmacro %}
