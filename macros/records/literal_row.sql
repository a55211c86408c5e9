{% macro literal_row(values) %}
  {%- set literals = [] -%}
  {%- for value in values -%}{%- do literals.append(portmesh.literal(value)) -%}{%- endfor -%}
  {{- return('(' ~ literals | join(', ') ~ ')') -}}
{% endmacro %}
