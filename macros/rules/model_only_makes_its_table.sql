{#
  PM121: a hook can change rows after the audit, or another domain's tables. The root's own hooks are allowed.
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
            "Do it in the model's SQL or in a separate model, or add an exemption",
            portmesh._file_of_hook(node, sql))) %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{# The file to name in the finding: none means the node's YAML. #}
{% macro _file_of_hook(node, sql) %}
  {% if sql in portmesh.hooks_in(portmesh.read_packages()[node.package_name]) %}
    {{ return(portmesh.file_of(node, 'dbt_project.yml')) }}
  {% endif %}
  {{ return(portmesh.file_of(node) if modules.re.search('hook|sql_header', node.raw_code or '') else none) }}
{% endmacro %}
