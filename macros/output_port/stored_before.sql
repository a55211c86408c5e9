{# Names of the tables and snapshots that a port reads, through any number of models that are no ports. #}
{% macro stored_before(node) %}
  {% set names = [] %}
  {% for read in portmesh.nodes_read(node) if not portmesh.is_port(read) and read.resource_type != 'seed' %}
    {% if read.config.materialized not in ['view', 'ephemeral'] %}{% do names.append(read.name) %}{% endif %}
  {% endfor %}
  {{ return(names | sort) }}
{% endmacro %}
