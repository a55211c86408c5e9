{% test not_null_share(model, column_name, at_least) %}
  {%- do portmesh.assert_argument('not_null_share', 'at_least', at_least,
      portmesh.is_number(at_least) and at_least > 0 and at_least <= 1,
      'a share above 0 and up to 1', 'write 95 % as 0.95') -%}
with counted as (
    select
        count({{ column_name }}) as filled_rows,
        count(*) as row_count
    from {{ model }}
)

select
    filled_rows,
    row_count
from counted
where filled_rows < {{ at_least }} * row_count
{% endtest %}
