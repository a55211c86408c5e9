{# PM121: a hook runs beside the table of its model, after the audit or on what is somebody else's. The root's own stay. #}
{% macro model_only_makes_its_table(mesh) %}
  {% set findings = [] %}
  {% set of_root = portmesh._hooks_of_root() %}
  {% for node in mesh.readers if node.package_name in mesh.domains and (node.config['pre-hook'] or node.config['post-hook'] or node.config.sql_header) %}
    {% for kind, sql in portmesh._statements_beside(node) if sql and sql not in of_root %}
      {% do findings.append(portmesh.finding('PM121', node,
          portmesh.label_of(node) ~ ' has a ' ~ kind ~ ', which nothing audits: ' ~ sql | replace('\n', ' ') | truncate(60, true, '...', 0),
          'Do it in the model or in a model of its own, or give it an exemption', portmesh._file_of_hook(node, sql))) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{# [kind, SQL] of the hooks of a node and of what it has its engine run before its own statement. #}
{% macro _statements_beside(node) %}
  {% set found = [] %}
  {% for kind in ['pre-hook', 'post-hook'] %}
    {% for hook in node.config.get(kind) or [] %}{% do found.append([kind | replace('-', '_'), hook.sql | trim]) %}{% endfor %}
  {% endfor %}
  {% if node.config.get('sql_header') %}{% do found.append(['sql_header', node.config.sql_header | string | trim]) %}{% endif %}
  {{ return(found) }}
{% endmacro %}

{# The texts of the hooks that the root's dbt_project.yml gives to models, seeds and snapshots, of whatever domain. #}
{% macro _hooks_of_root() %}
  {{ return(portmesh._hooks_in(portmesh.read_packages()[project_name])) }}
{% endmacro %}

{% macro _hooks_in(project) %}
  {% set texts = [] %}
  {% for section in [project.models, project.seeds, project.snapshots] %}
    {% for key in ['pre-hook', 'post-hook', 'pre_hook', 'post_hook', 'sql_header'] %}
      {% for value in portmesh.config_values(section, key) %}
        {% for hook in (value if value is sequence and value is not string and value is not mapping else [value]) %}
          {% do texts.append((hook.sql if hook is mapping else hook) | string | trim) %}
        {% endfor %}
      {% endfor %}
    {% endfor %}
  {% endfor %}
  {{ return(texts) }}
{% endmacro %}

{# Its YAML, unless the project file or the SQL says it. #}
{% macro _file_of_hook(node, sql) %}
  {% if sql in portmesh._hooks_in(portmesh.read_packages()[node.package_name]) %}{{ return(portmesh.file_of(node, 'dbt_project.yml')) }}{% endif %}
  {{ return(portmesh.file_of(node) if modules.re.search('hook|sql_header', node.raw_code or '') else none) }}
{% endmacro %}
