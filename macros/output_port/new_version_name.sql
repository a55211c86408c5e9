{# A name for what this run writes of a port (version_pattern). A run that publishes the rows that a port starts from
   names the increment after them a second later. #}
{% macro new_version_name(port, current) %}
  {%- set is_second = current and current.version[-6:] == invocation_id[:6] -%}
  {%- set at = run_started_at + modules.datetime.timedelta(seconds=1 if is_second else 0) -%}
  {{- return(port.alias ~ '__' ~ at.strftime('%Y%m%d_%H%M%S') ~ '_' ~ invocation_id[:6]) -}}
{% endmacro %}
