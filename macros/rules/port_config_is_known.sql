{# PM124: a port passes over what it does not know, and its owner would take it for kept. #}
{% macro port_config_is_known(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() if port.config.materialized == 'output_port' %}
    {% for key in port.unrendered_config or {} if key not in portmesh.known_port_configs() %}
      {% do findings.append(portmesh.finding('PM124', port,
          portmesh.label_of(port) ~ ' sets ' ~ key ~ ', which a port does not have.',
          portmesh._instead_of_config(key))) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _instead_of_config(key) %}
  {% set by_key = 'Take it out: rows that come again replace those with the same unique_key' %}
  {% set near = portmesh.nearest_name(key, portmesh.known_port_configs()) %}
  {{ return({
      'on_schema_change': 'Take it out: each run compares the contract with what is published',
      'schema': 'Take it out: the schema is the domain, with the environment before it',
      'incremental_strategy': by_key, 'merge_update_columns': by_key, 'merge_exclude_columns': by_key,
      'incremental_predicates': by_key,
      'predicates': by_key, 'delete_condition': by_key, 'update_condition': by_key,
  }.get(key, ('Write ' ~ near) if near
      else 'Take it out; macros/rules/lookup/known_port_configs.sql has what there is')) }}
{% endmacro %}
