{# Runs after rewrite_files, and removes what `portmesh maintain` no longer keeps. `is_rewritten`: the published rows
   have a new snapshot, which is recorded under the same version. `keep`: {tags, expired_tags, expire,
   snapshots_to_keep, max_age_seconds, files_older_than}. #}
{% macro remove_expired(port, is_rewritten, keep) %}
  {% set port = portmesh.find_port(port) %}
  {% if is_rewritten %}
    {% set history, now = portmesh.read_history(port), modules.datetime.datetime.now() %}
    {% do portmesh.record_event(port, history, history.current, 'maintenance', 'maintained', now) %}
  {% endif %}
  {% do portmesh.engine_macro('remove_expired')(port, keep) %}
{% endmacro %}
