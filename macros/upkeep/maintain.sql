{# What `portmesh maintain` has an engine do with an Iceberg port, once it has looked at the table's metadata. #}

{# The same rows in fewer and larger files, and fewer manifests (Spark; Athena does it on its own). #}
{% macro rewrite_files(port, compact, manifests) %}
  {% set port = portmesh.describe_port(portmesh.find_port(port)) %}
  {% if compact %}{% do portmesh.engine_macro('compact')(port) %}{% endif %}
  {% if manifests %}{% do portmesh.engine_macro('rewrite_manifests')(port) %}{% endif %}
{% endmacro %}

{# What `portmesh maintain` no longer keeps goes, afterwards. `is_rewritten`: the published rows stand under a new snapshot, which is recorded as the version that it is.
   `keep`: {tags, expired_tags, expire, snapshots_to_keep, max_age_seconds, files_older_than}. #}
{% macro remove_expired(port, is_rewritten, keep) %}
  {% set port = portmesh.describe_port(portmesh.find_port(port)) %}
  {% if is_rewritten %}{% do portmesh._record_maintenance(port) %}{% endif %}
  {% do portmesh.engine_macro('remove_expired')(port, keep) %}
{% endmacro %}

{% macro _record_maintenance(port) %}
  {% set history = portmesh.read_history(port) %}
  {% set current = history.current %}
  {% do portmesh.record_attempt({
      'port': port, 'history': history, 'current': current, 'checks': [], 'failed': [], 'row_count': current.row_count | int,
      'kind': 'maintenance', 'place': {'base': current.base}, 'contract_version': current.contract_version, 'contract': current.contract,
      'started_at': modules.datetime.datetime.now()}, 'maintained', current.version) %}
{% endmacro %}
