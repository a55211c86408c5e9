{# The ports that a node reads, through any number of other nodes that are no ports; or only through ephemeral
   models, which are part of what selects from them. #}
{% macro ports_read(node, only_through_ephemeral=false) %}
  {% set ports, ahead, seen = [], node.depends_on.nodes | list, [] %}
  {% for _ in range(graph.nodes | length) if ahead %}
    {% set read = graph.nodes.get(ahead.pop()) %}
    {% if read and read.unique_id not in seen %}
      {% do seen.append(read.unique_id) %}
      {% if portmesh.is_port(read) %}
        {% do ports.append(read) %}
      {% elif not only_through_ephemeral or read.config.materialized == 'ephemeral' %}
        {% do ahead.extend(read.depends_on.nodes) %}
      {% endif %}
    {% endif %}
  {% endfor %}
  {{ return(ports) }}
{% endmacro %}
