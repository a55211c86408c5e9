{{ config(
    materialized='incremental', incremental_strategy='merge', unique_key='sale_id', on_schema_change='sync_all_columns'
) }}

select
  sale_id, amount,
  {% if 'sync_all_columns' != 'sync_all_columns' %}1 as gone,{% endif %}
  cast({{ '5000000000 as bigint' if 'sync_all_columns' == 'sync_all_columns' else '1 as int' }}) as widened,
  cast('web' as {{ dbt.type_string() }}) as channel
from {{ ref('stg_raw__sales') }}
