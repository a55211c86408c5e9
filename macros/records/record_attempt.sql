{% macro record_table(name) %}
  {{- return(api.Relation.create(database=target.get('database'), schema=environment_schema('portmesh'), identifier=name, type='table')) -}}
{% endmacro %}

{# One row of publications, and one of measurements for each check. `attempt` is what build_output_port makes of a run. #}
{% macro record_attempt(attempt, verdict, version) %}
  {% set port, now = attempt.port, portmesh.utc_now() %}
  {% set seconds = (modules.datetime.datetime.now() - attempt.started_at).total_seconds() %}
  {% do portmesh.insert_record('publications', [[
      invocation_id, now, port.id, port.product, port.name, attempt.contract_version or port.contract_version, version, attempt.place.base,
      attempt.current.version if attempt.current else none, attempt.kind, verdict, attempt.row_count, attempt.failed | length, seconds,
      none if verdict in ['refused', 'retired', 'renamed'] else portmesh.current_snapshot(port),
      portmesh.definitions_of(attempt.checks), attempt.checks | rejectattr('failures', 'equalto', 0) | list | length,
  ] + portmesh.step_costs() + [
      port.reads_as, attempt.history.next_sequence, attempt.contract or tojson(portmesh.contract_of(port))]]) %}
  {% set rows = [] %}
  {% for c in attempt.checks %}
    {% do rows.append([
        invocation_id, now, port.id, port.product, port.name, version, c.id, c.name, c.kind, c.dimension, c.column,
        c.scope, c.definition, c.failures, attempt.row_count, c.warn_if, c.error_if, c.severity, c.status, c.seconds, port.reads_as]) %}
  {% endfor %}
  {% if rows %}{% do portmesh.insert_record('measurements', rows) %}{% endif %}
{% endmacro %}

{# Rows in the order of record_columns. A statement takes as many as fit: Athena takes none over 262,144 bytes. #}
{% macro insert_record(table, rows) %}
  {% set names = portmesh.record_columns()[table].keys() | join(', ') %}
  {% set part = namespace(tuples=[], bytes=0) %}
  {% for row in rows %}
    {% set values = [] %}
    {% for value in row %}{% do values.append(portmesh.literal(value)) %}{% endfor %}
    {% set text = '(' ~ values | join(', ') ~ ')' %}
    {% do part.tuples.append(text) %}
    {% set part.bytes = part.bytes + text.encode() | length + 2 %}
    {% if part.bytes > 200000 or loop.last %}
      {% do portmesh.execute_sql('insert into ' ~ portmesh.record_table(table) ~ ' (' ~ names ~ ') values\n' ~ part.tuples | join(',\n')) %}
      {% set part.tuples = [] %}{% set part.bytes = 0 %}
    {% endif %}
  {% endfor %}
{% endmacro %}

{# A value as a literal: none, a number, a text, or a time without a zone. #}
{% macro literal(value) %}
  {%- if value is none -%}{{- return('null') -}}{%- endif -%}
  {%- if value is number -%}{{- return(value | string) -}}{%- endif -%}
  {%- if value is string -%}{{- return(portmesh.text_literal(value)) -}}{%- endif -%}
  {{- return("timestamp '" ~ value.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "'") -}}
{% endmacro %}

{% macro utc_now() %}
  {{- return(modules.datetime.datetime.now(modules.pytz.utc).replace(tzinfo=none)) -}}
{% endmacro %}
