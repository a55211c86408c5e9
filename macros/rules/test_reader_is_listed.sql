{# PM108: covers generic and singular tests; a singular test may also be a finding of PM113. #}
{% macro test_reader_is_listed(mesh) %}
  {% set findings = [] %}
  {% for test in mesh.tests %}
    {% set domain = test.package_name %}
    {% for id in test.depends_on.nodes if id in mesh.ports %}
      {% set port = mesh.ports[id] %}
      {% if port.package_name != domain and not portmesh.is_consumer(port, domain) %}
        {% do findings.append(portmesh.finding('PM108', test,
            'The test ' ~ test.name ~ ' of ' ~ domain ~ ' reads ' ~ portmesh.label_of(port) ~ ', but ' ~ domain
            ~ ' is not one of its consumers.',
            portmesh.how_to_be_listed(mesh, port, domain))) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
