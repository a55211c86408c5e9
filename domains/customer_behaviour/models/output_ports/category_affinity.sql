-- depends_on: {{ ref('customers', 'households') }}
with

order_lines as (

    select * from {{ ref('orders', 'order_lines') }}

),

products as (

    select * from {{ ref('catalogue', 'products') }}

),

lines_categorised as (

    select
        order_lines.household_id,
        order_lines.sales_value,
        order_lines._landed_at,
        -- Fuel is in two categories, one of which is named after coupons.
        case when products.is_fuel then 'FUEL' else products.product_category end as product_category
    from order_lines
    inner join products
        on order_lines.product_id = products.product_id

),

household_categories_summed as (

    select
        household_id,
        product_category,
        sum(sales_value) as sales_value,
        max(_landed_at) as _landed_at
    from lines_categorised
    where product_category is not null
    group by household_id, product_category

),

totals_added as (

    select
        household_id,
        product_category,
        sales_value,
        _landed_at,
        sum(sales_value) over (partition by household_id) as household_value,
        sum(sales_value) over (partition by product_category) as category_value,
        sum(sales_value) over () as total_value
    from household_categories_summed

),

shares_compared as (

    select
        household_id,
        product_category,
        sales_value,
        _landed_at,
        cast(sales_value as double) / cast(household_value as double) as household_share,
        cast(category_value as double) / cast(total_value as double) as average_share
    from totals_added
    -- A category with no spend at all has no average share to compare with.
    where household_value > 0 and category_value > 0

),

affinity_measured as (

    select
        household_id,
        cast(product_category as {{ dbt.type_string() }}) as product_category,
        cast(sales_value as decimal(12, 2)) as sales_value,
        cast(household_share as double) as household_share,
        cast(average_share as double) as average_share,
        cast(household_share / average_share as double) as affinity,
        _landed_at
    from shares_compared

)

select * from affinity_measured
