{# PM110: dbt looks a macro up in the model's own package first, so a domain's namesake of a shared macro would replace
   it for its own ports, the audit's helpers included. Hooks at the start or end of a run are everybody's. #}
{% macro domain_changes_only_itself(mesh) %}
  {% set findings = [] %}
  {% for domain in mesh.domains %}
    {% for name, macro in context.get(domain, {}).items() if name in context or name.startswith('materialization_') %}
      {% do findings.append(portmesh.finding('PM110', {'package_name': domain, 'config': {}},
          'The macro ' ~ name ~ ' of ' ~ domain ~ (' is a materialization.' if name.startswith('materialization_') else ' has the name of a shared one and would replace it.'),
          'Take it out; the platform team adds what every domain may use to the root' if name.startswith('materialization_')
          else 'Give it a name of its own, such as ' ~ domain ~ '_' ~ name.removeprefix('test_'),
          portmesh.file_of(macro.macro))) %}
    {% endfor %}
  {% endfor %}
  {% for hook in mesh.hooks if hook.package_name != project_name %}
    {% do findings.append(portmesh.finding('PM110', hook,
        hook.package_name ~ ' has a hook (' ~ hook.tags | join(', ') ~ ') that would run in every run of the mesh.',
        'Make it a model, or a pre_hook or post_hook of one', 'domains/' ~ hook.package_name ~ '/dbt_project.yml')) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
