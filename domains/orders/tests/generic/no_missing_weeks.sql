{# Weeks are numbered without gaps: an empty batch brings no row that another check could look at. #}
{% test no_missing_weeks(model, column_name) %}
with weeks_counted as (
    select
        count(distinct {{ column_name }}) as weeks,
        max({{ column_name }}) - min({{ column_name }}) + 1 as weeks_expected
    from {{ model }}
)

select
    weeks,
    weeks_expected
from weeks_counted
where weeks < weeks_expected
{% endtest %}
