{{ config(unique_key='_batch_id') }}

with

transactions as (

    select * from {{ ref('stg_tills__transactions') }}

),

products as (

    select * from {{ ref('int_orders__products_selected') }}

),

{% if is_incremental() %}
published_batches as (

    select distinct
        _batch_id,
        _landed_at
    from {{ this }}

),

-- Not from the CTE above: DuckDB would write all landed rows down to read them twice.
landed_batches as (

    select distinct
        _batch_id,
        _landed_at
    from {{ ref('stg_tills__transactions') }}

),

-- By what is published and not by the newest date: a batch may land late, or again with corrections.
new_batches as (

    select landed_batches._batch_id
    from landed_batches
    left join published_batches
        on
            landed_batches._batch_id = published_batches._batch_id
            and landed_batches._landed_at = published_batches._landed_at
    where published_batches._batch_id is null

),

new_transactions as (

    select transactions.*
    from transactions
    inner join new_batches
        on transactions._batch_id = new_batches._batch_id

),
{% else %}
new_transactions as (

    select * from transactions

),
{% endif %}

lines_identified as (

    select
        cast({{ dbt.concat([
            "cast(new_transactions.basket_id as " ~ dbt.type_string() ~ ")",
            "'_'",
            "cast(new_transactions.product_id as " ~ dbt.type_string() ~ ")",
        ]) }} as {{ dbt.type_string() }}) as order_line_id,
        new_transactions.basket_id,
        new_transactions.product_id,
        new_transactions.household_id,
        new_transactions.store_id,
        new_transactions.week,
        cast(coalesce(products.is_fuel, false) as boolean) as is_fuel,
        new_transactions.quantity,
        new_transactions.sales_value,
        new_transactions.retail_discount,
        new_transactions.coupon_discount,
        new_transactions.coupon_match_discount,
        new_transactions.purchased_at,
        new_transactions.purchase_date,
        new_transactions._batch_id,
        new_transactions._landed_at
    from new_transactions
    left join products
        on new_transactions.product_id = products.product_id

)

select * from lines_identified
