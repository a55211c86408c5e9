{# tinyint and smallint are int in Iceberg, so a column that was once stored comes back as int. #}
{% macro iceberg__is_of_type(type, wanted) %}
  {{- return(type == wanted or (type in ['int', 'integer'] and wanted in ['tinyint', 'smallint'])) -}}
{% endmacro %}

{% macro iceberg__described_type(data_type) %}{{ return(portmesh.engine_type(data_type) | replace(' ', '')) }}{% endmacro %}

{% macro iceberg__table_columns(relation) %}{{ return(portmesh.describe_query('select * from ' ~ relation)) }}{% endmacro %}

{# Glue has lower-case names alone. #}
{% macro iceberg__table_name(name) %}{{ return(name | lower) }}{% endmacro %}

{# Athena tells of each statement (account_for), Spark afterwards (portmesh meter). #}
{% macro iceberg__bytes_read_so_far() %}{{ return(none) }}{% endmacro %}

{# What makes a table's columns those of the contract: {changes: [(macro, column, type)], surplus, is_retyped, is_enough}.
   Columns can be added and widened; `surplus` are names that the contract lacks; `is_retyped`: a type is none that its column
   could be widened to; `is_enough`: with the changes alone the columns are those of the contract. #}
{% macro schema_changes(port, relation) %}
  {% set have, changes = {}, [] %}
  {% for column in portmesh.table_columns(relation) %}{% do have.update({column.name | lower: portmesh.portable_type(column.type)}) %}{% endfor %}
  {% set found = namespace(is_retyped=false) %}
  {% for column in port.columns %}
    {% set old = have.pop(column.name | lower, none) %}
    {% if old is none %}
      {% do changes.append([portmesh.engine_macro('add_column'), column.name, column.data_type]) %}
    {% elif portmesh.is_wider(old, column.data_type) %}
      {% do changes.append([portmesh.engine_macro('widen_column'), column.name, column.data_type]) %}
    {% elif portmesh.stored_type(old) != portmesh.stored_type(column.data_type) %}
      {% set found.is_retyped = true %}
    {% endif %}
  {% endfor %}
  {{ return({'changes': changes, 'surplus': have.keys() | list, 'is_retyped': found.is_retyped, 'is_enough': not found.is_retyped and not have}) }}
{% endmacro %}

{# A table has each name once, and fewer types than a query gives. #}
{% macro storable_rows(sql) %}
  {% set columns = portmesh.describe_query(sql) %}
  {% set places, names, casts = portmesh.column_places(columns), [], [] %}
  {% for column in columns %}
    {% set name = column.name if column.name | lower not in names else column.name ~ '_' ~ loop.index %}
    {% do names.append(name | lower) %}
    {% do casts.append('cast(' ~ places[loop.index0] ~ ' as ' ~ portmesh.engine_macro('storable_type')(column.type) ~ ') as ' ~ adapter.quote(name)) %}
  {% endfor %}
  {{ return('select ' ~ casts | join(', ') ~ ' from (\n' ~ sql ~ '\n) as failing (' ~ places | join(', ') ~ ')') }}
{% endmacro %}

{# Names for columns that may have none, or one twice: column_1, column_2 and so on. #}
{% macro column_places(columns) %}
  {% set places = [] %}
  {% for _ in columns %}{% do places.append('column_' ~ loop.index) %}{% endfor %}
  {{ return(places) }}
{% endmacro %}
