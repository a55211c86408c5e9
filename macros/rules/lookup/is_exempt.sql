{% macro is_exempt(finding) %}
  {% set given = finding.exemptions %}
  {% set exemptions = given if given is sequence and given is not string else [] %}
  {% for exemption in exemptions if not portmesh.exemption_problem(exemption) and exemption.rule == finding.code %}
    {{ return(true) }}
  {% endfor %}
  {{ return(false) }}
{% endmacro %}
