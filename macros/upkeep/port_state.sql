{# The facts about a port for `portmesh status`, from its records (newest first) and from the versions that the engine
   has. Maintenance does not count as an attempt to publish. #}
{% macro port_state(port, records, open_versions) %}
  {% set versions = portmesh.version_chain(records) %}
  {% set attempts = records | rejectattr('verdict', 'equalto', 'maintained') | list %}
  {% set current, last, withdrawn = versions | first, attempts | first, portmesh._withdrawn(records) %}
  {% set needed = portmesh.needed_versions(port, versions) + withdrawn %}
  {% set left_over = portmesh._left_over(open_versions, records, attempts, needed) %}
  {{ return(dict(left_over, left=portmesh._without_needed_rows(port, left_over.left, records, needed),
      published_at=current.attempted_at.isoformat() if current else none,
      row_count=current.row_count | int if current else none,
      attempted_at=last.attempted_at.isoformat() if last else none,
      verdict=last.verdict if last else none,
      last_run=last.invocation_id if last else none,
      refused_attempts=portmesh._refused_since(attempts) | length,
      withdrawn=portmesh._newest_withdrawn(records, withdrawn),
      built_at=portmesh._built_at(versions),
      kept=portmesh._kept(versions[:portmesh.versions_to_keep(port.node)]),
  )) }}
{% endmacro %}

{# {left, inspected}: leftover versions, and versions that the last refused attempt keeps for inspection. A version's
   name ends with the first digits of its run's id; if that run has a record, it has ended. A version that was rolled
   back is kept like the others. #}
{% macro _left_over(open_versions, records, attempts, needed) %}
  {% set refused, runs = portmesh._refused_since(attempts) | first, [] %}
  {% for record in records %}{% do runs.append(record.invocation_id[:6]) %}{% endfor %}
  {% set sorted = {'left': [], 'inspected': []} %}
  {% for version in open_versions if version.name not in needed %}
    {% set run = modules.re.search('_([0-9a-f]{6})(__[a-z]+)?$', version.name).group(1) %}
    {% set is_inspected = refused and (version.name == refused or version.name.startswith(refused ~ '__')) %}
    {% do sorted['inspected' if is_inspected else 'left'].append(dict(version, has_record=run in runs)) %}
  {% endfor %}
  {{ return(sorted) }}
{% endmacro %}

{# Keeps the tables with the rows of needed versions. After a killed run, the name of such a table may not show that. #}
{% macro _without_needed_rows(port, left, records, needed) %}
  {% if not left | selectattr('kind', 'equalto', 'table') | list %}{{ return(left) }}{% endif %}
  {% set snapshots = records | selectattr('version', 'in', needed) | map(attribute='snapshot_id') | select | unique %}
  {% set names = portmesh.tables_with_snapshots(port, snapshots | list) %}
  {{ return(left | rejectattr('name', 'in', names) | list) }}
{% endmacro %}

{# The versions refused since the last publication, newest first. #}
{% macro _refused_since(attempts) %}
  {% set refused = [] %}
  {% for attempt in attempts %}
    {% set is_next = attempt.verdict == 'refused' and loop.index0 == refused | length %}
    {% if is_next %}{% do refused.append(attempt.version) %}{% endif %}
  {% endfor %}
  {{ return(refused) }}
{% endmacro %}

{# The versions that a rollback withdrew since the last publication, and their work tables. #}
{% macro _withdrawn(records) %}
  {% set names, found = [], namespace(is_open=true) %}
  {% for record in records if record.verdict in ['published', 'rolled_back'] %}
    {% if record.verdict == 'published' %}{% set found.is_open = false %}{% endif %}
    {% if found.is_open %}{% do names.extend([record.replaces, record.replaces ~ '__replaced']) %}{% endif %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}

{# The newest withdrawn version: {version, row_count, published_at, rolled_back_at}. After several rollbacks,
   published_at is the earliest and rolled_back_at the latest time. None if no rollback followed the last publication.
   #}
{% macro _newest_withdrawn(records, withdrawn) %}
  {% set back, published = [], [] %}
  {% for record in records %}
    {% if record.verdict == 'rolled_back' and record.replaces in withdrawn %}{% do back.append(record) %}{% endif %}
    {% if record.verdict == 'published' and record.version in withdrawn %}{% do published.append(record) %}{% endif %}
  {% endfor %}
  {% if not back or not published %}{{ return(none) }}{% endif %}
  {{ return({
      'version': published[0].version, 'row_count': published[0].row_count | int,
      'published_at': published[-1].attempted_at.isoformat(), 'rolled_back_at': back[0].attempted_at.isoformat()}) }}
{% endmacro %}

{# When the rows that consumers read were built: the time of the newest publication, and if that was an increment, of
   those before it, back to the last full build. #}
{% macro _built_at(versions) %}
  {% set times, found = [], namespace(is_open=true) %}
  {% for version in versions if found.is_open %}
    {% do times.append(version.attempted_at.isoformat()) %}
    {% set found.is_open = version.kind == 'increment' %}
  {% endfor %}
  {{ return(times) }}
{% endmacro %}

{% macro _kept(versions) %}
  {% set kept = [] %}
  {% for version in versions %}
    {% do kept.append({
        'version': version.version, 'contract_version': version.contract_version,
        'snapshot_id': version.snapshot_id | int if version.snapshot_id is not none else none}) %}
  {% endfor %}
  {{ return(kept) }}
{% endmacro %}
