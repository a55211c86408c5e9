with

measurements as (

    select * from {{ mesh_records('measurements') }}

),

renamed as (

    select
        cast(invocation_id as {{ dbt.type_string() }}) as invocation_id,
        cast(port_id as {{ dbt.type_string() }}) as port_id,
        cast(check_id as {{ dbt.type_string() }}) as check_id,

        cast(product as {{ dbt.type_string() }}) as product,
        cast(port as {{ dbt.type_string() }}) as port,
        cast(kind as {{ dbt.type_string() }}) as kind,
        cast(dimension as {{ dbt.type_string() }}) as dimension,
        cast(status as {{ dbt.type_string() }}) as status,

        cast(failures as bigint) as failures,
        cast(row_count as bigint) as row_count,

        cast(measured_at as {{ dbt.type_timestamp() }}) as measured_at
    from measurements

)

select * from renamed
