{# PM117: an exposure's name is all that a port's list of consumers says about it. #}
{% macro exposure_has_its_own_name(mesh) %}
  {% set findings, first = [], {} %}
  {% for exposure in mesh.exposures %}
    {% set namesake = first.setdefault(exposure.name, exposure) %}
    {% set taken = 'a domain' if exposure.name in mesh.domains
        else 'one of ' ~ namesake.package_name if namesake.package_name != exposure.package_name %}
    {% if taken %}
      {% do findings.append(portmesh.finding('PM117', exposure,
          'The exposure ' ~ exposure.name ~ ' has the name of ' ~ taken
          ~ ', and would be taken for it among the consumers of a port.',
          'Give it a name of its own, and ask the owners of the ports to list that')) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
