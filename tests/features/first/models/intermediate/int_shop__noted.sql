{{ config(materialized='incremental', incremental_strategy='merge', unique_key='sale_id') }}

select sale_id, day, changed_at, amount, '{{ dbt.escape_single_quotes("it's") }}' as note from {{ ref('stg_raw__sales') }}
{% if is_incremental() %}where day > (select max(day) from {{ this }}){% endif %}
