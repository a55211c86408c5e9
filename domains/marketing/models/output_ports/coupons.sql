-- depends_on: {{ ref('campaigns') }}
-- depends_on: {{ ref('catalogue', 'products') }}
with

coupons as (

    select * from {{ ref('stg_advertising__coupons') }}

),

copies_removed as (

    select
        coupon_upc,
        product_id,
        campaign_id,
        cast(count(*) as int) as landed_rows,
        max(_landed_at) as _landed_at
    from coupons
    group by coupon_upc, product_id, campaign_id

)

select * from copies_removed
