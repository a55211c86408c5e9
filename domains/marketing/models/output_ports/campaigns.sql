with

campaigns as (

    select * from {{ ref('stg_advertising__campaigns') }}

),

days_counted as (

    select
        campaign_id,
        campaign_type,
        start_date,
        end_date,
        cast({{ dbt.datediff('start_date', 'end_date', 'day') }} + 1 as int) as duration_days,
        _landed_at
    from campaigns

)

select * from days_counted
