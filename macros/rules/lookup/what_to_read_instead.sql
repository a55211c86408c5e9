{# The fix for a reader of a deprecated port or version, without a full stop. #}
{% macro what_to_read_instead(port) %}
  {%- if port.version and port.version | string != port.latest_version | string -%}
    {{- return("Read ref('" ~ port.package_name ~ "', '" ~ port.name ~ "', v=" ~ port.latest_version ~ ')') -}}
  {%- endif -%}
  {{- return('Ask the owner (' ~ portmesh.owner_of(port) ~ ') what to read instead') -}}
{% endmacro %}
