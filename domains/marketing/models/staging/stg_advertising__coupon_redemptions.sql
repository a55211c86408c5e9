with

landed as (

    select * from {{ source('advertising', 'coupon_redemptions') }}

),

newest_export as (

    select *
    from landed
    where _batch_id = (select max(all_exports._batch_id) from landed as all_exports)

),

renamed as (

    select
        cast(household_id as bigint) as household_id,
        cast(coupon_upc as bigint) as coupon_upc,
        cast(campaign_id as bigint) as campaign_id,

        cast(redemption_date as date) as redemption_date,

        cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at
    from newest_export

)

select * from renamed
