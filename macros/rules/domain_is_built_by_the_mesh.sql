{# PM110: with a profile of its own a domain is a project that dbt runs without the root: without a rule or a check. #}
{% macro domain_is_built_by_the_mesh(mesh) %}
  {% set findings = [] %}
  {% for domain in mesh.domains if domain in mesh.packages and portmesh._names_a_profile(mesh.packages[domain]) %}
    {% set place = {'package_name': domain, 'config': {}} %}
    {% do findings.append(portmesh.finding('PM110', place,
        domain ~ ' has a profile of its own, so dbt would build it without the mesh: without a rule or a check.',
        'Take it out, and build from the root with dbt build --select package:' ~ domain,
        portmesh.file_of(place, 'dbt_project.yml'))) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _names_a_profile(package) %}
  {{- return(package.unrendered.project_dict.get('profile') is not none) -}}
{% endmacro %}
