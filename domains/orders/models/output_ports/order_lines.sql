{{ config(unique_key='_batch_id') }}

with

products as (

    select * from {{ ref('catalogue', 'products') }}

),

new_transactions as (

    {{ rows_of_new_batches(ref('stg_tills__transactions')) }}

),

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
