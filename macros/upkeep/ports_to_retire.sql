{# The published ports without a model that have this name, `<domain>.<name>`, or belong to this domain. Raises if there
   are none, or if models still build them. #}
{% macro ports_to_retire(name) %}
  {% set unmade, made = portmesh.unmade_ports(), [] %}
  {% set chosen = unmade | selectattr('reads_as', 'equalto', name) | list %}
  {% if chosen %}{{ return(chosen) }}{% endif %}
  {% for port in portmesh.all_ports() if name in [port.label, port.reads_as, port.product] %}
    {% do made.append(port) %}
  {% endfor %}
  {% if made %}{% do portmesh._refuse_made(name, made) %}{% endif %}
  {% set chosen = unmade | selectattr('product', 'equalto', name) | list %}
  {% if not chosen %}{% do portmesh.refuse_unknown_name(name, 'retire', unmade) %}{% endif %}
  {{ return(chosen) }}
{% endmacro %}

{# Raises because a model still builds the port, and says who reads it, until when, and what to do first. #}
{% macro _refuse_made(name, ports) %}
  {% set rows = [] %}
  {% for port in ports %}
    {% set readers = portmesh._readers_in_mesh(port) %}
    {% for consumer in portmesh.consumers_of(port.node) %}
      {% do readers.append([consumer.name, (consumer.until or 'no end') | string]) %}
    {% endfor %}
    {% for reader in readers or [['no consumer', '-']] %}
      {% do rows.append([port.label, portmesh.deprecated_on(port.node) or 'not set'] + reader) %}
    {% endfor %}
  {% endfor %}
  {% set is_dated = 'not set' not in rows | map(attribute=1) %}
  {% do exceptions.raise_dependency_error(
      name ~ ' was not retired: models in the mesh still build it.\n\n'
      ~ portmesh.text_table(['port', 'deprecation_date', 'read by', 'until'], rows)
      ~ '\n\n  next   ' ~ ('once nobody reads it,' if is_dated else 'set deprecation_date in '
      ~ ports[0].contract_path ~ ', so that dbt warns its readers; once it has none,')
      ~ '\n         delete the port\'s files, then: portmesh retire ' ~ name) %}
{% endmacro %}

{# [[reader, until]] for models and snapshots that read a port, including those of its own domain. #}
{% macro _readers_in_mesh(port) %}
  {% set readers = [] %}
  {% set others = graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'snapshot']) %}
  {% for node in others if port.id in node.depends_on.nodes %}
    {% do readers.append([portmesh.label_of(node), portmesh.file_of(node) ~ ' is removed']) %}
  {% endfor %}
  {{ return(readers) }}
{% endmacro %}
