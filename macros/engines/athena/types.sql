{% macro athena__engine_type(data_type) %}
  {{- return({'string': 'varchar', 'timestamp': 'timestamp(6)', 'int': 'integer'}.get(data_type, data_type)) -}}
{% endmacro %}

{# Athena uses Hive's type names in DDL. #}
{% macro athena__stored_type(data_type) %}
  {{ return({'tinyint': 'int', 'smallint': 'int'}.get(data_type, data_type)) }}
{% endmacro %}

{# One statement returns the names, another the exact types. typeof() is constant, so neither reads a row. #}
{% macro athena__describe_query(sql) %}
  {% set names = portmesh.query('select * from (\n' ~ sql ~ '\n) as described limit 0').column_names %}
  {% set places, types = portmesh.iceberg__column_places(names), [] %}
  {% for place in places %}{% do types.append('typeof(' ~ place ~ ')') %}{% endfor %}
  {% set row = portmesh.query(
      'select ' ~ types | join(', ') ~ ' from (select 1) as one left join (select * from (\n' ~ sql
      ~ '\n) as model where false) as described (' ~ places | join(', ') ~ ') on true').rows[0] %}
  {% set columns = [] %}
  {% for name in names %}{% do columns.append({'name': name, 'type': row[loop.index0]}) %}{% endfor %}
  {{ return(columns) }}
{% endmacro %}

{# Glue stores the types under Hive's names. #}
{% macro athena__table_columns(relation) %}
  {% set names = {'string': 'varchar', 'int': 'integer', 'float': 'real', 'timestamp': 'timestamp(6)'} %}
  {% set columns = [] %}
  {% for column in adapter.get_columns_in_relation(relation) %}
    {% do columns.append({'name': column.name, 'type': names.get(column.dtype, column.dtype)}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{% macro athena__analyse_query(sql) %}{% do portmesh.query('explain ' ~ sql) %}{% endmacro %}

{# Iceberg stores these types; any other value becomes a text. #}
{% macro athena__storable_type(type) %}
  {% if type.startswith('timestamp') %}{{ return('timestamp(6)') }}{% endif %}
  {% set stored = 'boolean|integer|bigint|real|double|decimal|varchar|varbinary|date|array|map|row' %}
  {% set is_stored = modules.re.match('(' ~ stored ~ ')\\b', type) %}
  {{ return({'tinyint': 'integer', 'smallint': 'integer'}.get(type, type if is_stored else 'varchar')) }}
{% endmacro %}

{% macro athena__existing_schemas() %}{{ return(adapter.list_schemas(target.database)) }}{% endmacro %}

{% macro athena__portable_type(type) %}
  {%- set names = {'varchar': 'string', 'integer': 'int', 'timestamp(6)': 'timestamp'} -%}
  {{- return(names.get(type, type | replace(' ', ''))) -}}
{% endmacro %}

{% macro athena__text_literal(value) %}
  {{- return("'" ~ value | string | replace("'", "''") ~ "'") -}}
{% endmacro %}
