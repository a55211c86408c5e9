{# Names of the tables and snapshots that a port reads, through any number of models that are no ports. #}
{% macro stored_before(node) %}
  {% set names, ahead, seen = [], node.depends_on.nodes | list, [] %}
  {% for _ in range(graph.nodes | length) if ahead %}
    {% set read = graph.nodes.get(ahead.pop()) %}
    {% if read and read.unique_id not in seen and not portmesh.is_port(read) %}
      {% do seen.append(read.unique_id) %}
      {% do ahead.extend(read.depends_on.nodes) %}
      {% set keeps_rows = read.resource_type != 'seed' and read.config.materialized not in ['view', 'ephemeral'] %}
      {% if keeps_rows %}{% do names.append(read.name) %}{% endif %}
    {% endif %}
  {% endfor %}
  {{ return(names | sort) }}
{% endmacro %}
