{#
  dbt_project.yml and packages.yml of every package, as dbt has parsed them. `graph` does not have them, so they come
  from the objects behind builtins.ref (decision 0013), which no macro named ref can hide.
#}
{% macro read_packages() %}
  {{- return(builtins.ref.config.load_dependencies()) -}}
{% endmacro %}
