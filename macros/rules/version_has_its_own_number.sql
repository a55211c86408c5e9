{# PM103, only as a warning: each version has its own table and records, so a shared number breaks nothing. #}
{% macro version_has_its_own_number(mesh) %}
  {% set warnings, first = [], {} %}
  {% for port in mesh.ports.values() if portmesh.meta_of(port).version %}
    {% set number = portmesh.meta_of(port).version | string %}
    {% set namesake = first.setdefault(port.package_name ~ '.' ~ port.name ~ ' ' ~ number, port) %}
    {% if namesake.unique_id != port.unique_id %}
      {% do warnings.append(portmesh.finding('PM103', port,
          portmesh.label_of(port) ~ ' has the same contract version as ' ~ portmesh.label_of(namesake) ~ ': '
          ~ number ~ '.',
          'Give each entry under versions its own config.meta.version, such as ' ~ port.version ~ '.0.0')) %}
    {% endif %}
  {% endfor %}
  {{ return(warnings) }}
{% endmacro %}
