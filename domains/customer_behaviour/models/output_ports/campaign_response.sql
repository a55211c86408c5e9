with

campaigns as (

    select * from {{ ref('marketing', 'campaigns') }}

),

campaign_targets as (

    select * from {{ ref('marketing', 'campaign_targets') }}

),

coupon_redemptions as (

    select * from {{ ref('marketing', 'coupon_redemptions') }}

),

baskets as (

    select * from {{ ref('orders', 'baskets') }}

),

recorded_days_found as (

    select
        min(purchase_date) as first_date,
        max(purchase_date) as last_date
    from baskets

),

windows_laid as (

    select
        campaign_id,
        campaign_type,
        start_date,
        end_date,
        cast({{ dbt.dateadd('day', '-duration_days', 'start_date') }} as date) as before_start_date,
        cast({{ dbt.dateadd('day', 'duration_days', 'end_date') }} as date) as after_end_date,
        _landed_at
    from campaigns

),

windows_compared_with_records as (

    select
        windows_laid.*,
        windows_laid.before_start_date >= recorded_days_found.first_date as is_before_recorded,
        windows_laid.start_date >= recorded_days_found.first_date
        and windows_laid.end_date <= recorded_days_found.last_date as is_during_recorded,
        windows_laid.after_end_date <= recorded_days_found.last_date as is_after_recorded
    from windows_laid
    cross join recorded_days_found

),

targets_windowed as (

    select
        campaign_targets.household_id,
        windows_compared_with_records.campaign_id,
        windows_compared_with_records.campaign_type,
        windows_compared_with_records.start_date,
        windows_compared_with_records.end_date,
        windows_compared_with_records.before_start_date,
        windows_compared_with_records.after_end_date,
        windows_compared_with_records.is_before_recorded,
        windows_compared_with_records.is_during_recorded,
        windows_compared_with_records.is_after_recorded,
        case
            when campaign_targets._landed_at > windows_compared_with_records._landed_at
                then campaign_targets._landed_at
            else windows_compared_with_records._landed_at
        end as _landed_at
    from campaign_targets
    inner join windows_compared_with_records
        on campaign_targets.campaign_id = windows_compared_with_records.campaign_id

),

spend_summed as (

    select
        targets_windowed.campaign_id,
        targets_windowed.household_id,
        sum(
            case when baskets.purchase_date < targets_windowed.start_date then baskets.sales_value else 0 end
        ) as spend_before,
        sum(
            case
                when baskets.purchase_date between targets_windowed.start_date and targets_windowed.end_date
                    then baskets.sales_value
                else 0
            end
        ) as spend_during,
        sum(
            case when baskets.purchase_date > targets_windowed.end_date then baskets.sales_value else 0 end
        ) as spend_after,
        max(baskets._landed_at) as _landed_at
    from targets_windowed
    inner join baskets
        on
            targets_windowed.household_id = baskets.household_id
            and baskets.purchase_date between targets_windowed.before_start_date and targets_windowed.after_end_date
    group by targets_windowed.campaign_id, targets_windowed.household_id

),

redemptions_counted as (

    select
        campaign_id,
        household_id,
        count(*) as redemptions,
        min(redemption_date) as first_redemption_date,
        max(_landed_at) as _landed_at
    from coupon_redemptions
    group by campaign_id, household_id

),

response_joined as (

    select
        targets_windowed.campaign_id,
        targets_windowed.household_id,
        targets_windowed.campaign_type,
        targets_windowed.start_date,
        targets_windowed.end_date,
        cast(redemptions_counted.redemptions is not null as boolean) as has_redeemed,
        cast(coalesce(redemptions_counted.redemptions, 0) as int) as redemptions,
        cast(redemptions_counted.first_redemption_date as date) as first_redemption_date,
        -- Null unless the records cover the whole window; a partial window would look like a change in spend.
        cast(
            case when targets_windowed.is_before_recorded then coalesce(spend_summed.spend_before, 0) end
            as decimal(12, 2)
        ) as spend_before,
        cast(
            case when targets_windowed.is_during_recorded then coalesce(spend_summed.spend_during, 0) end
            as decimal(12, 2)
        ) as spend_during,
        cast(
            case when targets_windowed.is_after_recorded then coalesce(spend_summed.spend_after, 0) end
            as decimal(12, 2)
        ) as spend_after,
        cast(
            greatest(
                targets_windowed._landed_at,
                coalesce(spend_summed._landed_at, targets_windowed._landed_at),
                coalesce(redemptions_counted._landed_at, targets_windowed._landed_at)
            ) as {{ dbt.type_timestamp() }}
        ) as _landed_at
    from targets_windowed
    left join spend_summed
        on
            targets_windowed.campaign_id = spend_summed.campaign_id
            and targets_windowed.household_id = spend_summed.household_id
    left join redemptions_counted
        on
            targets_windowed.campaign_id = redemptions_counted.campaign_id
            and targets_windowed.household_id = redemptions_counted.household_id

)

select * from response_joined
