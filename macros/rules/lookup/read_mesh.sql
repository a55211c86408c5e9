{#
  Everything that dbt has parsed, read once, for the rules to look up by id or by name.
  `graph` lacks unit tests, the text of YAML files and the project files of packages. These come from the objects behind
  dbt's own ref, as in disabled_tests and macros_by_package (decisions 0012, 0013). It uses builtins.ref because a macro
  named ref would hide plain ref.
#}
{% macro read_mesh() %}
  {% set mesh = {
      'domains': {}, 'groups': [], 'models': [], 'ports': {}, 'readers': [], 'hooks': [], 'tests': [], 'tests_of': {},
      'relations': {}, 'sources': [], 'exposures': [], 'resources': {},
      'files': builtins.ref.manifest.files, 'packages': builtins.ref.config.load_dependencies(),
      'unread': (portmesh.focus() or {'others': []}).others,
  } %}
  {% set others = portmesh.third_party_packages() %}
  {% for node in portmesh._resources() if node.package_name not in others %}
    {% do portmesh._read_node(mesh, node) %}
  {% endfor %}
  {% for group in mesh.groups if group.name in mesh.domains and group.name == group.package_name %}
    {% do mesh.domains.update({group.name: group}) %}
  {% endfor %}
  {{ return(mesh) }}
{% endmacro %}

{% macro _resources() %}
  {% set found = [] %}
  {% for kind in [
      'nodes', 'sources', 'exposures', 'groups', 'functions', 'semantic_models', 'metrics', 'saved_queries'] %}
    {% do found.extend(graph[kind].values()) %}
  {% endfor %}
  {% for unit_test in builtins.ref.manifest.unit_tests.values() %}{% do found.append(unit_test.to_dict()) %}{% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro _read_node(mesh, node) %}
  {% set type = node.resource_type %}
  {% do mesh.resources.update({node.unique_id: node}) %}
  {% if node.package_name != project_name %}{% do mesh.domains.update({node.package_name: none}) %}{% endif %}
  {% set lists = {
      'test': 'tests', 'source': 'sources', 'exposure': 'exposures', 'group': 'groups', 'operation': 'hooks',
      'model': 'models'} %}
  {% if type in lists %}{% do mesh[lists[type]].append(node) %}{% endif %}
  {% if type not in ['test', 'source', 'exposure', 'group'] %}{% do mesh.readers.append(node) %}{% endif %}
  {% if type == 'test' and node.attached_node %}
    {% do mesh.tests_of.setdefault(node.attached_node, []).append(node) %}
  {% endif %}
  {% if type in ['model', 'seed', 'snapshot'] %}
    {% do mesh.relations.update({(node.schema ~ '.' ~ node.alias) | lower: node}) %}
  {% endif %}
  {% if type == 'model' and portmesh.is_port(node) %}{% do mesh.ports.update({node.unique_id: node}) %}{% endif %}
{% endmacro %}
