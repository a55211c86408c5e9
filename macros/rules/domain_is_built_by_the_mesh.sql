{# PM110: with a profile of its own a domain is a project that dbt runs without the root: without a rule, a contract or a check. #}
{% macro domain_is_built_by_the_mesh(mesh) %}
  {% set findings = [] %}
  {% for domain in mesh.domains if domain in mesh.packages and mesh.packages[domain].unrendered.project_dict.profile %}
    {% set place = {'package_name': domain, 'config': {}} %}
    {% do findings.append(portmesh.finding('PM110', place,
        domain ~ ' has a profile of its own, so dbt would build it without the mesh: without a rule or a check.',
        'Take it out, and build from the root with dbt build --select package:' ~ domain, portmesh.file_of(place, 'dbt_project.yml'))) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
