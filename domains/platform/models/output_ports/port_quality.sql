with

measurements as (

    select * from {{ ref('stg_records__measurements') }}

),

-- A run may try to publish a port twice: first the rows that it starts from, then its increment. All checks of an
-- attempt have the same time.
attempts_dated as (

    select distinct
        product,
        port_id,
        invocation_id,
        measured_at
    from measurements

),

attempts_ranked as (

    select
        product,
        port_id,
        invocation_id,
        measured_at,
        row_number() over (
            partition by product, port_id
            order by measured_at desc, invocation_id desc
        ) as recency_rank
    from attempts_dated

),

latest_attempts as (

    select
        product,
        port_id,
        invocation_id,
        measured_at
    from attempts_ranked
    where recency_rank = 1

),

checks_rated as (

    select
        measurements.product,
        measurements.port,
        measurements.dimension,
        measurements.status,
        measurements.failures,
        latest_attempts.measured_at,
        case
            when measurements.failures = 0 then 1
            -- These checks have one result for the whole port, so 1 failure is not one bad row.
            when measurements.kind in ('fresh_within', 'row_count_between', 'not_null_share') then 0
            -- A check may count one row twice, so the share must not fall below 0.
            when measurements.row_count > measurements.failures
                then 1 - cast(measurements.failures as double) / cast(measurements.row_count as double)
            else 0
        end as good_row_share
    from measurements
    inner join latest_attempts
        on
            measurements.product = latest_attempts.product
            and measurements.port_id = latest_attempts.port_id
            and measurements.invocation_id = latest_attempts.invocation_id
            and measurements.measured_at = latest_attempts.measured_at

),

dimensions_summed as (

    select
        product,
        port,
        dimension,
        cast(count(*) as int) as checks,
        cast(sum(case when status = 'pass' then 1 else 0 end) as int) as passed_checks,
        cast(sum(case when status = 'warn' then 1 else 0 end) as int) as warned_checks,
        cast(sum(case when status = 'fail' then 1 else 0 end) as int) as failed_checks,
        cast(sum(failures) as bigint) as failures,
        cast(min(good_row_share) as double) as good_row_share,
        cast(max(measured_at) as {{ dbt.type_timestamp() }}) as measured_at
    from checks_rated
    group by product, port, dimension

)

select * from dimensions_summed
