{# PM113 #}
{% macro singular_test_reads_no_port(mesh) %}
  {% set findings = [] %}
  {% for test in mesh.tests if not test.test_metadata %}
    {% for id in test.depends_on.nodes if id in mesh.ports %}
      {% do findings.append(portmesh.finding('PM113', test,
          'The singular test ' ~ test.name ~ ' reads ' ~ portmesh.label_of(mesh.ports[id])
          ~ ', so it would run only after the port is published.',
          'Make it a data test of the port, such as expression_is_true or your own generic test')) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
