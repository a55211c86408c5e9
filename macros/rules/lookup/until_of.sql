{# The last day of a consumer, or nothing: of two entries of one name the later holds. What is no date is PM114's. #}
{% macro until_of(port, name) %}
  {%- set days = [] -%}
  {%- for consumer in portmesh.consumers_of(port) if consumer.name == name -%}
    {%- do days.append(consumer.until | string if portmesh.is_date(consumer.until) else '') -%}
  {%- endfor -%}
  {{- return(days | max if days and '' not in days else '') -}}
{% endmacro %}
