{#
  The last day on which a domain or an exposure may read a port, such as 2027-06-30: its `until` as a consumer or the
  port's deprecation_date, whichever comes first. Empty if there is neither.
#}
{% macro last_day_of_access(port, name) %}
  {%- set days = [portmesh.until_of(port, name), portmesh.deprecated_on(port)] | select | list -%}
  {{- return(days | min if days else '') -}}
{% endmacro %}
