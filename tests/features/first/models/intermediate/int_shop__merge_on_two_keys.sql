{{ config(
    materialized='incremental', incremental_strategy='merge', unique_key=['sale_id', 'day'],
    merge_exclude_columns=['first_amount']
) }}

select sale_id, day, amount, amount as first_amount from {{ ref('stg_raw__sales') }}
