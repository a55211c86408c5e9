{# Spark and Athena: a port is an Iceberg table in Glue, a version is one of its snapshots, and a candidate is a version
   that only its writer sees. The folders spark/ and athena/ add what differs: how a candidate is created, published and
   dropped. #}

{% macro iceberg__place_candidate(port, current, increment, changes) %}
  {% set version, exists = portmesh.new_version_name(port, current), portmesh.iceberg__table_exists(port, current) %}
  {% set is_beside = not exists or portmesh.engine_macro('needs_new_table')(port, increment) %}
  {% set branch = portmesh.engine_macro('branch_relation')(port, version) %}
  {% set result = portmesh.version_relation(port, version) if is_beside else branch %}
  {{ return({
      'version': version, 'base': version, 'exists': exists, 'is_beside': is_beside, 'is_increment': increment,
      'result': result,
      'candidate': portmesh.version_relation(port, version ~ '__increment') if increment else result,
      'replaced': portmesh.version_relation(port, version ~ '__replaced'),
      'pointer': portmesh.engine_macro('published_pointer')(port) if exists else none,
  }) }}
{% endmacro %}

{# A table without a record but with the contract's columns may be the port: its run could have been killed after the
   publication and before the record. #}
{% macro iceberg__table_exists(port, current) %}
  {% set existing = load_relation(port.relation) %}
  {% if existing and (existing.type != 'table' or not portmesh.engine_macro('is_iceberg_table')(existing)) %}
    {% do portmesh.refuse_foreign(port, existing.type ~ ' that is not Iceberg') %}
  {% elif existing and not current and not portmesh.iceberg__schema_changes(port, port.relation).is_enough %}
    {% do portmesh.refuse_foreign(port, 'table with other columns') %}
  {% endif %}
  {{ return(existing is not none) }}
{% endmacro %}

{# Writes the candidate as a separate table. #}
{% macro iceberg__write_candidate(port, place, sql, changes) %}
  {% set is_kept = not place.exists or portmesh.engine_macro('publishes_beside_as_it_is')() %}
  {% do portmesh._create_table_of_port(
      port, place.candidate, portmesh.iceberg__rows_as_contracted(port, sql), is_kept and not place.is_increment) %}
{% endmacro %}

{% macro iceberg__rows_as_contracted(port, sql) %}
  {{- return('select ' ~ portmesh.columns_as_contracted(port) ~ ' from (\n' ~ sql ~ '\n) as model') -}}
{% endmacro %}

{# The increment's rows replace published rows with the same key, on the branch or in a separate table. #}
{% macro iceberg__compose_result(port, place, changes) %}
  {% set columns = portmesh.column_list(port) %}
  {% set shares_key = portmesh.shares_key(port, portmesh.quoted_names(port.unique_key), place.candidate) %}
  {% set increment = 'select ' ~ columns ~ ' from ' ~ place.candidate %}
  {% if place.is_beside %}
    {% set names = portmesh.table_columns(port.relation) | map(attribute='name') | map('lower') | list %}
    {% set others = 'select ' ~ portmesh.columns_as_contracted(port, names) ~ ' from ' ~ port.relation
        ~ ' where not coalesce(' ~ shares_key ~ ', false)' %}
    {% set becomes_the_port = portmesh.engine_macro('publishes_beside_as_it_is')() %}
    {% do portmesh._create_table_of_port(port, place.result, others ~ '\nunion all\n' ~ increment, becomes_the_port) %}
  {% else %}
    {% do portmesh.engine_macro('open_branch')(port, place) %}
    {% do portmesh.engine_macro('delete_rows')(place.result, shares_key) %}
    {% do portmesh.engine_macro('insert_rows')(
        port.node, place.result, ' (' ~ columns ~ ')', increment, place.candidate) %}
  {% endif %}
{% endmacro %}

{# Drops the increment's table. For a full build, the candidate's table is the version itself. #}
{% macro iceberg__drop_candidate(place) %}{% do portmesh.engine_macro('drop_table')(place.candidate) %}{% endmacro %}

{# `home` is the relation whose folder gets the table's files; `node` is the port whose partitions the table has. A
   table that becomes the port uses the port's, because it keeps both when it is renamed. #}
{% macro _create_table_of_port(port, relation, rows, becomes_the_port) %}
  {% set home, node = (port.relation, port.node) if becomes_the_port else (relation, none) %}
  {% do portmesh.engine_macro('create_iceberg_table')(relation, rows, home, node) %}
{% endmacro %}

{# A new folder for a table's files, so that they never overwrite existing ones. #}
{% macro iceberg__new_location(relation) %}
  {%- set own_name = local_md5(invocation_id ~ relation)[:12] -%}
  {{- return(portmesh.iceberg__lake_location(relation.schema) ~ '/' ~ relation.identifier ~ '/' ~ own_name) -}}
{% endmacro %}

{% macro iceberg__lake_location(schema) %}
  {{- return(env_var('PORTMESH_S3_LAKE', 's3://portmesh-lake') ~ '/' ~ schema) -}}
{% endmacro %}
