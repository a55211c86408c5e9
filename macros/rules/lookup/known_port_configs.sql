{# The settings that a port may have in its YAML, in its SQL or from its folder. #}
{% macro known_port_configs() %}
  {{- return([
      'access', 'alias', 'contract', 'database', 'docs', 'enabled', 'event_time', 'file_format', 'freshness',
      'full_refresh', 'grants', 'group', 'materialized', 'meta', 'packages', 'partition_by', 'persist_docs',
      'post-hook',
      'post_hook', 'pre-hook', 'pre_hook', 'static_analysis', 'table_type', 'tags', 'unique_key',
  ]) -}}
{% endmacro %}
