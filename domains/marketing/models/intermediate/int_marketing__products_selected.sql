with

products as (

    select * from {{ ref('catalogue', 'products') }}

),

needed_columns as (

    select product_id
    from products

)

select * from needed_columns
