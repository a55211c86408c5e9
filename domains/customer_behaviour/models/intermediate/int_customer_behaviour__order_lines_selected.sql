with

order_lines as (

    select * from {{ ref('orders', 'order_lines') }}

),

needed_columns as (

    select
        household_id,
        product_id,
        sales_value,
        _landed_at
    from order_lines

)

select * from needed_columns
