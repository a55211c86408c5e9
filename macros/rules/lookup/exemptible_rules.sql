{# Only rules about a domain's own product can be exempted, not the rules that protect other domains. #}
{% macro exemptible_rules() %}
  {{- return(['PM101', 'PM102', 'PM103', 'PM106', 'PM113', 'PM114', 'PM121']) -}}
{% endmacro %}
