{# What selects the models and snapshots that a node reads, directly or through others, stopping at ports. #}
{% macro models_before(node) %}
  {% set names = [] %}
  {% for read in portmesh.nodes_read(node) if not portmesh.is_port(read) and read.resource_type != 'seed' %}
    {% if read.config.materialized != 'ephemeral' %}{% do names.append(portmesh.selector_of(read)) %}{% endif %}
  {% endfor %}
  {{ return(names | sort) }}
{% endmacro %}
