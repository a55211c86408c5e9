{# PM112 #}
{% macro port_is_in_its_folder(mesh) %}
  {% set findings = [] %}
  {% for model in mesh.models %}
    {% set label = portmesh.label_of(model) %}
    {% set is_port = model.config.materialized == 'output_port' %}
    {% set is_public = model.config.access == 'public' %}
    {% if portmesh.is_in_port_folder(model) and not (is_port and is_public) %}
      {% do findings.append(portmesh.finding('PM112', model,
          label ~ ' is in output_ports/ but is '
          ~ ('not public' if is_port else 'materialized as ' ~ model.config.materialized) ~ '.',
          'Put it directly in models/output_ports/, and add ' ~ model.package_name
          ~ ' under models: in the root dbt_project.yml',
          portmesh.file_of(model))) %}
    {% elif (is_port or is_public) and not portmesh.is_in_port_folder(model) %}
      {% do findings.append(portmesh.finding('PM112', model,
          label ~ ' is ' ~ ('public' if is_public else 'materialized as output_port')
          ~ ' but not in output_ports/, so nothing audits it.',
          'Move it to models/output_ports/, or remove its ' ~ ('access' if is_public else 'materialization'),
          portmesh.file_of(model))) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
