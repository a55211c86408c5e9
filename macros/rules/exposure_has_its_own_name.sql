{# PM117: a port's list of consumers identifies an exposure by its name alone. #}
{% macro exposure_has_its_own_name(mesh) %}
  {% set findings, first = [], {} %}
  {% for exposure in mesh.exposures %}
    {% set namesake = first.setdefault(exposure.name, exposure) %}
    {% set taken = 'a domain' if exposure.name in mesh.domains or exposure.name in mesh.unread
        else 'an exposure of ' ~ namesake.package_name if namesake.package_name != exposure.package_name %}
    {% if taken %}
      {% do findings.append(portmesh.finding('PM117', exposure,
          'The exposure ' ~ exposure.name ~ ' has the same name as ' ~ taken
          ~ ", so a port's list of consumers could not tell them apart.",
          'Rename it, and ask the owners of the ports to list the new name')) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
