{# PM111 #}
{% macro model_is_in_its_group(mesh) %}
  {% set findings = [] %}
  {% for model in mesh.models if model.config.group != model.package_name %}
    {% set is_root = model.package_name == project_name %}
    {% do findings.append(portmesh.finding('PM111', model,
        'The model ' ~ portmesh.label_of(model) ~ ' is in '
        ~ ('the group ' ~ model.config.group ~ ", not in its domain's." if model.config.group else 'no group.'),
        'Move it into a domain' if is_root else
        'Add ' ~ model.package_name ~ ' under models: in the root dbt_project.yml, with +group: '
        ~ model.package_name ~ ' (list a third-party package in macros/rules/third_party_packages.sql)',
        portmesh.file_of(model))) %}
  {% endfor %}
  {% for group in mesh.groups if group.package_name in mesh.domains and group.name != group.package_name %}
    {% do findings.append(portmesh.finding('PM111', group,
        'The domain ' ~ group.package_name ~ ' has a group ' ~ group.name
        ~ '; a domain is one product, with one group of the same name.',
        'Make it a separate domain, or remove it')) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
