{# The port, as describe_port returns it, with a label such as "orders.order_lines", or "orders.order_lines.v2" for a
   versioned model. Raises if there is none. #}
{% macro find_port(label) %}
  {% set ports = portmesh.all_ports() %}
  {% for port in ports if port.label == label %}{{ return(port) }}{% endfor %}
  {% set labels = ports | map(attribute='label') | list %}
  {% do exceptions.raise_dependency_error(
      'There is no port ' ~ label ~ '.' ~ portmesh.did_you_mean(label, labels)
      ~ '\n\n  allowed: ' ~ labels | sort | join(', ')) %}
{% endmacro %}
