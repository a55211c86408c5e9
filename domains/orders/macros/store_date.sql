{#
  Turns a UTC time into the day on the stores' clock (America/New_York).
  Example: {{ store_date('transaction_timestamp') }} as purchase_date
#}
{% macro store_date(utc_timestamp) %}
  {{- return(adapter.dispatch('store_date', 'orders')(utc_timestamp)) -}}
{% endmacro %}

{% macro duckdb__store_date(utc_timestamp) -%}
  cast(timezone('America/New_York', timezone('UTC', {{ utc_timestamp }})) as date)
{%- endmacro %}

{% macro spark__store_date(utc_timestamp) -%}
  cast(convert_timezone('UTC', 'America/New_York', {{ utc_timestamp }}) as date)
{%- endmacro %}

{% macro athena__store_date(utc_timestamp) -%}
  cast(at_timezone(with_timezone({{ utc_timestamp }}, 'UTC'), 'America/New_York') as date)
{%- endmacro %}
