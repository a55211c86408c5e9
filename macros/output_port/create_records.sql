{% macro create_records() %}
  {% if not execute %}{{ return('') }}{% endif %}
  {%- set schemas = ['portmesh'] -%}
  {%- for node in graph.nodes.values() if node.config.materialized == 'output_port' -%}
    {%- do schemas.append(node.package_name ~ '__internal') -%}
  {%- endfor -%}
  {%- for schema in schemas | unique -%}
  create schema if not exists {{ environment_schema(schema) }};
  {% endfor %}
  create table if not exists {{ portmesh.record_table('publications') }} (
    invocation_id varchar, attempted_at timestamp, port_id varchar, product varchar, port varchar, contract_version varchar,
    version varchar, base varchar, replaces varchar, kind varchar, verdict varchar, row_count bigint,
    failed_checks integer, seconds double
  );
  create table if not exists {{ portmesh.record_table('measurements') }} (
    invocation_id varchar, measured_at timestamp, port_id varchar, product varchar, port varchar, version varchar,
    check_id varchar, check_name varchar, kind varchar, dimension varchar, column_name varchar, scope varchar,
    definition varchar, failures bigint, row_count bigint, warn_if varchar, error_if varchar, severity varchar,
    status varchar, seconds double
  );
{% endmacro %}
