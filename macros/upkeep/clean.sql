{# Drops versions that `mesh_status` listed: {port label: [names]}. What a version is made of goes as a name only; its files
   may be those of the port, and go by maintenance. #}
{% macro clean(versions) %}
  {% for port in portmesh.all_ports() %}
    {% for name in versions.get(port.label, []) %}{% do portmesh.drop_version(port, name) %}{% endfor %}
  {% endfor %}
  {{ adapter.commit() }}
{% endmacro %}

{# Which of the open versions are left over, and which the last refused attempt keeps for inspection. A name ends with the
   first digits of its run's id: with a record of that run, the run is not at work any more. A version that was rolled back
   is kept with the others. #}
{% macro sort_open_versions(port, records, versions) %}
  {% set needed = portmesh.needed_versions(port, portmesh.version_chain(records)) + portmesh.withdrawn_versions(records) %}
  {% set refused = portmesh._refused_since(records | rejectattr('verdict', 'equalto', 'maintained') | list) | first %}
  {% set runs = [] %}
  {% for record in records %}{% do runs.append(record.invocation_id[:6]) %}{% endfor %}
  {% set sorted = {'left': [], 'inspected': []} %}
  {% for version in versions if version.name not in needed %}
    {% set run = modules.re.search('_([0-9a-f]{6})(__[a-z]+)?$', version.name).group(1) %}
    {% set is_inspected = refused and (version.name == refused or version.name.startswith(refused ~ '__')) %}
    {% do sorted['inspected' if is_inspected else 'left'].append(dict(version, has_record=run in runs)) %}
  {% endfor %}
  {{ return(sorted) }}
{% endmacro %}

{# The newest version that a rollback took from consumers since the last publication: {version, row_count, published_at,
   rolled_back_at}, the times of those between included; none where no rollback came after the last publication. #}
{% macro withdrawn_facts(records, current) %}
  {% set taken, back = portmesh.withdrawn_versions(records), [] %}
  {% for record in records if record.verdict == 'rolled_back' and record.replaces in taken %}{% do back.append(record.attempted_at) %}{% endfor %}
  {% set published = records | selectattr('verdict', 'equalto', 'published') | selectattr('version', 'in', taken) | list %}
  {% if not back or not published %}{{ return(none) }}{% endif %}
  {{ return({
      'version': published[0].version, 'row_count': published[0].row_count | int,
      'published_at': published[-1].attempted_at.isoformat(), 'rolled_back_at': back[0].isoformat()}) }}
{% endmacro %}

{# What a rollback took from consumers since the last publication, and the tables beside it. #}
{% macro withdrawn_versions(records) %}
  {% set names, found = [], namespace(is_open=true) %}
  {% for record in records if record.verdict in ['published', 'rolled_back'] %}
    {% if record.verdict == 'published' %}{% set found.is_open = false %}{% endif %}
    {% if found.is_open %}{% do names.extend([record.replaces, record.replaces ~ '__replaced']) %}{% endif %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}
