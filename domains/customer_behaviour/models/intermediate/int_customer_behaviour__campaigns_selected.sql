with

campaigns as (

    select * from {{ ref('marketing', 'campaigns') }}

),

needed_columns as (

    select
        campaign_id,
        campaign_type,
        start_date,
        end_date,
        duration_days,
        _landed_at
    from campaigns

)

select * from needed_columns
