{# All nodes that a node reads, directly or through others, stopping at ports. With only_through_ephemeral, it looks
   through ephemeral models only, whose SQL becomes part of the node's own. #}
{% macro nodes_read(node, only_through_ephemeral=false) %}
  {% set found, ahead, seen = [], node.depends_on.nodes | list, [] %}
  {% for _ in range(graph.nodes | length) if ahead %}
    {% set read = graph.nodes.get(ahead.pop()) %}
    {% if read and read.unique_id not in seen %}
      {% do seen.append(read.unique_id) %}
      {% do found.append(read) %}
      {% set is_passed = not only_through_ephemeral or read.config.materialized == 'ephemeral' %}
      {% if is_passed and not portmesh.is_port(read) %}{% do ahead.extend(read.depends_on.nodes) %}{% endif %}
    {% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
