{# A table's columns as [{name, data_type}], with the types as a contract writes them. #}
{% macro portable_columns(relation) %}
  {% set columns = [] %}
  {% for column in portmesh.table_columns(relation) %}
    {% do columns.append({'name': column.name, 'data_type': portmesh.portable_type(column.type)}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}
