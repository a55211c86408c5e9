{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='ignore'
) }}

select
  sale_id, amount,
  {% if 'ignore' != 'sync_all_columns' %}1 as gone,{% endif %}
  cast({{ '5000000000 as bigint' if 'ignore' == 'sync_all_columns' else '1 as int' }}) as widened,
  cast('web' as {{ dbt.type_string() }}) as channel
from {{ ref('stg_raw__sales') }}
