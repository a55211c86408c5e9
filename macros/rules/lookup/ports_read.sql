{# The ports among the nodes that nodes_read returns. #}
{% macro ports_read(node, only_through_ephemeral=false) %}
  {% set ports = [] %}
  {% for read in portmesh.nodes_read(node, only_through_ephemeral) if portmesh.is_port(read) %}
    {% do ports.append(read) %}
  {% endfor %}
  {{ return(ports) }}
{% endmacro %}
