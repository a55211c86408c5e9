{# Before the ports run: each would create these tables itself, and several at once would get in each other's way. #}
{% macro create_records() %}
  {%- if not execute -%}{{- return('') -}}{%- endif -%}
  {%- set schemas = ['portmesh'] -%}
  {%- for node in graph.nodes.values() if node.config.materialized == 'output_port' and node.unique_id in selected_resources -%}
    {%- do schemas.append(node.package_name ~ '__internal') -%}
  {%- endfor -%}
  {%- set records = {
      'publications': {
          'invocation_id': 'string', 'attempted_at': 'timestamp', 'port_id': 'string', 'product': 'string', 'port': 'string',
          'contract_version': 'string', 'version': 'string', 'base': 'string', 'replaces': 'string', 'kind': 'string',
          'verdict': 'string', 'row_count': 'bigint', 'failed_checks': 'int', 'seconds': 'double', 'snapshot_id': 'bigint',
          'definitions': 'string', 'findings': 'int',
          'write_seconds': 'double', 'audit_seconds': 'double', 'publish_seconds': 'double', 'statements': 'int',
          'bytes_scanned': 'bigint', 'bytes_billed': 'bigint', 'audit_bytes_scanned': 'bigint', 'audit_bytes_billed': 'bigint'},
      'measurements': {
          'invocation_id': 'string', 'measured_at': 'timestamp', 'port_id': 'string', 'product': 'string', 'port': 'string',
          'version': 'string', 'check_id': 'string', 'check_name': 'string', 'kind': 'string', 'dimension': 'string',
          'column_name': 'string', 'scope': 'string', 'definition': 'string', 'failures': 'bigint', 'row_count': 'bigint',
          'warn_if': 'string', 'error_if': 'string', 'severity': 'string', 'status': 'string', 'seconds': 'double'},
  } -%}
  {{- return(adapter.dispatch('create_records', 'portmesh')(schemas | unique | list, records)) -}}
{% endmacro %}

{# As the text of a hook, which dbt runs and commits. #}
{% macro duckdb__create_records(schemas, records) %}
  {%- for schema in schemas -%}
  create schema if not exists {{ environment_schema(schema) }};
  {% endfor %}
  {%- for name, columns in records.items() -%}
  create table if not exists {{ portmesh.record_table(name) }} ({{ portmesh.column_definitions(columns) }});
  {% endfor %}
{% endmacro %}

{% macro column_definitions(columns) %}
  {%- set texts = [] -%}
  {%- for name, type in columns.items() -%}{%- do texts.append(name ~ ' ' ~ portmesh.stored_type(type)) -%}{%- endfor -%}
  {{- return(texts | join(', ')) -}}
{% endmacro %}
