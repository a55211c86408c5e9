{# The name of the version that this run writes (see version_pattern). If the run has already published a first version
   (start_port), the increment after it gets a name one second later. #}
{% macro new_version_name(port, current) %}
  {%- set is_second = current and current.version[-6:] == invocation_id[:6] -%}
  {%- set at = run_started_at + modules.datetime.timedelta(seconds=1 if is_second else 0) -%}
  {{- return(port.alias ~ '__' ~ at.strftime('%Y%m%d_%H%M%S') ~ '_' ~ invocation_id[:6]) -}}
{% endmacro %}
