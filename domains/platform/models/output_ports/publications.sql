with

publications as (

    select * from {{ ref('stg_records__publications') }}

),

verdicts_read as (

    select
        invocation_id,
        product,
        port,
        attempted_at,
        verdict,
        kind,
        contract_version,
        version_name,
        replaced_version_name,
        row_count,
        failed_checks,
        duration_seconds
    from publications

)

select * from verdicts_read
