{# Records what happened to a published version without a run of its model: a rollback, rename, maintenance or
   retirement. `version` comes from the history, or is none if the port has no published version. Pass `contract` as
   JSON only if it differs from the version's, and `snapshot_id` if another run may be publishing a newer one. #}
{% macro record_event(port, history, version, kind, verdict, started_at, contract=none, snapshot_id=none) %}
  {% set version = version or {} %}
  {% do portmesh.make_records_of(port.product) %}
  {% do portmesh.record_attempt({
      'port': port, 'history': history, 'current': history.current, 'kind': kind, 'started_at': started_at,
      'place': {'base': version.get('base')}, 'checks': [], 'failed': [], 'row_count': version.get('row_count'),
      'contract_version': version.get('contract_version'), 'contract': contract or version.get('contract'),
      'snapshot_id': snapshot_id,
  }, verdict, version.get('version')) %}
{% endmacro %}
