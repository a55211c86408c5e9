{# Only what a domain owes about its own product may wait. A rule that protects others has no exemption. #}
{% macro exemptible_rules() %}
  {{- return(['PM101', 'PM102', 'PM103', 'PM106', 'PM113', 'PM114', 'PM121']) -}}
{% endmacro %}
