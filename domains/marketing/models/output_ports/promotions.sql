{{ config(unique_key='_batch_id') }}

-- depends_on: {{ ref('int_marketing__products_selected') }}
with

promotions as (

    select * from {{ ref('stg_advertising__promotions') }}

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
    from {{ ref('stg_advertising__promotions') }}

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

new_promotions as (

    select promotions.*
    from promotions
    inner join new_batches
        on promotions._batch_id = new_batches._batch_id

),
{% else %}
new_promotions as (

    select * from promotions

),
{% endif %}

-- Two rows of one key complete each other: where they differ, one says 0 (none), except 9 keys with A
-- and D, of which the later letter is also the more prominent place.
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
