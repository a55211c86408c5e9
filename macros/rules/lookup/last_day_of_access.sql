{#
  The last day on which a domain or an exposure may read a port, as 2027-06-30, or nothing: `until` of its entry
  among the consumers or the deprecation_date of the port, whichever comes first.
#}
{% macro last_day_of_access(port, name) %}
  {%- set days = [portmesh.until_of(port, name), portmesh.deprecated_on(port)] | select | list -%}
  {{- return(days | min if days else '') -}}
{% endmacro %}
