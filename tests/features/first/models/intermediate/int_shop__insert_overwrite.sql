{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partition_by='day', enabled=target.type == 'spark') }}

select sale_id, day, amount from {{ ref('stg_raw__sales') }}
{% if is_incremental() %}where day >= (select max(day) from {{ this }}){% endif %}
