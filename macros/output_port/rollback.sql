{# Takes a port back to the version before: measured by today's checks first, counted after. #}
{% macro rollback(port) %}
  {% set started_at = modules.datetime.datetime.now() %}
  {% set node = portmesh.find_port(port) %}
  {% set port = portmesh.describe_port(node) %}
  {% set history = portmesh._history_to_go_back(port) %}
  {% set current, previous = history.versions[0], history.versions[1] %}
  {% set snapshot = portmesh.current_snapshot(port) %}
  {% set rows = portmesh.kept_rows(port, current, previous) %}
  {% do portmesh._assert_fits_contract(port, previous, rows) %}
  {% do portmesh._assert_passes_checks(port, rows, previous) %}
  {% if portmesh.current_snapshot(port) != snapshot %}
    {% do exceptions.raise_dependency_error(port.label ~ ' was not rolled back: another run has published it meanwhile.\n\n  next   portmesh status, and the same command again if it is still wanted') %}
  {% endif %}
  {% do portmesh.restore_version(port, current, previous) %}
  {% do portmesh.record_attempt({
      'port': port, 'history': history, 'current': current, 'checks': [], 'failed': [], 'row_count': previous.row_count, 'kind': 'rollback',
      'place': {'base': previous.base}, 'contract_version': previous.contract_version, 'contract': previous.contract,
      'started_at': started_at}, 'rolled_back', previous.version) %}
  {{ adapter.commit() }}
  {% do log(port.label ~ ' is back at the version of ' ~ previous.attempted_at.strftime('%d %b %H:%M') ~ ' UTC ('
      ~ '{:,}'.format(previous.row_count) ~ ' rows). The next build publishes what the model gives.', info=true) %}
{% endmacro %}

{# What consumers read may have no record: then the way back is to the newest that has one. #}
{% macro _history_to_go_back(port) %}
  {% set history = portmesh.read_history(port) if load_relation(portmesh.record_table('publications')) else {'versions': []} %}
  {% if not history.versions %}
    {% do exceptions.raise_dependency_error(port.label ~ ' has no published version to roll back from.') %}
  {% endif %}
  {% set versions = history.versions if portmesh.reads_as_recorded(port, history.versions[0]) else history.versions[:1] + history.versions %}
  {% set history = dict(history, versions=versions) %}
  {% if versions | length < 2 or not portmesh.can_restore(port, history) %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' keeps no version before ' ~ versions[0].version ~ '.\n\n'
        ~ '  kept            ' ~ portmesh.versions_to_keep(port.node) ~ ' versions (config.meta.keep_versions)\n'
        ~ '  instead         fix the model, then: dbt build --select ' ~ port.node.name ~ '+') %}
  {% endif %}
  {{ return(history) }}
{% endmacro %}

{# Consumers get the columns of today's contract; the version must have them: by its recorded contract, since the table of an
   increment has by now what later ones added to it. #}
{% macro _assert_fits_contract(port, previous, rows_before) %}
  {% set columns = [] %}
  {% for column in fromjson(previous.contract or '{}').columns or [] %}
    {% do columns.append({'name': column.name, 'type': portmesh.described_type(column.data_type)}) %}
  {% endfor %}
  {% set columns = columns or portmesh.describe_query('select * from ' ~ rows_before) %}
  {% set rows = portmesh._contract_differences(port, portmesh.contract_columns(port), columns) | rejectattr(1, 'equalto', 'not declared') | list %}
  {% for row in rows %}{% do row.pop() %}{% endfor %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: the version before it does not match its contract (' ~ port.contract_path ~ ').\n\n'
        ~ portmesh.text_table(['column', 'contract', 'version'], rows)
        ~ '\n\n  next            take the change of the contract back first, then roll back') %}
  {% endif %}
{% endmacro %}

{# A version that is older is late, and may be gone back to all the same. #}
{% macro _assert_passes_checks(port, rows_before, previous) %}
  {% set measured = portmesh.measure_checks(port, portmesh.plan_audit(port, none, rows_before, none), rows_before, none) %}
  {% set failed = measured.checks | selectattr('status', 'equalto', 'fail') | rejectattr('dimension', 'equalto', 'timeliness') | list %}
  {% if failed %}
    {% set rows = [] %}
    {% for check in failed %}{% do rows.append([check.kind, check.column or '-', '{:,}'.format(check.failures)]) %}{% endfor %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: the version of ' ~ previous.attempted_at.strftime('%d %b %H:%M') ~ ' UTC does not pass today\'s checks.\n\n'
        ~ portmesh.text_table(['check', 'column', 'failed'], rows)
        ~ '\n\n  next            fix the model, then: dbt build --select ' ~ port.node.name ~ '+; or take the check back first, then roll back') %}
  {% elif measured.row_count != previous.row_count | int %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: the version before it has ' ~ '{:,}'.format(measured.row_count) ~ ' rows, and had '
        ~ '{:,}'.format(previous.row_count) ~ ' when it was published.\n\n  next            fix the model, then: dbt build --select ' ~ port.node.name ~ '+') %}
  {% endif %}
{% endmacro %}

{# `port` is "orders.order_lines", or "orders.order_lines.v2" for a versioned model. #}
{% macro find_port(port) %}
  {% set labels = {} %}
  {% for node in graph.nodes.values() if node.config.materialized == 'output_port' %}
    {% do labels.update({portmesh.describe_port(node).label: node}) %}
  {% endfor %}
  {% if port not in labels %}
    {% set near = portmesh.nearest_name(port, labels.keys() | list) %}
    {% do exceptions.raise_dependency_error(
        'There is no port ' ~ port ~ '.' ~ (' Did you mean ' ~ near ~ '?' if near) ~ '\n\n  allowed: ' ~ labels.keys() | sort | join(', ')) %}
  {% endif %}
  {{ return(labels[port]) }}
{% endmacro %}
