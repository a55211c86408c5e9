with

households as (

    select * from {{ ref('customers', 'households') }}

),

baskets as (

    select * from {{ ref('orders', 'baskets') }}

),

-- Counts up to the last day with sales, not today. Otherwise a late batch would make every household look as if
-- it had stopped shopping.
last_day_found as (

    select max(purchase_date) as as_of_date
    from baskets

),

baskets_dated as (

    select
        baskets.household_id,
        baskets.purchase_date,
        baskets.sales_value,
        {{ dbt.datediff('baskets.purchase_date', 'last_day_found.as_of_date', 'day') }} as days_ago
    from baskets
    cross join last_day_found

),

baskets_summed as (

    select
        household_id,
        min(purchase_date) as first_purchase_date,
        max(purchase_date) as last_purchase_date,
        min(days_ago) as recency_days,
        max(days_ago) - min(days_ago) as purchase_days_spanned,
        count(*) as trips,
        sum(case when days_ago < 28 then 1 else 0 end) as trips_last_28_days,
        sum(sales_value) as sales_value,
        sum(case when days_ago < 28 then sales_value else 0 end) as sales_value_last_28_days
    from baskets_dated
    group by household_id

),

every_household_listed as (

    select
        households.household_id,
        cast(baskets_summed.first_purchase_date as date) as first_purchase_date,
        cast(baskets_summed.last_purchase_date as date) as last_purchase_date,
        cast(baskets_summed.recency_days as int) as recency_days,
        cast(coalesce(baskets_summed.trips, 0) as int) as trips,
        cast(coalesce(baskets_summed.trips_last_28_days, 0) as int) as trips_last_28_days,
        cast(
            cast(baskets_summed.purchase_days_spanned as double) / nullif(baskets_summed.trips - 1, 0) as double
        ) as average_days_between_trips,
        cast(coalesce(baskets_summed.sales_value, 0) as decimal(12, 2)) as sales_value,
        cast(coalesce(baskets_summed.sales_value_last_28_days, 0) as decimal(12, 2)) as sales_value_last_28_days,
        -- Rounds to six places first: as a double, 2.01 / 2 is slightly below 1.005, and engines would round it
        -- differently.
        cast(
            cast(cast(baskets_summed.sales_value as double) / baskets_summed.trips as decimal(18, 6)) as decimal(12, 2)
        ) as average_basket_value,
        cast(last_day_found.as_of_date as date) as as_of_date,
        households._landed_at
    from households
    cross join last_day_found
    left join baskets_summed
        on households.household_id = baskets_summed.household_id

)

select * from every_household_listed
