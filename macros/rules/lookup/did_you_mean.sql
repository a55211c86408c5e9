{# A sentence with the known name that is like the one given, a blank before it; else nothing. #}
{% macro did_you_mean(name, known) %}
  {%- set near = portmesh.nearest_name(name, known) -%}
  {{- return(' Did you mean ' ~ near ~ '?' if near else '') -}}
{% endmacro %}
