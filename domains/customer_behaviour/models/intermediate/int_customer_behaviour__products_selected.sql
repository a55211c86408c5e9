with

products as (

    select * from {{ ref('catalogue', 'products') }}

),

needed_columns as (

    select
        product_id,
        product_category,
        is_fuel
    from products

)

select * from needed_columns
