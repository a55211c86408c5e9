with

landed as (

    select * from {{ source('advertising', 'coupons') }}

),

newest_export as (

    select *
    from landed
    where _batch_id = (select max(all_exports._batch_id) from landed as all_exports)

),

renamed as (

    select
        cast(coupon_upc as bigint) as coupon_upc,
        cast(product_id as bigint) as product_id,
        cast(campaign_id as bigint) as campaign_id,

        cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at
    from newest_export

)

select * from renamed
