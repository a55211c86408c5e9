{# PM111 #}
{% macro model_is_in_its_group(mesh) %}
  {% set findings = [] %}
  {% for model in mesh.models if model.config.group != model.package_name %}
    {% set is_root = model.package_name == project_name %}
    {% do findings.append(portmesh.finding('PM111', model,
        'The model ' ~ portmesh.label_of(model) ~ ' is in '
        ~ ('the group ' ~ model.config.group ~ ', which is not its domain.' if model.config.group else 'no group.'),
        'Move it into a domain' if is_root else
        'Give ' ~ model.package_name ~ ' its lines under models: in the root dbt_project.yml, with +group: '
        ~ model.package_name ~ ' (a package of others belongs in macros/rules/third_party_packages.sql)',
        portmesh.file_of(model))) %}
  {% endfor %}
  {% for group in mesh.groups if group.package_name in mesh.domains and group.name != group.package_name %}
    {% do findings.append(portmesh.finding('PM111', group,
        'The group ' ~ group.name ~ ' stands in the domain ' ~ group.package_name
        ~ ', which is one product with one group.',
        'Make it a domain of its own, or take it out')) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
