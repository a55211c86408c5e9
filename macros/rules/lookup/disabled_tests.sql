{% macro disabled_tests() %}
  {%- set found = [] -%}
  {%- for nodes in builtins.ref.manifest.disabled.values() -%}
    {%- do found.extend(nodes | selectattr('resource_type', 'equalto', 'test')) -%}
  {%- endfor -%}
  {{- return(found) -}}
{% endmacro %}
