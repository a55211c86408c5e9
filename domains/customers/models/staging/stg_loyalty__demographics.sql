with

landed as (

    select * from {{ source('loyalty', 'demographics') }}

),

newest_export as (

    select *
    from landed
    where _batch_id = (select max(all_exports._batch_id) from landed as all_exports)

),

renamed as (

    select
        cast(household_id as bigint) as household_id,

        cast(age as {{ dbt.type_string() }}) as age_band,
        cast(income as {{ dbt.type_string() }}) as income_band,
        cast(home_ownership as {{ dbt.type_string() }}) as home_ownership,
        cast(marital_status as {{ dbt.type_string() }}) as marital_status,
        cast(household_size as {{ dbt.type_string() }}) as household_size,
        cast(household_comp as {{ dbt.type_string() }}) as household_composition,
        cast(kids_count as {{ dbt.type_string() }}) as children_count,

        cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at
    from newest_export

)

select * from renamed
