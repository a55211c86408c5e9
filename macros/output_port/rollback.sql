{% macro rollback(port) %}
  {% set node = portmesh._find_port(port) %}
  {% set port = portmesh.describe_port(node) %}
  {% set versions = portmesh.published_versions(port) if load_relation(portmesh.record_table('publications')) else [] %}
  {% if not versions %}
    {% do exceptions.raise_dependency_error(port.label ~ ' has no published version to roll back from.') %}
  {% endif %}
  {# What consumers read may have no record: then the way back is to the newest that has one. #}
  {% set versions = versions if portmesh.reads_as_recorded(port, versions[0]) else versions[:1] + versions %}
  {% if versions | length < 2 or not portmesh.can_restore(port, versions[0], versions[1]) %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' keeps no version before ' ~ versions[0].version ~ '.\n\n'
        ~ '  kept            ' ~ portmesh.versions_to_keep(port.node) ~ ' versions (config.meta.keep_versions)\n'
        ~ '  instead         mend the model, then: dbt build --select ' ~ node.name ~ '+') %}
  {% endif %}
  {% set current, previous = versions[0], versions[1] %}
  {% do portmesh._assert_fits_contract(port, previous) %}
  {% set started_at = modules.datetime.datetime.now() %}
  {% do portmesh.restore_version(port, current, previous) %}
  {% do portmesh.record_attempt({
      'port': port, 'current': current, 'checks': [], 'failed': [], 'row_count': previous.row_count,
      'kind': 'rollback', 'base': previous.base, 'started_at': started_at}, 'rolled_back', previous.version) %}
  {{ adapter.commit() }}
  {% do log(port.label ~ ' is back at the version of ' ~ previous.attempted_at.strftime('%d %b %H:%M') ~ ' UTC ('
      ~ '{:,}'.format(previous.row_count) ~ ' rows). The next build publishes what the model gives.', info=true) %}
{% endmacro %}

{# The port's view lists the columns of today's contract; the version must have them. #}
{% macro _assert_fits_contract(port, version) %}
  {% set columns = portmesh.describe_query('select * from ' ~ portmesh.kept_rows(port, version)) %}
  {% set contract = portmesh.contract_columns(port) %}
  {% set rows = portmesh._contract_differences(port, contract, columns) | rejectattr(1, 'equalto', 'not declared') | list %}
  {% for row in rows %}{% do row.pop() %}{% endfor %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: the version before it does not match its contract (' ~ port.contract_path ~ ').\n\n'
        ~ portmesh.text_table(['column', 'contract', 'version'], rows)
        ~ '\n\n  next            take the change of the contract back first, then roll back') %}
  {% endif %}
{% endmacro %}

{# `port` is "orders.order_lines", or "orders.order_lines.v2" for a versioned model. #}
{% macro _find_port(port) %}
  {% set labels = {} %}
  {% for node in graph.nodes.values() if node.config.materialized == 'output_port' %}
    {% do labels.update({portmesh.describe_port(node).label: node}) %}
  {% endfor %}
  {% if port not in labels %}
    {% do exceptions.raise_dependency_error(
        'There is no port ' ~ port ~ '.\n\n  allowed: ' ~ labels.keys() | sort | join(', ')) %}
  {% endif %}
  {{ return(labels[port]) }}
{% endmacro %}
