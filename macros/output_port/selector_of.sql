{# What dbt's --select takes for a node: its name, or its full path if the name also selects a whole domain, a folder or
   another model. #}
{% macro selector_of(node) %}
  {% set found = portmesh._selected_by(node.name) | reject('equalto', node.package_name ~ '.' ~ node.name) | list %}
  {{ return((node.fqn[:-1] if node.version else node.fqn) | join('.') if found else node.name) }}
{% endmacro %}

{# The models, seeds and snapshots that a word selects, which is collected once in a run. #}
{% macro _selected_by(word) %}
  {% set kept = graph.setdefault('portmesh_selected_by', {}) %}
  {% if invocation_id not in kept %}
    {% set found = {} %}
    {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed', 'snapshot'] %}
      {% for name in [node.fqn[0], node.fqn[1], node.name] | unique %}
        {% do found.setdefault(name, {}).update({node.package_name ~ '.' ~ node.name: true}) %}
      {% endfor %}
    {% endfor %}
    {% do kept.update({invocation_id: found}) %}
  {% endif %}
  {{ return(kept[invocation_id].get(word, {}).keys() | list) }}
{% endmacro %}
