{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='ignore'
) }}

select sale_id, amount, 1 as gone, cast(1 as int) as widened from {{ ref('stg_raw__sales') }}
