with

landed as (

    select * from {{ source('advertising', 'promotions') }}

),

renamed as (

    select
        cast(product_id as bigint) as product_id,
        cast(store_id as bigint) as store_id,

        cast(week as smallint) as week,
        cast(display_location as {{ dbt.type_string() }}) as display_location,
        cast(mailer_location as {{ dbt.type_string() }}) as mailer_location,

        cast(_batch_id as {{ dbt.type_string() }}) as _batch_id,
        cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at
    from landed

)

select * from renamed
