{{ config(materialized='incremental', incremental_strategy='merge', unique_key='sale_id') }}

select sale_id, day, amount from {{ ref('stg_raw__sales') }}
{% if is_incremental() %}where day >= (select max(day) from {{ this }}){% endif %}
