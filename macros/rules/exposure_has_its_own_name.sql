{# PM117: an exposure's name is all that a port's list of consumers says about it. #}
{% macro exposure_has_its_own_name(mesh) %}
  {% set findings = [] %}
  {% set first = {} %}
  {% for exposure in mesh.exposures %}
    {% set namesake = first.setdefault(exposure.name, exposure) %}
    {% if exposure.name in mesh.domains %}
      {% do findings.append(portmesh.finding('PM117', exposure,
          'The exposure ' ~ exposure.name ~ ' has the name of a domain, and would be taken for it among the consumers of a port.',
          'Give it a name of its own, and ask the owners of the ports to list that')) %}
    {% elif namesake.package_name != exposure.package_name %}
      {% do findings.append(portmesh.finding('PM117', exposure,
          'The exposure ' ~ exposure.name ~ ' has the name of one of ' ~ namesake.package_name ~ ', and would be taken for it among the consumers of a port.',
          'Give it a name of its own, and ask the owners of the ports to list that')) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
