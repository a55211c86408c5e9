{% macro is_exempt(finding) %}
  {% set exemptions = finding.exemptions if finding.exemptions is sequence and finding.exemptions is not string else [] %}
  {% for exemption in exemptions if not portmesh.exemption_problem(exemption) and exemption.rule == finding.code %}
    {{ return(true) }}
  {% endfor %}
  {{ return(false) }}
{% endmacro %}
