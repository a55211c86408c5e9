{% macro today_utc() %}
  {{- return(run_started_at.strftime('%Y-%m-%d')) -}}
{% endmacro %}
