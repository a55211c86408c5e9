{# ' Did you mean X?', with the known name most similar to the one given; empty if none is similar. #}
{% macro did_you_mean(name, known) %}
  {%- set near = portmesh.nearest_name(name, known) -%}
  {{- return(' Did you mean ' ~ near ~ '?' if near else '') -}}
{% endmacro %}
