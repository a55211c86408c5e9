{# tinyint and smallint are int in Iceberg, so a column that was once stored comes back as int. #}
{% macro iceberg__is_of_type(type, wanted) %}
  {{- return(type == wanted or (type in ['int', 'integer'] and wanted in ['tinyint', 'smallint'])) -}}
{% endmacro %}

{% macro iceberg__described_type(data_type) %}
  {{ return(portmesh.engine_type(data_type) | replace(' ', '')) }}
{% endmacro %}

{% macro iceberg__table_columns(relation) %}
  {{ return(portmesh.describe_query('select * from ' ~ relation)) }}
{% endmacro %}

{# Glue has lower-case names alone. #}
{% macro iceberg__table_name(name) %}{{ return(name | lower) }}{% endmacro %}

{# Athena tells of each statement (statements.sql), Spark afterwards (portmesh meter). #}
{% macro iceberg__bytes_read_so_far() %}{{ return(none) }}{% endmacro %}

{# What makes a table's columns those of the contract: {changes, surplus, is_retyped, is_enough}. `changes` are those of
   changed_columns that add or widen one; `surplus` are names that the contract lacks; `is_retyped`: a type is none that
   its column could be widened to; `is_enough`: with the changes alone the columns are those of the contract. #}
{% macro iceberg__schema_changes(port, relation) %}
  {% set found = portmesh.changed_columns(port, portmesh.portable_columns(relation)) %}
  {% set breaks = found | selectattr('breaks', 'defined') | list %}
  {% set surplus = breaks | selectattr('now', 'equalto', 'not declared') | map(attribute='column') | list %}
  {{ return({
      'changes': found | selectattr('change', 'defined') | list, 'surplus': surplus,
      'is_retyped': breaks | length > surplus | length, 'is_enough': not breaks}) }}
{% endmacro %}

{# Names for columns that may have none, or one twice: column_1, column_2 and so on. #}
{% macro iceberg__column_places(columns) %}
  {% set places = [] %}
  {% for _ in columns %}{% do places.append('column_' ~ loop.index) %}{% endfor %}
  {{ return(places) }}
{% endmacro %}
