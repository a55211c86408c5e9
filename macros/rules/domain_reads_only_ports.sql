{# PM116: dbt itself protects only models, and only in a domain that sets restrict-access. #}
{% macro domain_reads_only_ports(mesh) %}
  {% set findings = [] %}
  {% for reader in mesh.readers + mesh.tests + mesh.exposures %}
    {% for id in (reader.depends_on or {}).get('nodes', []) if id in mesh.resources and id not in mesh.ports %}
      {% set read = mesh.resources[id] %}
      {% set owner = read.package_name %}
      {% if owner not in [reader.package_name, project_name] %}
        {% do findings.append(portmesh.finding('PM116', reader,
            portmesh.label_of(reader) ~ ' reads ' ~ portmesh.label_of(read) ~ ', a ' ~ portmesh.kind_of(read)
            ~ ' of ' ~ owner ~ ', not a port.',
            'Read an output port of ' ~ owner ~ " with ref('" ~ owner ~ "', '<port>'); if there is none, ask "
            ~ portmesh.owner_of(read) ~ ' for one',
            portmesh.file_of(reader))) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
