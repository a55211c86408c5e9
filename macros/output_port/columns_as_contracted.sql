{# The contract's columns for a select list, cast to their stored types. `names` are the columns that a table has, in
   lower case; the others become null. Without `names`, the rows come from the model and are first cast to the type in
   the contract. This refuses values too large for a tinyint or smallint, which Iceberg would store as int. #}
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
