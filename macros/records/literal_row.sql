{% macro literal_row(values) %}
  {%- set text_literal, literals = portmesh.engine_macro('text_literal'), [] -%}
  {%- for value in values -%}
    {%- do literals.append(text_literal(value) if value is string else portmesh.literal(value)) -%}
  {%- endfor -%}
  {{- return('(' ~ literals | join(', ') ~ ')') -}}
{% endmacro %}
