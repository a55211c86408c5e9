{# For a select: the contract's columns as they are stored, of rows that a model gives, or of a table's that has these
   `names` (in lower case) and for others null. Of a model's rows the cast to the contract's own type comes first: it
   refuses what a tinyint or smallint cannot hold, though Iceberg stores both as int. #}
{% macro columns_as_contracted(port, names=none) %}
  {%- set columns = [] -%}
  {%- for column in port.columns -%}
    {%- set name, type = adapter.quote(column.name), portmesh.engine_type(column.data_type) -%}
    {%- set stored = portmesh.engine_type(portmesh.stored_type(column.data_type)) -%}
    {%- set value = name if names is none or column.name | lower in names else 'null' -%}
    {%- set held = 'cast(' ~ value ~ ' as ' ~ type ~ ')' if names is none and type != stored else value -%}
    {%- do columns.append('cast(' ~ held ~ ' as ' ~ stored ~ ') as ' ~ name) -%}
  {%- endfor -%}
  {{- return(columns | join(', ')) -}}
{% endmacro %}
