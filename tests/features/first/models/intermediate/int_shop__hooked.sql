{{ config(
    materialized='table',
    pre_hook="insert into raw.hooks select 2, count(*) from raw.sales",
    post_hook="insert into raw.hooks select 3, count(*) from {{ this }}"
) }}

select sale_id from {{ source('raw', 'sales') }}
