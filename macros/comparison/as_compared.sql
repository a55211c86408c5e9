{# A value as it is compared with that of the other side: as it is, or as a text. As numbers, 1.00 and 1 are one. #}
{% macro as_compared(value, column, type) %}
  {%- set text = portmesh.shown_value(value, type) -%}
  {%- if column.how == 'as_numbers' and type.startswith('decimal') and not type.endswith(',0)') -%}
    {{- return("trim(trailing '.' from trim(trailing '0' from " ~ text ~ '))') -}}
  {%- endif -%}
  {{- return(value if column.how == 'as_they_are' else text) -}}
{% endmacro %}
