{# The condition that a row has a key of the increment. It includes the lowest and highest key as literals, so that the
   engine skips row groups and files with other keys. These are fetched and written back as text, so that infinity and
   microseconds do not change; the leading = keeps dbt from reading the text as a number or a date. `keys` are column
   names or SQL. #}
{% macro shares_key(port, keys, increment) %}
  {%- set bounded = [] -%}
  {%- for key in keys if portmesh._bounded_type(port, key) -%}{%- do bounded.append(key) -%}{%- endfor -%}
  {%- set conditions = portmesh._key_bounds(port, bounded, increment) if bounded else [] -%}
  {%- set row = '(' ~ keys | join(', ') ~ ')' -%}
  {%- do conditions.append(row ~ ' in (select ' ~ keys | join(', ') ~ ' from ' ~ increment ~ ')') -%}
  {{- return(conditions | join(' and ')) -}}
{% endmacro %}

{% macro _key_bounds(port, keys, increment) %}
  {%- set bounds, conditions = [], [] -%}
  {%- for key in keys -%}
    {%- for side in ['min', 'max'] -%}
      {%- do bounds.append("'=' || cast(" ~ side ~ '(' ~ key ~ ') as ' ~ portmesh.engine_type('string') ~ ')') -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- set values = portmesh.query('select ' ~ bounds | join(', ') ~ ' from ' ~ increment).rows[0] -%}
  {%- for key in keys -%}
    {%- set type = portmesh.engine_type(portmesh._bounded_type(port, key)) -%}
    {%- set low, high = values[2 * loop.index0], values[2 * loop.index0 + 1] -%}
    {%- if low is not none -%}
      {%- do conditions.append(key ~ ' between cast(' ~ portmesh.text_literal(low[1:]) ~ ' as ' ~ type
          ~ ') and cast(' ~ portmesh.text_literal(high[1:]) ~ ' as ' ~ type ~ ')') -%}
    {%- endif -%}
  {%- endfor -%}
  {{- return(conditions) -}}
{% endmacro %}

{# The contract's type of a key that can have bounds. None for SQL, and for a double, because NaN has no order. #}
{% macro _bounded_type(port, key) %}
  {%- for column in port.columns if column.data_type not in ['double', 'boolean'] -%}
    {%- if key in [column.name, adapter.quote(column.name)] -%}{{- return(column.data_type) -}}{%- endif -%}
  {%- endfor -%}
  {{- return(none) -}}
{% endmacro %}
