with

coupon_redemptions as (

    select * from {{ ref('marketing', 'coupon_redemptions') }}

),

needed_columns as (

    select
        household_id,
        _landed_at
    from coupon_redemptions

)

select * from needed_columns
