{{ config(event_time='changed_at') }}

select
  cast(sale_id as bigint) as sale_id,
  cast(day as date) as day,
  cast(day as {{ dbt.type_timestamp() }}) as changed_at,
  cast(amount as decimal(10, 2)) as amount
from {{ source('raw', 'sales') }}
