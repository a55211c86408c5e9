{# The condition that a row has a key of the increment. The bounds come as literals, so that whole row groups and files of
   the port are passed over. A key is the SQL of a column or more. #}
{% macro shares_key(keys, increment) %}
  {%- set bounds = [] -%}
  {%- for key in keys -%}{%- do bounds.append('min(' ~ key ~ '), max(' ~ key ~ ')') -%}{%- endfor -%}
  {%- set values = portmesh.query('select ' ~ bounds | join(', ') ~ ' from ' ~ increment).rows[0] -%}
  {%- set conditions = [] -%}
  {%- for key in keys -%}
    {%- set low, high = values[2 * loop.index0], values[2 * loop.index0 + 1] -%}
    {%- if low is not none -%}
      {%- do conditions.append('(' ~ key ~ ') between ' ~ portmesh._literal(low) ~ ' and ' ~ portmesh._literal(high)) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set row = '(' ~ keys | join(', ') ~ ')' -%}
  {%- do conditions.append(row ~ ' in (select ' ~ keys | join(', ') ~ ' from ' ~ increment ~ ')') -%}
  {{- return(conditions | join(' and ')) -}}
{% endmacro %}
