{{ config(unique_key='_batch_id') }}

-- depends_on: {{ ref('catalogue', 'products') }}
with

new_promotions as (

    {{ rows_of_new_batches(ref('stg_advertising__promotions')) }}

),

-- Two rows with the same key complete each other: where they differ, one has 0 (none). The exception is 9 keys
-- with A and D, where max() keeps D, the more prominent place.
doubled_keys_merged as (

    select
        product_id,
        store_id,
        week,
        _batch_id,
        _landed_at,
        cast(count(*) as int) as landed_rows,
        max(display_location) as display_location,
        max(mailer_location) as mailer_location
    from new_promotions
    group by product_id, store_id, week, _batch_id, _landed_at

)

select * from doubled_keys_merged
