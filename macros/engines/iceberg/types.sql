{# Iceberg stores tinyint and smallint as int, so a stored column is read back as int. #}
{% macro iceberg__is_of_type(type, wanted) %}
  {{- return(type == wanted or (type in ['int', 'integer'] and wanted in ['tinyint', 'smallint'])) -}}
{% endmacro %}

{% macro iceberg__described_type(data_type) %}
  {{ return(portmesh.engine_type(data_type) | replace(' ', '')) }}
{% endmacro %}

{% macro iceberg__table_columns(relation) %}
  {{ return(portmesh.describe_query('select * from ' ~ relation)) }}
{% endmacro %}

{# Glue has only lower-case names. #}
{% macro iceberg__table_name(name) %}{{ return(name | lower) }}{% endmacro %}

{# Athena reports bytes with each statement (statements.sql), Spark only afterwards (portmesh meter). #}
{% macro iceberg__bytes_read_so_far() %}{{ return(none) }}{% endmacro %}

{# How to turn a table's columns into the contract's: {changes, surplus, is_retyped, is_enough}. `changes` add or widen
   columns, as in changed_columns; `surplus` are names that the contract lacks; `is_retyped`: a column's type cannot be
   widened to the contract's; `is_enough`: the changes alone are enough. #}
{% macro iceberg__schema_changes(port, relation) %}
  {% set found = portmesh.changed_columns(port, portmesh.portable_columns(relation)) %}
  {% set breaks = found | selectattr('breaks', 'defined') | list %}
  {% set surplus = breaks | selectattr('now', 'equalto', 'not declared') | map(attribute='column') | list %}
  {{ return({
      'changes': found | selectattr('change', 'defined') | list, 'surplus': surplus,
      'is_retyped': breaks | length > surplus | length, 'is_enough': not breaks}) }}
{% endmacro %}

{# New names, column_1, column_2 and so on, for columns whose own names may be missing or duplicate. #}
{% macro iceberg__column_places(columns) %}
  {% set places = [] %}
  {% for _ in columns %}{% do places.append('column_' ~ loop.index) %}{% endfor %}
  {{ return(places) }}
{% endmacro %}
