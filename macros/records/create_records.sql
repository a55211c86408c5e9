{# Before the ports run: each would create these tables itself, and several at once would get in each other's way. #}
{% macro create_records() %}
  {%- if not execute or not portmesh.runs_hooks() -%}{{- return('') -}}{%- endif -%}
  {%- set schemas = ['portmesh'] -%}
  {%- for node in graph.nodes.values() if node.config.materialized == 'output_port' and node.unique_id in selected_resources -%}
    {%- do schemas.append(node.package_name ~ '__internal') -%}
  {%- endfor -%}
  {{- return(portmesh.make_records(schemas | unique | list, portmesh.record_columns())) -}}
{% endmacro %}

{# {table: {column: type}}; docs/playbook.md says what each means. A new column goes to the end. #}
{% macro record_columns() %}
  {{- return({
      'publications': {
          'invocation_id': 'string', 'attempted_at': 'timestamp', 'port_id': 'string', 'product': 'string', 'port': 'string',
          'contract_version': 'string', 'version': 'string', 'base': 'string', 'replaces': 'string', 'kind': 'string',
          'verdict': 'string', 'row_count': 'bigint', 'failed_checks': 'int', 'seconds': 'double', 'snapshot_id': 'bigint',
          'definitions': 'string', 'findings': 'int',
          'write_seconds': 'double', 'audit_seconds': 'double', 'publish_seconds': 'double', 'statements': 'int',
          'bytes_scanned': 'bigint', 'bytes_billed': 'bigint', 'audit_bytes_scanned': 'bigint', 'audit_bytes_billed': 'bigint',
          'reads_as': 'string', 'sequence': 'bigint', 'contract': 'string'},
      'measurements': {
          'invocation_id': 'string', 'measured_at': 'timestamp', 'port_id': 'string', 'product': 'string', 'port': 'string',
          'version': 'string', 'check_id': 'string', 'check_name': 'string', 'kind': 'string', 'dimension': 'string',
          'column_name': 'string', 'scope': 'string', 'definition': 'string', 'failures': 'bigint', 'row_count': 'bigint',
          'warn_if': 'string', 'error_if': 'string', 'severity': 'string', 'status': 'string', 'seconds': 'double',
          'reads_as': 'string'},
  }) -}}
{% endmacro %}

{% macro column_definitions(columns) %}
  {%- set texts = [] -%}
  {%- for name, type in columns.items() -%}{%- do texts.append(name ~ ' ' ~ portmesh.stored_type(type)) -%}{%- endfor -%}
  {{- return(texts | join(', ')) -}}
{% endmacro %}

{# {column: type} of those that a record table of an earlier release, with columns of these names, lacks. #}
{% macro missing_columns(names, columns) %}
  {%- set missing = {} -%}
  {%- for name, type in columns.items() if name not in names -%}{%- do missing.update({name: type}) -%}{%- endfor -%}
  {{- return(missing) -}}
{% endmacro %}
