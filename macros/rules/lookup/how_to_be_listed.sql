{# The fix for a reader that is not one of the port's consumers, without a full stop. #}
{% macro how_to_be_listed(mesh, port, name) %}
  {%- set consumers = portmesh.consumers_of(port) | map(attribute='name') | select('string') | list -%}
  {%- set near = portmesh.nearest_name(name, consumers) -%}
  {%- set file = (port.patch_path or port.original_file_path).split('/') | last -%}
  {{- return('Ask the owner (' ~ portmesh.owner_of(port) ~ ') to add ' ~ name ~ ' to the consumers in ' ~ file
      ~ ', with a purpose' ~ (' (is ' ~ near ~ ' there a misspelling?)' if near)) -}}
{% endmacro %}
