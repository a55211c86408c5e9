with

products as (

    select * from {{ ref('stg_assortment__products') }}

),

fuel_flagged as (

    select
        product_id,
        manufacturer_id,
        department,
        product_category,
        product_type,
        brand_type,
        package_size,
        -- Only the type identifies fuel, which is in two departments and two categories.
        cast(coalesce(product_type like 'GASOLINE%', false) as boolean) as is_fuel,
        _landed_at
    from products

)

select * from fuel_flagged
