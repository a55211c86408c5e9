{# The deprecation_date of a port or one of its versions, such as 2027-06-30; empty if it has none. #}
{% macro deprecated_on(port) %}
  {{- return(((port.deprecation_date or '') | string)[:10]) -}}
{% endmacro %}
