with

campaign_targets as (

    select * from {{ ref('marketing', 'campaign_targets') }}

),

needed_columns as (

    select
        campaign_id,
        household_id,
        _landed_at
    from campaign_targets

)

select * from needed_columns
