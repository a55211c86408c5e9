{# What is wrong with an exemption; empty if it is valid. #}
{% macro exemption_problem(exemption) %}
  {% if exemption is not mapping %}{{ return('is not a mapping with rule, reason and until') }}{% endif %}
  {% set until = exemption.until | string %}
  {% set exemptible = portmesh.allowed_values('exemptible rule') %}
  {% if exemption.rule not in exemptible %}
    {{ return('names the rule ' ~ (exemption.rule or 'nothing')
        ~ '; only ' ~ exemptible | join(', ') ~ ' can be exempted') }}
  {% endif %}
  {% if not exemption.reason or exemption.reason is not string %}
    {{ return('from ' ~ exemption.rule ~ ' has no reason') }}
  {% elif not portmesh.is_date(until) %}
    {{ return('from ' ~ exemption.rule ~ ' has no end date: until is ' ~ (exemption.until or 'missing')) }}
  {% endif %}
  {% if until < portmesh.today_utc() %}{{ return('from ' ~ exemption.rule ~ ' expired on ' ~ until) }}{% endif %}
  {{ return('') }}
{% endmacro %}
