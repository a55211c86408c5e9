{{ config(materialized='view') }}

select 3 as number, 'view' as state
