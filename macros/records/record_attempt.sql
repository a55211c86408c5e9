{# Inserts one row into publications, and one into measurements for each check. `attempt` comes from
   write_audit_publish. #}
{% macro record_attempt(attempt, verdict, version) %}
  {% set port, now = attempt.port, modules.datetime.datetime.now(modules.pytz.utc).replace(tzinfo=none) %}
  {% set seconds = (modules.datetime.datetime.now() - attempt.started_at).total_seconds() %}
  {% do portmesh._insert_records(port.product, 'publications', [[
      invocation_id, now, port.id, port.product, port.name, attempt.contract_version or port.contract_version, version,
      attempt.place.base, attempt.current.version if attempt.current else none, attempt.kind, verdict,
      attempt.row_count, attempt.failed | length, seconds,
      none if verdict in ['refused', 'retired', 'renamed'] else attempt.snapshot_id or portmesh.current_snapshot(port),
      portmesh.definitions_of(attempt.checks), attempt.checks | rejectattr('failures', 'equalto', 0) | list | length,
  ] + portmesh.step_costs() + [
      port.reads_as, attempt.history.next_sequence, attempt.contract or tojson(portmesh.contract_of(port)),
      attempt.get('batches'), env_var('PORTMESH_RUN', '') or none]]) %}
  {% set rows = [] %}
  {% for c in attempt.checks %}
    {% do rows.append([
        invocation_id, now, port.id, port.product, port.name, version, c.id, c.name, c.kind, c.dimension, c.column,
        c.scope, c.definition, c.failures, attempt.row_count, c.warn_if, c.error_if, c.severity, c.status, c.seconds,
        port.reads_as]) %}
  {% endfor %}
  {% do portmesh._insert_records(port.product, 'measurements', rows) %}
{% endmacro %}

{# The values of each row must be in the order of record_columns. #}
{% macro _insert_records(product, name, rows) %}
  {% set names = portmesh.record_columns()[name].keys() | join(', ') %}
  {% set literals = [] %}
  {% for row in rows %}{% do literals.append(portmesh.literal_row(row)) %}{% endfor %}
  {% for part in portmesh.parts_of_statement(literals, literals) %}
    {% do portmesh.execute_sql(
        'insert into ' ~ portmesh.record_table(name, product) ~ ' (' ~ names ~ ') values\n' ~ part | join(',\n')) %}
  {% endfor %}
{% endmacro %}
