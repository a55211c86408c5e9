with

landed as (

    select * from {{ source('tills', 'transactions') }}

),

renamed as (

    select
        cast(basket_id as bigint) as basket_id,
        cast(product_id as bigint) as product_id,
        cast(household_id as bigint) as household_id,
        cast(store_id as bigint) as store_id,

        cast(week as smallint) as week,

        cast(quantity as int) as quantity,
        -- The file has floating-point numbers. The cast turns 20 values such as 1.776e-15 into 0.
        cast(sales_value as decimal(10, 2)) as sales_value,
        cast(retail_disc as decimal(10, 2)) as retail_discount,
        cast(coupon_disc as decimal(10, 2)) as coupon_discount,
        cast(coupon_match_disc as decimal(10, 2)) as coupon_match_discount,

        cast(transaction_timestamp as {{ dbt.type_timestamp() }}) as purchased_at,
        {{ store_date('transaction_timestamp') }} as purchase_date,

        cast(_batch_id as {{ dbt.type_string() }}) as _batch_id,
        cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at
    from landed

)

select * from renamed
