{#
  dbt_project.yml and packages.yml of every package, as dbt has parsed them. `graph` has neither these nor macros nor
  what is switched off: all hang on dbt's own ref (decision 0013). A macro named ref would hide ref, not builtins.ref.
#}
{% macro read_packages() %}
  {{- return(builtins.ref.config.load_dependencies()) -}}
{% endmacro %}
