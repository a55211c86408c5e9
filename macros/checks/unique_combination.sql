{# A key with a null in it equals no other key, as in dbt's unique. #}
{% test unique_combination(model, columns) %}
  {%- set is_list = columns is sequence and columns is not string and columns is not mapping and columns -%}
  {%- do portmesh.assert_argument('unique_combination', 'columns', columns, is_list,
      'a list of column names', 'write it like [campaign_id, product_id]') -%}
  {%- set keys = columns | join(', ') -%}
select
    {{ keys }},
    count(*) as n_records
from {{ model }}
where {{ columns | join(' is not null and ') }} is not null
group by {{ keys }}
having count(*) > 1
{% endtest %}
