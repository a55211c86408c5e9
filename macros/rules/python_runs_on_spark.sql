{# PM128: Athena runs no Python models, so their domain is built on emr (decision 0045). #}
{% macro python_runs_on_spark(mesh) %}
  {% set findings = [] %}
  {% for model in mesh.models if model.language == 'python' and model.package_name in mesh.domains %}
    {% set group = mesh.domains[model.package_name] %}
    {% if group and portmesh.meta_of(group).engine == 'athena' %}
      {% do findings.append(portmesh.finding('PM128', group,
          portmesh.label_of(model) ~ ' is a Python model (' ~ model.original_file_path ~ '), and the engine of '
          ~ model.package_name ~ ' is athena, which runs none.',
          'Write engine: emr in the group (config.meta), or write the model in SQL')) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
