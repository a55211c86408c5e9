{# The published versions, newest first, each followed by the one that it replaced. After a rollback or maintenance, the
   rows of a version have a new snapshot, which is in the version's newest record. #}
{% macro version_chain(attempts) %}
  {% set published, snapshots = {}, {} %}
  {% set next = namespace(version=none) %}
  {% for row in attempts if row['verdict'] in ['published', 'rolled_back', 'maintained'] %}
    {% if loop.first %}{% set next.version = row['version'] %}{% endif %}
    {% do snapshots.setdefault(row['version'], row['snapshot_id']) %}
    {% if row['verdict'] == 'published' %}{% do published.update({row['version']: row}) %}{% endif %}
  {% endfor %}
  {% set chain = [] %}
  {% for _ in published if next.version in published %}
    {% do chain.append(dict(published[next.version].dict(), snapshot_id=snapshots[next.version])) %}
    {% set next.version = chain[-1].replaces %}
  {% endfor %}
  {{ return(chain) }}
{% endmacro %}
