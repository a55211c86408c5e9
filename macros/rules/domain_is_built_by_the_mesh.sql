{# PM110: with its own profile a domain is a project that dbt can run without the root, so without rules or checks. #}
{% macro domain_is_built_by_the_mesh(mesh) %}
  {% set findings = [] %}
  {% for domain in mesh.domains
      if domain in mesh.packages and mesh.packages[domain].unrendered.project_dict.get('profile') is not none %}
    {% set place = {'package_name': domain, 'config': {}} %}
    {% do findings.append(portmesh.finding('PM110', place,
        domain ~ ' names a profile, so dbt could build it without the mesh, and so without rules and checks.',
        'Remove profile, and build from the root with dbt build --select package:' ~ domain,
        portmesh.file_of(place, 'dbt_project.yml'))) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
