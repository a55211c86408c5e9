-- depends_on: {{ ref('coupons') }}
with

redemptions as (

    select * from {{ ref('stg_advertising__coupon_redemptions') }}

),

campaigns as (

    select * from {{ ref('campaigns') }}

),

validity_marked as (

    select
        redemptions.household_id,
        redemptions.coupon_upc,
        redemptions.campaign_id,
        redemptions.redemption_date,
        cast(campaigns.campaign_id is not null as boolean) as is_within_campaign,
        redemptions._landed_at
    from redemptions
    left join campaigns
        on
            redemptions.campaign_id = campaigns.campaign_id
            and redemptions.redemption_date between campaigns.start_date and campaigns.end_date

)

select * from validity_marked
