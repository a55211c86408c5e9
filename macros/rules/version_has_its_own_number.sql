{# PM103, as a warning: each version has a table and records of its own, so one number for two only misleads. #}
{% macro version_has_its_own_number(mesh) %}
  {% set warnings, first = [], {} %}
  {% for port in mesh.ports.values() if portmesh.meta_of(port).version %}
    {% set number = portmesh.meta_of(port).version | string %}
    {% set namesake = first.setdefault(port.package_name ~ '.' ~ port.name ~ ' ' ~ number, port) %}
    {% if namesake.unique_id != port.unique_id %}
      {% do warnings.append(portmesh.finding('PM103', port,
          portmesh.label_of(port) ~ ' has the contract version ' ~ number ~ ', and so has '
          ~ portmesh.label_of(namesake) ~ '.',
          'Set config.meta.version of each entry under versions, such as ' ~ port.version ~ '.0.0')) %}
    {% endif %}
  {% endfor %}
  {{ return(warnings) }}
{% endmacro %}
