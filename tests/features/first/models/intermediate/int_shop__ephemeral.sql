{{ config(materialized='ephemeral') }}

select sale_id * 2 as doubled from {{ ref('stg_raw__sales') }}
