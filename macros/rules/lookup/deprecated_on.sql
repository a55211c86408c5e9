{# The deprecation_date of a port or of a version of one, as 2027-06-30, or nothing. #}
{% macro deprecated_on(port) %}
  {{- return(((port.deprecation_date or '') | string)[:10]) -}}
{% endmacro %}
