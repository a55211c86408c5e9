{# A value as an SQL literal: none, a number, a text, or a time without a zone. #}
{% macro literal(value) %}
  {%- if value is none -%}{{- return('null') -}}{%- endif -%}
  {%- if value is number -%}{{- return(value | string) -}}{%- endif -%}
  {%- if value is string -%}{{- return(portmesh.text_literal(value)) -}}{%- endif -%}
  {{- return("timestamp '" ~ value.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "'") -}}
{% endmacro %}
