{# PM115 #}
{% macro exemption_is_valid(mesh) %}
  {% set findings = [] %}
  {% set nodes = mesh.groups + mesh.readers + mesh.tests + mesh.sources + mesh.exposures %}
  {% for node in nodes if 'exemptions' in (node.config.meta or {}) %}
    {% set exemptions = node.config.meta.exemptions %}
    {% set is_list = exemptions is sequence and exemptions is not string and exemptions is not mapping %}
    {% for exemption in (exemptions if is_list else [none]) %}
      {% set problem = portmesh.exemption_problem(exemption) if is_list else 's are not a list' %}
      {% if problem %}
        {% do findings.append(portmesh.finding('PM115', node,
            portmesh.label_of(node) ~ ': its exemption' ~ (' ' if is_list) ~ problem ~ '.',
            'Fix the cause, or write {rule: PM106, reason: ..., until: 2027-01-31}')) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
