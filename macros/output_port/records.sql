{% macro record_table(name) %}
  {{- return(api.Relation.create(database=target.get('database'), schema=environment_schema('portmesh'), identifier=name, type='table')) -}}
{% endmacro %}

{% macro record_attempt(attempt, verdict, version) %}
  {% set port = attempt.port %}
  {% set now = portmesh.utc_now() %}
  {% set seconds = (modules.datetime.datetime.now() - attempt.started_at).total_seconds() %}
  {% do portmesh.insert_record('publications', [[
      invocation_id, now, port.id, port.product, port.name, port.contract_version, version, attempt.base,
      attempt.current.version if attempt.current else none, attempt.kind, verdict, attempt.row_count, attempt.failed | length, seconds,
      none if verdict == 'refused' else portmesh.current_snapshot(port),
      portmesh.definitions_of(attempt.checks), attempt.checks | rejectattr('failures', 'equalto', 0) | list | length,
  ] + portmesh.spent_values()]) %}
  {% set rows = [] %}
  {% for c in attempt.checks %}
    {% do rows.append([
        invocation_id, now, port.id, port.product, port.name, version, c.id, c.name, c.kind, c.dimension, c.column,
        c.scope, c.definition, c.failures, attempt.row_count, c.warn_if, c.error_if, c.severity, c.status, c.seconds]) %}
  {% endfor %}
  {% if rows %}{% do portmesh.insert_record('measurements', rows) %}{% endif %}
{% endmacro %}

{% macro insert_record(table, rows) %}
  {% set tuples = [] %}
  {% for row in rows %}
    {% set values = [] %}
    {% for value in row %}{% do values.append(portmesh._literal(value)) %}{% endfor %}
    {% do tuples.append('(' ~ values | join(', ') ~ ')') %}
  {% endfor %}
  {% do portmesh.execute_sql('insert into ' ~ portmesh.record_table(table) ~ ' values\n' ~ tuples | join(',\n')) %}
{% endmacro %}

{% macro _literal(value) %}
  {%- if value is none -%}{{- return('null') -}}{%- endif -%}
  {%- if value is number -%}{{- return(value | string) -}}{%- endif -%}
  {%- if value is string -%}{{- return(portmesh.text_literal(value)) -}}{%- endif -%}
  {{- return("timestamp '" ~ value.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "'") -}}
{% endmacro %}

{% macro text_literal(value) %}{{- return(adapter.dispatch('text_literal', 'portmesh')(value)) -}}{% endmacro %}

{% macro default__text_literal(value) %}
  {{- return("'" ~ value | string | replace("'", "''") ~ "'") -}}
{% endmacro %}

{# A backslash escapes in a Spark literal; the adapter's macros leave it, and it takes the next character away. #}
{% macro spark__text_literal(value) %}
  {{- return("'" ~ value | string | replace("\\", "\\\\") | replace("'", "\\'") ~ "'") -}}
{% endmacro %}

{% macro utc_now() %}
  {{- return(modules.datetime.datetime.now(modules.pytz.utc).replace(tzinfo=none)) -}}
{% endmacro %}

{# The publication that consumers read now: {version, base, replaces, kind, row_count, attempted_at, snapshot_id,
   contract_version, definitions, findings}, or none. #}
{% macro current_version(port) %}
  {{ return(portmesh.published_versions(port) | first) }}
{% endmacro %}

{# The chain of published versions, the newest first, each followed by the one it replaced. #}
{% macro published_versions(port) %}
  {% do port.update({'attempts': portmesh.attempts_of([port])[port.id]}) %}
  {{ return(portmesh.version_chain(port.attempts)) }}
{% endmacro %}

{# {port id: the records of its attempts, the newest first}. #}
{% macro attempts_of(ports) %}
  {% set ids, found = [], {} %}
  {% for port in ports %}
    {% do ids.append("'" ~ port.id ~ "'") %}
    {% do found.update({port.id: []}) %}
  {% endfor %}
  {% set query %}
    select port_id, invocation_id, version, base, replaces, kind, verdict, row_count, attempted_at, snapshot_id,
      contract_version, definitions, findings
    from {{ portmesh.record_table('publications') }}
    where port_id in ({{ ids | join(', ') }})
    order by attempted_at desc
  {% endset %}
  {% for row in portmesh.query(query).rows %}{% do found[row['port_id']].append(row) %}{% endfor %}
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
        'contract_version': row['contract_version'], 'definitions': row['definitions'], 'findings': row['findings']}) %}
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
    where port_id = '{{ port.id }}' and version = '{{ current.version }}'
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
