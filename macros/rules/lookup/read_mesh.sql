{# The graph, read once: what the rules look up, by id or by name. #}
{% macro read_mesh() %}
  {% set mesh = {
      'domains': {}, 'groups': graph.groups.values() | list, 'models': [], 'ports': {}, 'readers': [], 'hooks': [],
      'tests': [], 'tests_of': {}, 'relations': {}, 'sources': [], 'exposures': [],
  } %}
  {% set others = portmesh.third_party_packages() %}
  {% for node in graph.nodes.values() if node.package_name not in others %}{% do portmesh._read_node(mesh, node) %}{% endfor %}
  {% for source in graph.sources.values() if source.package_name not in others %}{% do mesh.sources.append(source) %}{% endfor %}
  {% for exposure in graph.exposures.values() if exposure.package_name not in others %}{% do mesh.exposures.append(exposure) %}{% endfor %}
  {% for thing in mesh.sources + mesh.exposures + mesh.groups if thing.package_name != project_name and thing.package_name not in others %}
    {% do mesh.domains.update({thing.package_name: none}) %}
  {% endfor %}
  {% for group in mesh.groups if group.name in mesh.domains and group.name == group.package_name %}
    {% do mesh.domains.update({group.name: group}) %}
  {% endfor %}
  {{ return(mesh) }}
{% endmacro %}

{% macro _read_node(mesh, node) %}
  {% set type = node.resource_type %}
  {% if node.package_name != project_name %}{% do mesh.domains.update({node.package_name: none}) %}{% endif %}
  {% if type == 'test' %}
    {% do mesh.tests.append(node) %}
    {% if node.attached_node %}{% do mesh.tests_of.setdefault(node.attached_node, []).append(node) %}{% endif %}
  {% else %}
    {% do mesh.readers.append(node) %}
  {% endif %}
  {% if type == 'operation' %}{% do mesh.hooks.append(node) %}{% endif %}
  {% if type in ['model', 'seed', 'snapshot'] %}
    {% do mesh.relations.update({(node.schema ~ '.' ~ node.alias) | lower: node}) %}
  {% endif %}
  {% if type == 'model' %}
    {% do mesh.models.append(node) %}
    {% if portmesh.is_port(node) %}{% do mesh.ports.update({node.unique_id: node}) %}{% endif %}
  {% endif %}
{% endmacro %}
