with

landed as (

    select * from {{ source('advertising', 'campaigns') }}

),

newest_export as (

    select *
    from landed
    where _batch_id = (select max(all_exports._batch_id) from landed as all_exports)

),

renamed as (

    select
        cast(campaign_id as bigint) as campaign_id,
        cast(household_id as bigint) as household_id,

        cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at
    from newest_export

)

select * from renamed
