{% macro spark__engine_type(data_type) %}
  {{ return('timestamp_ntz' if data_type == 'timestamp' else data_type) }}
{% endmacro %}

{% macro spark__stored_type(data_type) %}
  {{ return({'timestamp': 'timestamp_ntz', 'tinyint': 'int', 'smallint': 'int'}.get(data_type, data_type)) }}
{% endmacro %}

{% macro spark__portable_type(type) %}
  {{ return({'timestamp_ntz': 'timestamp', 'integer': 'int'}.get(type, type)) }}
{% endmacro %}

{# Iceberg stores neither void nor intervals, also not inside an array or a struct. #}
{% macro spark__storable_type(type) %}
  {{ return('string' if modules.re.search('\\b(void|interval)\\b', type) else type) }}
{% endmacro %}

{# A backslash is an escape character in a Spark literal. The adapter's macros do not double it, so it would swallow the
   next character. #}
{% macro spark__text_literal(value) %}
  {{- return("'" ~ value | string | replace("\\", "\\\\") | replace("'", "\\'") ~ "'") -}}
{% endmacro %}

{% macro spark__describe_query(sql) %}
  {% set columns = [] %}
  {% for row in portmesh.query('describe query select * from (\n' ~ sql ~ '\n) as described').rows %}
    {% do columns.append({'name': row['col_name'], 'type': row['data_type']}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{% macro spark__analyse_query(sql) %}{% do portmesh.describe_query(sql) %}{% endmacro %}

{% macro spark__existing_schemas() %}{{ return(list_schemas(none).columns[0].values() | list) }}{% endmacro %}
