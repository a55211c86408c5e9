{# {column: contract's type} as the column list of CREATE TABLE. #}
{% macro column_definitions(columns) %}
  {%- set parts = [] -%}
  {%- for name, type in columns.items() -%}
    {%- do parts.append(name ~ ' ' ~ portmesh.stored_type(type)) -%}
  {%- endfor -%}
  {{- return(parts | join(', ')) -}}
{% endmacro %}
