{# What to do for a reader that is not among the consumers of a port. #}
{% macro how_to_be_listed(mesh, port, name) %}
  {%- set consumers = portmesh.consumers_of(port) | map(attribute='name') | select('string') | list -%}
  {%- set near = portmesh.nearest_name(name, consumers) -%}
  {%- set file = (port.patch_path or port.original_file_path).split('/') | last -%}
  {{- return('Ask the owner (' ~ portmesh.owner_of(port) ~ ') to add ' ~ name ~ ' to ' ~ file ~ ', with a purpose'
      ~ (' (it lists ' ~ near ~ ', is that a misspelling?)' if near)) -}}
{% endmacro %}
