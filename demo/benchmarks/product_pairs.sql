with

lines as (

    select * from {{ ref('orders', 'order_lines') }}
    where quantity > 0 and not is_fuel

),

all_baskets as (

    select
        count(distinct basket_id) as all_baskets,
        max(_landed_at) as _landed_at
    from lines

),

products as (

    select
        product_id,
        count(*) as baskets
    from lines
    group by product_id
    having count(*) >= 50

),

bought as (

    select
        lines.basket_id,
        lines.product_id,
        products.baskets
    from lines
    inner join products
        on lines.product_id = products.product_id

),

pairs as (

    select
        bought.product_id,
        other.product_id as other_product_id,
        bought.baskets as product_baskets,
        other.baskets as other_product_baskets,
        count(*) as pair_baskets
    from bought
    inner join bought as other
        on bought.basket_id = other.basket_id and bought.product_id < other.product_id
    group by bought.product_id, other.product_id, bought.baskets, other.baskets
    having count(*) >= 50

),

measured as (

    select
        pairs.product_id,
        pairs.other_product_id,
        pairs.pair_baskets,
        pairs.product_baskets,
        pairs.other_product_baskets,
        pairs.pair_baskets / all_baskets.all_baskets as support,
        pairs.pair_baskets / pairs.product_baskets as confidence,
        pairs.pair_baskets / pairs.other_product_baskets as reverse_confidence,
        cast(pairs.pair_baskets as double) * all_baskets.all_baskets
        / (cast(pairs.product_baskets as double) * pairs.other_product_baskets) as lift,
        all_baskets._landed_at
    from pairs
    cross join all_baskets

)

select * from measured
where lift > 1
