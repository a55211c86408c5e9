{# PM104 #}
{% macro consumer_is_listed(mesh) %}
  {% set findings = [] %}
  {% for reader in mesh.readers %}
    {% for id in (reader.depends_on or {}).get('nodes', []) if id in mesh.ports %}
      {% set port = mesh.ports[id] %}
      {% set domain = reader.package_name %}
      {% if port.package_name != domain and not portmesh.is_consumer(port, domain) %}
        {% do findings.append(portmesh.finding('PM104', reader,
            domain ~ ' reads ' ~ portmesh.label_of(port) ~ ' but is not one of its consumers.',
            portmesh.how_to_be_listed(mesh, port, domain), portmesh.file_of(reader))) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
