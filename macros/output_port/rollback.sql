{# Takes a port back to its previous version, after measuring that version with today's checks and counting its rows. #}
{% macro rollback(port) %}
  {% set started_at, port = modules.datetime.datetime.now(), portmesh.find_port(port) %}
  {% set history = portmesh._history_to_go_back(port) %}
  {% set current, previous = history.versions[0], history.versions[1] %}
  {% set snapshot, rows = portmesh.current_snapshot(port), portmesh.kept_rows(port, current, previous) %}
  {% do portmesh._assert_fits_contract(port, previous, rows) %}
  {% do portmesh._assert_passes_checks(port, rows, previous) %}
  {% if portmesh.current_snapshot(port) != snapshot %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: another run published a version of it in the meantime.\n\n'
        ~ '  next   look at portmesh status, and repeat this command if you still want to roll back') %}
  {% endif %}
  {% do portmesh.restore_version(port, current, previous) %}
  {% do portmesh.record_event(port, history, previous, 'rollback', 'rolled_back', started_at) %}
  {{ adapter.commit() }}
  {% do log(port.label ~ ' is back at ' ~ portmesh.version_in_words(previous)
      ~ '. The next build publishes the rows of the model again.', info=true) %}
{% endmacro %}

{# If the version that consumers read is not recorded, the previous version is the newest recorded one. #}
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
        port.label ~ ' has no version before ' ~ history.current.version ~ ' to roll back to.\n\n'
        ~ '  kept            ' ~ portmesh.versions_to_keep(port.node) ~ ' versions (config.meta.keep_versions)\n'
        ~ '  instead         fix the model, then: ' ~ portmesh.build_command(port.node)) %}
  {% endif %}
  {{ return(history) }}
{% endmacro %}

{# The previous version must have the columns of today's contract. This compares its recorded contract, because the
   table itself may have columns that later increments added. #}
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
        port.label ~ ' was not rolled back: its previous version does not match its contract ('
        ~ port.contract_path ~ ').\n\n' ~ portmesh.text_table(['column', 'contract', 'version'], rows)
        ~ '\n\n  next            undo the change to the contract first, then roll back') %}
  {% endif %}
{% endmacro %}

{# Timeliness checks are ignored: an older version is always older. #}
{% macro _assert_passes_checks(port, rows_before, previous) %}
  {% set measured = portmesh.measure_checks(port, portmesh.plan_audit(port, none, rows_before, none), rows_before) %}
  {% set rows, now, then = [], measured.row_count, previous.row_count | int %}
  {% for check in measured.checks if check.status == 'fail' and check.dimension != 'timeliness' %}
    {% do rows.append([check.kind, check.column or '-', '{:,}'.format(check.failures)]) %}
  {% endfor %}
  {% set next = '  next            fix the model, then: ' ~ portmesh.build_command(port.node) %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: the version of ' ~ previous.attempted_at.strftime('%d %b %H:%M')
        ~ ' UTC does not pass today\'s checks.\n\n' ~ portmesh.text_table(['check', 'column', 'failed'], rows)
        ~ '\n\n' ~ next ~ '; or undo the change to the check first, then roll back') %}
  {% elif now != then %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not rolled back: its previous version has ' ~ '{:,}'.format(now) ~ ' rows, but had '
        ~ '{:,}'.format(then) ~ ' when it was published.\n\n' ~ next) %}
  {% endif %}
{% endmacro %}
