{# A consumer's last day; empty if it has none. Of two entries with one name, the later day counts. PM114 reports what
   is not a date. #}
{% macro until_of(port, name) %}
  {%- set days = [] -%}
  {%- for consumer in portmesh.consumers_of(port) if consumer.name == name -%}
    {%- do days.append(consumer.until | string if portmesh.is_date(consumer.until) else '') -%}
  {%- endfor -%}
  {{- return(days | max if days and '' not in days else '') -}}
{% endmacro %}
