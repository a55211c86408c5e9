{{ config(
    materialized='table',
    pre_hook="insert into raw.hooks select 2, count(*) from raw.sales",
    post_hook="insert into raw.hooks select 3, count(*) from {{ this }}",
    meta={"exemptions": [{"rule": "PM121", "reason": "Its hooks are what is looked at.", "until": "2099-01-01"}]}
) }}

select sale_id from {{ source('raw', 'sales') }}
