{% macro is_exempt(finding) %}
  {% set exemptions = finding.exemptions if finding.exemptions is sequence and finding.exemptions is not string else [] %}
  {% for exemption in exemptions if not portmesh.exemption_problem(exemption) and exemption.rule == finding.code %}
    {{ return(true) }}
  {% endfor %}
  {{ return(false) }}
{% endmacro %}

{# Only what a domain owes about its own product may wait. A rule that protects others has no exemption. #}
{% macro exemptible_rules() %}
  {{- return(['PM101', 'PM102', 'PM103', 'PM106', 'PM113', 'PM114']) -}}
{% endmacro %}

{# What is wrong with an exemption, or nothing. #}
{% macro exemption_problem(exemption) %}
  {% if exemption is not mapping %}{{ return('is not a mapping of rule, reason and until') }}{% endif %}
  {% set until = exemption.until | string %}
  {% if exemption.rule not in portmesh.exemptible_rules() %}
    {{ return('names the rule ' ~ (exemption.rule or 'nothing') ~ '; only ' ~ portmesh.exemptible_rules() | join(', ') ~ ' can be exempted') }}
  {% endif %}
  {% if not exemption.reason or exemption.reason is not string %}{{ return('of ' ~ exemption.rule ~ ' has no reason') }}{% endif %}
  {% if not portmesh.is_date(until) %}{{ return('of ' ~ exemption.rule ~ ' has no end date: until is ' ~ (exemption.until or 'missing')) }}{% endif %}
  {% if until < portmesh.today() %}{{ return('of ' ~ exemption.rule ~ ' was over on ' ~ until) }}{% endif %}
  {{ return('') }}
{% endmacro %}
