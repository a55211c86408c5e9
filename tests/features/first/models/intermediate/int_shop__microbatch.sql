{{ config(
    materialized='incremental', incremental_strategy='microbatch', event_time='changed_at', batch_size='day',
    begin='2024-01-01', partition_by='day' if target.type == 'spark' else none,
    unique_key='sale_id' if target.type == 'athena' else none
) }}

select sale_id, day, changed_at, amount from {{ ref('stg_raw__sales') }}
