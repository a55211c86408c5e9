{# Runs after rewrite_files, and removes what `portmesh maintain` no longer keeps. `snapshot_id`: what consumers read
   when that was decided. `is_rewritten`: it has the published rows in other files, and is recorded under the same
   version.
   `keep`: {tags, expired_tags, expire, snapshots_to_keep, max_age_seconds, files_older_than}. #}
{% macro remove_expired(port, snapshot_id, is_rewritten, keep) %}
  {% set port, started_at = portmesh.find_port(port), modules.datetime.datetime.now() %}
  {% if portmesh.current_snapshot(port) != snapshot_id %}
    {% do exceptions.raise_dependency_error(
        'It was published during its maintenance, so nothing expired: portmesh maintain ' ~ port.label) %}
  {% endif %}
  {% if is_rewritten %}
    {% set history = portmesh.read_history(port) %}
    {% do portmesh.record_event(
        port, history, history.current, 'maintenance', 'maintained', started_at, snapshot_id=snapshot_id) %}
  {% endif %}
  {% do portmesh.engine_macro('remove_expired')(port, keep) %}
{% endmacro %}
