{# PM124: a port ignores settings it does not know, and its owner would believe that they work. #}
{% macro port_config_is_known(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() if port.config.materialized == 'output_port' %}
    {% for key in port.unrendered_config or {} if key not in portmesh.known_port_configs() %}
      {% do findings.append(portmesh.finding('PM124', port,
          portmesh.label_of(port) ~ ' sets ' ~ key ~ ', which is not a setting of output ports.',
          portmesh._instead_of_config(key))) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _instead_of_config(key) %}
  {% set by_key = 'Remove it: rows that arrive again replace those with the same unique_key' %}
  {% set near = portmesh.nearest_name(key, portmesh.known_port_configs()) %}
  {{ return({
      'on_schema_change': 'Remove it: each run compares the contract with the published version',
      'schema': "Remove it: the schema is always the domain's name, after the environment's prefix",
      'incremental_strategy': by_key, 'merge_update_columns': by_key, 'merge_exclude_columns': by_key,
      'incremental_predicates': by_key,
      'predicates': by_key, 'delete_condition': by_key, 'update_condition': by_key,
  }.get(key, ('Write ' ~ near) if near
      else 'Remove it; macros/rules/lookup/known_port_configs.sql lists the allowed settings')) }}
{% endmacro %}
