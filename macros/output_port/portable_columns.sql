{# [{name, data_type}] of a table, the types as a contract has them. #}
{% macro portable_columns(relation) %}
  {% set columns = [] %}
  {% for column in portmesh.table_columns(relation) %}
    {% do columns.append({'name': column.name, 'data_type': portmesh.portable_type(column.type)}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}
