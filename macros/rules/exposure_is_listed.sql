{# PM107 #}
{% macro exposure_is_listed(mesh) %}
  {% set findings = [] %}
  {% for exposure in mesh.exposures %}
    {% for id in exposure.depends_on.nodes
        if id in mesh.ports and not portmesh.is_consumer(mesh.ports[id], exposure.name) %}
      {% set port = mesh.ports[id] %}
      {% do findings.append(portmesh.finding('PM107', exposure,
          'The exposure ' ~ exposure.name ~ ' reads ' ~ portmesh.label_of(port) ~ ' but is not one of its consumers.',
          portmesh.how_to_be_listed(mesh, port, exposure.name))) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
