with

households as (

    select * from {{ ref('customers', 'households') }}

),

needed_columns as (

    select
        household_id,
        _landed_at
    from households

)

select * from needed_columns
