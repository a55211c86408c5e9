-- depends_on: {{ ref('campaigns') }}
with

campaign_targets as (

    select * from {{ ref('stg_advertising__campaign_targets') }}

)

select * from campaign_targets
