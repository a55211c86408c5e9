{% macro beyond_bounds(column_name, min_value, max_value) -%}
  {%- set beyond = [] -%}
  {%- if min_value is not none -%}{%- do beyond.append(column_name ~ ' < ' ~ min_value) -%}{%- endif -%}
  {%- if max_value is not none -%}{%- do beyond.append(column_name ~ ' > ' ~ max_value) -%}{%- endif -%}
  {{ beyond | join(' or ') }}
{%- endmacro %}
