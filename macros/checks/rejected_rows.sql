{# `of` is rendered by dbt to the source's relation. The rows beside it need not exist: then none was ever rejected. #}
{% test rejected_rows(model, of, at_most=0) %}
  {%- do portmesh.assert_argument('rejected_rows', 'of', of, of is not string and of.identifier is defined,
      'a source table', 'write it like source(\'shop\', \'orders\')') -%}
  {%- do portmesh.assert_argument('rejected_rows', 'at_most', at_most,
      portmesh.is_number(at_most) and at_most >= 0 and at_most < 1, 'a share from 0, below 1', 'write 1 % as 0.01') -%}
  {%- set rejected = portmesh.rejected_relation(of) -%}
  {{ portmesh._batches_with_rejected(of, rejected, at_most) if rejected
      else 'select 0 as n_records from ' ~ model ~ ' where 1 = 0' }}
{% endtest %}

{% macro _batches_with_rejected(landed, rejected, at_most) %}
with landed as (
    select
        _batch_id,
        count(*) as landed_rows
    from {{ landed }}
    group by _batch_id
),

rejected as (
    select
        _batch_id,
        count(*) as n_records
    from {{ rejected }}
    group by _batch_id
)

select
    rejected._batch_id,
    rejected.n_records,
    coalesce(landed.landed_rows, 0) as landed_rows
from rejected
left join landed on rejected._batch_id = landed._batch_id
where rejected.n_records > {{ at_most }} * (rejected.n_records + coalesce(landed.landed_rows, 0))
{% endmacro %}
