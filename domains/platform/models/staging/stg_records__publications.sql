with

publications as (

    select * from {{ mesh_records('publications') }}

),

renamed as (

    select
        cast(invocation_id as {{ dbt.type_string() }}) as invocation_id,
        cast(port_id as {{ dbt.type_string() }}) as port_id,

        cast(product as {{ dbt.type_string() }}) as product,
        cast(port as {{ dbt.type_string() }}) as port,
        cast(contract_version as {{ dbt.type_string() }}) as contract_version,
        cast(version as {{ dbt.type_string() }}) as version_name,
        cast(replaces as {{ dbt.type_string() }}) as replaced_version_name,
        cast(kind as {{ dbt.type_string() }}) as kind,
        cast(verdict as {{ dbt.type_string() }}) as verdict,

        cast(row_count as bigint) as row_count,
        cast(failed_checks as int) as failed_checks,
        cast(seconds as double) as duration_seconds,

        cast(attempted_at as {{ dbt.type_timestamp() }}) as attempted_at
    from publications

)

select * from renamed
