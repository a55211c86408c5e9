{# Third-party packages with models, which the rules ignore. Every other package with a node in the graph counts as a
   domain and must keep the rules, with or without a group. A package of macros only, like dbt_utils, needs no entry. #}
{% macro third_party_packages() %}
  {{- return([]) -}}
{% endmacro %}
