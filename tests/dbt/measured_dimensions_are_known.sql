-- Every measurement counts towards one of the four dimensions; a misspelled one would be missing from every report.
with

measurements as (

    select * from ({{ all_records('measurements') }}) as recorded

),

dimensions as (

    select * from {{ ref('quality_dimensions') }}

),

measurements_without_dimension as (

    select measurements.*
    from measurements
    left join dimensions
        on measurements.dimension = dimensions.dimension
    where dimensions.dimension is null

)

select * from measurements_without_dimension
