{% macro create_lake_functions() %}
  {{- return(adapter.dispatch('create_lake_functions', 'portmesh')()) -}}
{% endmacro %}

{% macro default__create_lake_functions() %}{% endmacro %}
