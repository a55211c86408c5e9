with

demographics as (

    select * from {{ ref('stg_loyalty__demographics') }}

),

baskets as (

    select * from {{ ref('orders', 'baskets') }}

),

campaign_targets as (

    select * from {{ ref('marketing', 'campaign_targets') }}

),

coupon_redemptions as (

    select * from {{ ref('marketing', 'coupon_redemptions') }}

),

-- The loyalty programme surveyed only a third of the households, so it is not a complete list of them.
sightings_collected as (

    select
        household_id,
        0 as purchases,
        _landed_at
    from demographics
    union all
    select
        household_id,
        1 as purchases,
        _landed_at
    from baskets
    union all
    select
        household_id,
        0 as purchases,
        _landed_at
    from campaign_targets
    union all
    select
        household_id,
        0 as purchases,
        _landed_at
    from coupon_redemptions

),

households_listed as (

    select
        household_id,
        cast(sum(purchases) > 0 as boolean) as has_purchased,
        max(_landed_at) as _landed_at
    from sightings_collected
    group by household_id

),

demographics_added as (

    select
        households_listed.household_id,
        households_listed.has_purchased,
        cast(demographics.household_id is not null as boolean) as has_demographics,
        demographics.age_band,
        demographics.income_band,
        demographics.home_ownership,
        demographics.marital_status,
        demographics.household_size,
        demographics.household_composition,
        demographics.children_count,
        households_listed._landed_at
    from households_listed
    left join demographics
        on households_listed.household_id = demographics.household_id

)

select * from demographics_added
