{# What the records tell of a port: {attempts, versions, current, next_sequence}. `attempts` are all records, the newest first;
   `versions` the chain of published ones, the newest first, each followed by the one that it replaced; `current` the first of
   them. The order is that of `sequence`, which each attempt takes one higher than it found, never that of clocks. #}
{% macro read_history(port) %}
  {% set attempts = portmesh.attempts_of([port])[port.reads_as] %}
  {% set versions = portmesh.version_chain(attempts) %}
  {{ return({
      'attempts': attempts, 'versions': versions, 'current': versions[0] if versions else none,
      'next_sequence': ((attempts[0]['sequence'] or 0) if attempts else 0) | int + 1}) }}
{% endmacro %}

{# {port's relation: its records, the newest first, down to the one that retired it}. Records of an earlier release go by the
   node's id. #}
{% macro attempts_of(ports) %}
  {% set names, ids, found, by_id = [], [], {}, {} %}
  {% for port in ports %}
    {% do names.append(portmesh.text_literal(port.reads_as)) %}
    {% do ids.append(portmesh.text_literal(port.id)) %}
    {% do found.update({port.reads_as: []}) %}
    {% do by_id.update({port.id: port.reads_as}) %}
  {% endfor %}
  {% set query %}
    select port_id, invocation_id, version, base, replaces, kind, verdict, row_count, attempted_at, snapshot_id,
      contract_version, definitions, findings, reads_as, sequence, contract
    from {{ portmesh.record_table('publications') }}
    where reads_as in ({{ names | join(', ') }}) or (reads_as is null and port_id in ({{ ids | join(', ') }}))
    order by coalesce(sequence, 0) desc, attempted_at desc
  {% endset %}
  {% for row in portmesh.query(query).rows %}
    {% set records = found[row['reads_as'] or by_id[row['port_id']]] %}
    {% if not records or records[-1]['verdict'] != 'retired' %}{% do records.append(row) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# A rollback or a maintenance leaves the rows of a version under a new snapshot: its newest record has it. #}
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
    {% set row = published[next.version] %}
    {% do chain.append({
        'version': row['version'], 'base': row['base'], 'replaces': row['replaces'], 'kind': row['kind'],
        'row_count': row['row_count'], 'attempted_at': row['attempted_at'], 'snapshot_id': snapshots[row['version']],
        'contract_version': row['contract_version'], 'definitions': row['definitions'], 'findings': row['findings'],
        'contract': row['contract']}) %}
    {% set next.version = row['replaces'] %}
  {% endfor %}
  {{ return(chain) }}
{% endmacro %}

{# {check id: {definition, failures}} of the checks as they were measured on the version that consumers read. Nothing is
   asked where its record tells that all of today's checks found nothing. #}
{% macro measured_before(checks, port, current) %}
  {% set measured = {} %}
  {% if not current %}{{ return(measured) }}{% endif %}
  {% if current.definitions == portmesh.definitions_of(checks) and current.findings == 0 %}
    {% for check in checks %}{% do measured.update({check.id: {'definition': check.definition, 'failures': 0}}) %}{% endfor %}
    {{ return(measured) }}
  {% endif %}
  {% set query %}
    select check_id, definition, failures
    from {{ portmesh.record_table('measurements') }}
    where version = {{ portmesh.text_literal(current.version) }}
    order by measured_at
  {% endset %}
  {% for row in portmesh.query(query).rows %}
    {% do measured.update({row['check_id']: {'definition': row['definition'], 'failures': row['failures']}}) %}
  {% endfor %}
  {{ return(measured) }}
{% endmacro %}

{# One text for all checks of a port: it is another as soon as one of them is. #}
{% macro definitions_of(checks) %}
  {%- set texts = [] -%}
  {%- for check in checks -%}{%- do texts.append(check.id ~ ' ' ~ check.definition) -%}{%- endfor -%}
  {{- return(local_md5(texts | sort | join('\n'))) -}}
{% endmacro %}
