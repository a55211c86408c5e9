with

baskets as (

    select * from {{ ref('orders', 'baskets') }}

),

needed_columns as (

    select
        household_id,
        _landed_at
    from baskets

)

select * from needed_columns
