{# The age is measured from the start of the run, in UTC, so that all checks of a run use the same time. #}
{% test fresh_within(model, column_name, count, period) %}
  {%- set periods = ['minute', 'hour', 'day'] -%}
  {%- do portmesh.assert_argument('fresh_within', 'period', period, period in periods,
      periods | join(', '), 'choose one of them') -%}
  {%- do portmesh.assert_argument('fresh_within', 'count', count, portmesh.is_number(count) and count > 0,
      'a number above 0', 'set how many ' ~ period ~ 's old the newest row may be') -%}
  {%- set oldest = run_started_at - modules.datetime.timedelta(**{period ~ 's': count}) -%}
with newest_row as (
    select max({{ column_name }}) as newest
    from {{ model }}
)

select newest
from newest_row
where newest is null or newest < cast('{{ oldest.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
{% endtest %}
