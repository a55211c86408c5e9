{{ config(materialized='table') }}

select doubled, cast('2024-01-01 12:00:00' as {{ dbt.type_timestamp() }}) as read_at from {{ ref('int_shop__ephemeral') }}
