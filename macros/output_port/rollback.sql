{# Takes a port back to the version before: measured by today's checks first, counted after. #}
{% macro rollback(port) %}
  {% set started_at, port = modules.datetime.datetime.now(), portmesh.find_port(port) %}
  {% set history = portmesh._history_to_go_back(port) %}
  {% set current, previous = history.versions[0], history.versions[1] %}
  {% set snapshot, rows = portmesh.current_snapshot(port), portmesh.kept_rows(port, current, previous) %}
  {% do portmesh._assert_fits_contract(port, previous, rows) %}
  {% do portmesh._assert_passes_checks(port, rows, previous) %}
  {% if portmesh.current_snapshot(port) != snapshot %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: another run has published it meanwhile.\n\n'
        ~ '  next   portmesh status, and the same command again if it is still wanted') %}
  {% endif %}
  {% do portmesh.restore_version(port, current, previous) %}
  {% do portmesh.record_event(port, history, previous, 'rollback', 'rolled_back', started_at) %}
  {{ adapter.commit() }}
  {% do log(port.label ~ ' is back at ' ~ portmesh.version_in_words(previous)
      ~ '. The next build publishes what the model gives.', info=true) %}
{% endmacro %}

{# What consumers read may have no record: then the way back is to the newest that has one. #}
{% macro _history_to_go_back(port) %}
  {% set history = portmesh.read_history(port) %}
  {% if not history.versions %}
    {% do exceptions.raise_dependency_error(port.label ~ ' has no published version to roll back from.') %}
  {% endif %}
  {% if not portmesh.reads_as_recorded(port, history.current) %}
    {% do history.update({'versions': history.versions[:1] + history.versions}) %}
  {% endif %}
  {% if history.versions | length < 2 or not portmesh.can_restore(port, history) %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' keeps no version before ' ~ history.current.version ~ '.\n\n'
        ~ '  kept            ' ~ portmesh.versions_to_keep(port.node) ~ ' versions (config.meta.keep_versions)\n'
        ~ '  instead         fix the model, then: ' ~ portmesh.build_command(port)) %}
  {% endif %}
  {{ return(history) }}
{% endmacro %}

{# Consumers get the columns of today's contract; the version must have them: by its recorded contract, since the
   table of an increment has by now what later ones added to it. #}
{% macro _assert_fits_contract(port, previous, rows_before) %}
  {% set columns, rows = [], [] %}
  {% for column in fromjson(previous.contract or '{}').columns or [] %}
    {% do columns.append({'name': column.name, 'type': portmesh.described_type(column.data_type)}) %}
  {% endfor %}
  {% set columns = columns or portmesh.describe_query('select * from ' ~ rows_before) %}
  {% for column, contract, got, _ in portmesh.contract_differences(port, columns) if contract != 'not declared' %}
    {% do rows.append([column, contract, got]) %}
  {% endfor %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: the version before it does not match its contract ('
        ~ port.contract_path ~ ').\n\n' ~ portmesh.text_table(['column', 'contract', 'version'], rows)
        ~ '\n\n  next            take the change of the contract back first, then roll back') %}
  {% endif %}
{% endmacro %}

{# A version that is older is late, and may be gone back to all the same. #}
{% macro _assert_passes_checks(port, rows_before, previous) %}
  {% set measured = portmesh.measure_checks(port, portmesh.plan_audit(port, none, rows_before, none), rows_before) %}
  {% set rows, now, then = [], measured.row_count, previous.row_count | int %}
  {% for check in measured.checks if check.status == 'fail' and check.dimension != 'timeliness' %}
    {% do rows.append([check.kind, check.column or '-', '{:,}'.format(check.failures)]) %}
  {% endfor %}
  {% set next = '  next            fix the model, then: ' ~ portmesh.build_command(port) %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: the version of ' ~ previous.attempted_at.strftime('%d %b %H:%M')
        ~ ' UTC does not pass today\'s checks.\n\n' ~ portmesh.text_table(['check', 'column', 'failed'], rows)
        ~ '\n\n' ~ next ~ '; or take the check back first, then roll back') %}
  {% elif now != then %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: the version before it has ' ~ '{:,}'.format(now) ~ ' rows, and had '
        ~ '{:,}'.format(then) ~ ' when it was published.\n\n' ~ next) %}
  {% endif %}
{% endmacro %}
