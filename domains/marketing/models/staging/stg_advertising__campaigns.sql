with

landed as (

    select * from {{ source('advertising', 'campaign_descriptions') }}

),

newest_export as (

    select *
    from landed
    where _batch_id = (select max(all_exports._batch_id) from landed as all_exports)

),

renamed as (

    select
        cast(campaign_id as bigint) as campaign_id,

        cast(campaign_type as {{ dbt.type_string() }}) as campaign_type,

        cast(start_date as date) as start_date,
        cast(end_date as date) as end_date,

        cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at
    from newest_export

)

select * from renamed
