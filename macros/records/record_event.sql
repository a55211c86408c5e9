{# What happened to a published version without a run of its model: a rollback, rename, maintenance or retirement.
   `version` is of the history, or none for a port of which none is published; `contract` is JSON where it is not the
   version's. #}
{% macro record_event(port, history, version, kind, verdict, started_at, contract=none) %}
  {% set version = version or {} %}
  {% do portmesh.make_records_of(port.product) %}
  {% do portmesh.record_attempt({
      'port': port, 'history': history, 'current': history.current, 'kind': kind, 'started_at': started_at,
      'place': {'base': version.get('base')}, 'checks': [], 'failed': [], 'row_count': version.get('row_count'),
      'contract_version': version.get('contract_version'), 'contract': contract or version.get('contract'),
  }, verdict, version.get('version')) %}
{% endmacro %}
