with

order_lines as (

    select * from {{ ref('order_lines') }}

),

-- A basket has one household, store and time. If the tills ever deliver two, the basket becomes two rows
-- and the unique check refuses it. min() would hide the error.
lines_summed as (

    select
        basket_id,
        household_id,
        store_id,
        week,
        cast(count(*) as int) as line_count,
        cast(max(case when is_fuel then 1 else 0 end) = 1 as boolean) as has_fuel,
        cast(sum(sales_value) as decimal(12, 2)) as sales_value,
        cast(sum(retail_discount) as decimal(12, 2)) as retail_discount,
        cast(sum(coupon_discount) as decimal(12, 2)) as coupon_discount,
        cast(sum(coupon_match_discount) as decimal(12, 2)) as coupon_match_discount,
        purchased_at,
        purchase_date,
        max(_landed_at) as _landed_at
    from order_lines
    group by basket_id, household_id, store_id, week, purchased_at, purchase_date

)

select * from lines_summed
