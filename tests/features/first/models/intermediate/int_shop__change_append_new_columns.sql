{{ config(
    materialized='incremental', incremental_strategy='merge', unique_key='sale_id', on_schema_change='append_new_columns'
) }}

select sale_id, amount, 1 as gone, cast(1 as int) as widened from {{ ref('stg_raw__sales') }}
