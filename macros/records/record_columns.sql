{# {table: {column: type}}. The ports of domains/platform describe each column. Add new columns at the end. #}
{% macro record_columns() %}
  {{- return({
      'publications': {
          'invocation_id': 'string', 'attempted_at': 'timestamp', 'port_id': 'string', 'product': 'string',
          'port': 'string', 'contract_version': 'string', 'version': 'string', 'base': 'string', 'replaces': 'string',
          'kind': 'string', 'verdict': 'string', 'row_count': 'bigint', 'failed_checks': 'int', 'seconds': 'double',
          'snapshot_id': 'bigint', 'definitions': 'string', 'findings': 'int', 'write_seconds': 'double',
          'audit_seconds': 'double', 'publish_seconds': 'double', 'statements': 'int', 'bytes_scanned': 'bigint',
          'bytes_billed': 'bigint', 'audit_bytes_scanned': 'bigint', 'audit_bytes_billed': 'bigint',
          'reads_as': 'string', 'sequence': 'bigint', 'contract': 'string', 'batches': 'string',
          'run_name': 'string'},
      'measurements': {
          'invocation_id': 'string', 'measured_at': 'timestamp', 'port_id': 'string', 'product': 'string',
          'port': 'string', 'version': 'string', 'check_id': 'string', 'check_name': 'string', 'kind': 'string',
          'dimension': 'string', 'column_name': 'string', 'scope': 'string', 'definition': 'string',
          'failures': 'bigint', 'row_count': 'bigint', 'warn_if': 'string', 'error_if': 'string',
          'severity': 'string', 'status': 'string', 'seconds': 'double', 'reads_as': 'string'},
  }) -}}
{% endmacro %}
