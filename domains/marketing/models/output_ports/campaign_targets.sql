-- depends_on: {{ ref('campaigns') }}
with

campaign_targets as (

    select * from {{ ref('stg_advertising__campaign_targets') }}

),

targets_listed as (

    select
        campaign_id,
        household_id,
        _landed_at
    from campaign_targets

)

select * from targets_listed
