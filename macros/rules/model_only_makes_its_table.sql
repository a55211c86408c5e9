{#
  PM121: a hook runs beside the table of its model, after the audit or on what is somebody else's. The root's own stay.
#}
{% macro model_only_makes_its_table(mesh) %}
  {% set findings = [] %}
  {% set of_root = portmesh.hooks_in(portmesh.read_packages()[project_name]) %}
  {% for node in mesh.readers if node.package_name in mesh.domains and node.config %}
    {% if node.config['pre-hook'] or node.config['post-hook'] or node.config.sql_header %}
      {% for kind, sql in portmesh.statements_beside(node, of_root) %}
        {% do findings.append(portmesh.finding('PM121', node,
            portmesh.label_of(node) ~ ' has a ' ~ kind ~ ', which nothing audits: '
            ~ sql | replace('\n', ' ') | truncate(60, true, '...', 0),
            'Do it in the model or in a model of its own, or give it an exemption',
            portmesh._file_of_hook(node, sql))) %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{# Its YAML, unless the project file or the SQL says it. #}
{% macro _file_of_hook(node, sql) %}
  {% if sql in portmesh.hooks_in(portmesh.read_packages()[node.package_name]) %}
    {{ return(portmesh.file_of(node, 'dbt_project.yml')) }}
  {% endif %}
  {{ return(portmesh.file_of(node) if modules.re.search('hook|sql_header', node.raw_code or '') else none) }}
{% endmacro %}
