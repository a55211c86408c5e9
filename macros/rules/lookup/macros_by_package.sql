{% macro macros_by_package() %}
  {%- set found = {} -%}
  {%- for package, macros in builtins.ref.manifest.macros.values() | groupby('package_name') -%}
    {%- do found.update({package: macros}) -%}
  {%- endfor -%}
  {{- return(found) -}}
{% endmacro %}
