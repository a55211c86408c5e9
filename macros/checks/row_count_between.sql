{% test row_count_between(model, min_rows=none, max_rows=none) %}
  {%- do portmesh.assert_some_argument('row_count_between', {'min_rows': min_rows, 'max_rows': max_rows}) -%}
  {%- for argument, bound in {'min_rows': min_rows, 'max_rows': max_rows}.items() -%}
    {%- set is_bound = bound is none or (bound is integer and bound is not boolean and bound >= 0) -%}
    {%- do portmesh.assert_argument('row_count_between', argument, bound, is_bound,
        'a whole number of rows, 0 or more', 'write it without separators, like 90000') -%}
  {%- endfor -%}
  {%- if min_rows is not none and max_rows is not none -%}
    {%- do portmesh.assert_argument('row_count_between', 'max_rows', max_rows, max_rows >= min_rows,
        'at least min_rows (' ~ min_rows ~ ')', 'swap min_rows and max_rows') -%}
  {%- endif -%}
with counted as (
    select count(*) as row_count
    from {{ model }}
)

select row_count
from counted
where {{ portmesh.beyond_bounds('row_count', min_rows, max_rows) }}
{% endtest %}
