with

landed as (

    select * from {{ source('assortment', 'products') }}

),

newest_export as (

    select *
    from landed
    where _batch_id = (select max(all_exports._batch_id) from landed as all_exports)

),

renamed as (

    select
        cast(product_id as bigint) as product_id,
        cast(manufacturer_id as bigint) as manufacturer_id,

        cast(department as {{ dbt.type_string() }}) as department,
        cast(product_category as {{ dbt.type_string() }}) as product_category,
        cast(product_type as {{ dbt.type_string() }}) as product_type,
        cast(brand as {{ dbt.type_string() }}) as brand_type,
        cast(package_size as {{ dbt.type_string() }}) as package_size,

        cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at
    from newest_export

)

select * from renamed
