{# What `portmesh maintain` has an engine do with an Iceberg port, once it has looked at the table's metadata. #}

{# The same rows in fewer and larger files, and fewer manifests (Spark; Athena does it on its own). #}
{% macro rewrite_files(port, compact, manifests) %}
  {% set port = portmesh.describe_port(portmesh._find_port(port)) %}
  {% if compact %}{% do portmesh.of_engine('compact')(port) %}{% endif %}
  {% if manifests %}{% do portmesh.of_engine('rewrite_manifests')(port) %}{% endif %}
{% endmacro %}

{# Afterwards. `is_rewritten`: the published rows stand under a new snapshot, which is recorded as the version that it is.
   `keep`: {tags, expired_tags, expire, snapshots_to_keep, max_age_seconds, files_older_than}. #}
{% macro let_go(port, is_rewritten, keep) %}
  {% set port = portmesh.describe_port(portmesh._find_port(port)) %}
  {% if is_rewritten %}{% do portmesh._record_maintenance(port) %}{% endif %}
  {% do portmesh.of_engine('let_go')(port, keep) %}
{% endmacro %}

{% macro _record_maintenance(port) %}
  {% set current = portmesh.current_version(port) %}
  {% do port.update({'contract_version': current.contract_version}) %}
  {% do portmesh.record_attempt({
      'port': port, 'current': current, 'checks': [], 'failed': [], 'row_count': current.row_count | int,
      'kind': 'maintenance', 'base': current.base, 'started_at': modules.datetime.datetime.now()}, 'maintained', current.version) %}
{% endmacro %}
