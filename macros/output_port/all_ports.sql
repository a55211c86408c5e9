{% macro all_ports() %}
  {% set ports = [] %}
  {% for node in graph.nodes.values() if node.config.materialized == 'output_port' %}
    {% do ports.append(portmesh.describe_port(node)) %}
  {% endfor %}
  {{ return(ports) }}
{% endmacro %}
