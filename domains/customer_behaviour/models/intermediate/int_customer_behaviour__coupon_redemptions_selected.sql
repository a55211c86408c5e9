with

coupon_redemptions as (

    select * from {{ ref('marketing', 'coupon_redemptions') }}

),

needed_columns as (

    select
        campaign_id,
        household_id,
        redemption_date,
        _landed_at
    from coupon_redemptions

)

select * from needed_columns
