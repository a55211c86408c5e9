{# Packages of others that bring models into the mesh. Any other package with a node in the graph is a domain and
   keeps the rules, whether it has a group or not. One that brings macros only, like dbt_utils, needs no entry. #}
{% macro third_party_packages() %}
  {{- return([]) -}}
{% endmacro %}
