{# Fails if a week number is missing. An empty batch adds no rows, so no other check would notice it. #}
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
