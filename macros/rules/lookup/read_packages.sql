{# What dbt keeps beside `graph`, read here and nowhere else: dbt_project.yml and packages.yml of every package as dbt has
   parsed them, macros by id, and the nodes that a configuration switched off. #}
{% macro read_packages() %}
  {{- return(ref.config.load_dependencies()) -}}
{% endmacro %}

{% macro macros_by_package() %}
  {%- set found = {} -%}
  {%- for package, macros in ref.manifest.macros.values() | groupby('package_name') -%}{%- do found.update({package: macros}) -%}{%- endfor -%}
  {{- return(found) -}}
{% endmacro %}

{% macro disabled_tests() %}
  {%- set found = [] -%}
  {%- for nodes in ref.manifest.disabled.values() -%}
    {%- do found.extend(nodes | selectattr('resource_type', 'equalto', 'test')) -%}
  {%- endfor -%}
  {{- return(found) -}}
{% endmacro %}
