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
  ]]) %}
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
  {%- if value is string -%}{{- return(adapter.dispatch('text_literal', 'portmesh')(value)) -}}{%- endif -%}
  {{- return("timestamp '" ~ value.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "'") -}}
{% endmacro %}

{% macro default__text_literal(value) %}
  {{- return("'" ~ value | replace("'", "''") ~ "'") -}}
{% endmacro %}

{# A backslash escapes in a Spark literal. #}
{% macro spark__text_literal(value) %}
  {{- return("'" ~ value | replace("\\", "\\\\") | replace("'", "\\'") ~ "'") -}}
{% endmacro %}

{% macro utc_now() %}
  {{- return(modules.datetime.datetime.now(modules.pytz.utc).replace(tzinfo=none)) -}}
{% endmacro %}

{# The publication that consumers read now: {version, base, replaces, kind, row_count, attempted_at, snapshot_id}, or none. #}
{% macro current_version(port) %}
  {{ return(portmesh.published_versions(port) | first) }}
{% endmacro %}

{# The chain of published versions, the newest first, each followed by the one it replaced. #}
{% macro published_versions(port) %}
  {% set query %}
    select version, base, replaces, kind, verdict, row_count, attempted_at, snapshot_id
    from {{ portmesh.record_table('publications') }}
    where port_id = '{{ port.id }}' and verdict in ('published', 'rolled_back')
    order by attempted_at desc
  {% endset %}
  {% set rows = run_query(query).rows %}
  {% set by_version = {} %}
  {% for row in rows if row['verdict'] == 'published' %}{% do by_version.update({row['version']: row}) %}{% endfor %}
  {% set chain = [] %}
  {% set next = namespace(version=rows[0]['version'] if rows else none) %}
  {% for _ in rows if next.version in by_version %}
    {% do chain.append(by_version[next.version]) %}
    {% set next.version = by_version[next.version]['replaces'] %}
  {% endfor %}
  {{ return(chain) }}
{% endmacro %}

{# {check id: definition} of the checks that found nothing in the version that consumers read. #}
{% macro proved_definitions(port, current) %}
  {% set query %}
    select check_id, definition, failures
    from {{ portmesh.record_table('measurements') }}
    where port_id = '{{ port.id }}' and version = '{{ current.version }}'
    order by measured_at
  {% endset %}
  {% set proved = {} %}
  {% for row in run_query(query).rows %}
    {% do proved.update({row['check_id']: row['definition'] if row['failures'] == 0 else none}) %}
  {% endfor %}
  {{ return(proved) }}
{% endmacro %}

{# Definitions of the port's checks that were run before: they are sound SQL. #}
{% macro known_definitions(port) %}
  {{ return(run_query(
      "select distinct definition from " ~ portmesh.record_table('measurements') ~ " where port_id = '" ~ port.id ~ "'"
  ).columns[0].values() | list) }}
{% endmacro %}
