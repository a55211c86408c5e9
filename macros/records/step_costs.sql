{# What the statements of a port cost, by step (write, audit, publish): seconds, and what Athena and DuckDB tell of bytes. #}

{% macro _steps() %}
  {{- return(graph.setdefault('portmesh_spent', {}).setdefault(invocation_id, {}).setdefault(model.unique_id if model else none, {})) -}}
{% endmacro %}

{# From here on, statements belong to this step. Writing is the first of an attempt. #}
{% macro begin_step(name) %}
  {% set spent, now, read = portmesh._steps(), modules.datetime.datetime.now(), portmesh.bytes_read_so_far() %}
  {% if name == 'write' %}{% do spent.clear() %}{% endif %}
  {% if spent.step %}
    {% do spent.steps[spent.step].update({'seconds': (now - spent.since).total_seconds()}) %}
    {% if read is not none %}{% do spent.steps[spent.step].update({'scanned': read - spent.read}) %}{% endif %}
  {% endif %}
  {% do spent.setdefault('steps', {}).update({name: {'statements': 0, 'scanned': none, 'billed': none}}) %}
  {% do spent.update({'step': name, 'since': now, 'read': read, 'checks': []}) %}
{% endmacro %}

{# From here on, an error of the engine's is one of these checks'. #}
{% macro begin_checks(checks) %}{% do portmesh._steps().update({'checks': checks}) %}{% endmacro %}

{# Beside dbt's comment on the statement (run, domain, product, port: query_comment), for whoever looks at the engine's history. #}
{% macro step_comment() %}{{ return('/* step: ' ~ portmesh._steps().step ~ ' */ ' if portmesh._steps().step else '') }}{% endmacro %}

{# Athena bills each statement that reads data by the megabyte, ten at least; one that only defines something is free.
   https://aws.amazon.com/athena/pricing/ #}
{% macro account_for(sql, response) %}
  {% set spent = portmesh._steps() %}
  {% if spent.step %}
    {% set step = spent.steps[spent.step] %}
    {% do step.update({'statements': step.statements + 1}) %}
    {% set scanned = response.data_scanned_in_bytes if response is not string else none %}
    {% if scanned is number %}
      {% set is_free = modules.re.match('(?is)\\s*(create(?!.*\\bas\\b\\s+(select|with))|alter|drop|explain|show|describe)', sql) %}
      {% set megabytes = [10, (scanned / 1000000) | round(0, 'ceil') | int] | max %}
      {% do step.update({'scanned': (step.scanned or 0) + scanned, 'billed': (step.billed or 0) + (0 if is_free else megabytes * 1000000)}) %}
    {% endif %}
  {% endif %}
{% endmacro %}

{# Values of the columns write_seconds … audit_bytes_billed of portmesh.publications; nulls where nobody tells. #}
{% macro step_costs() %}
  {% set steps = portmesh._steps().get('steps', {}) %}
  {% set write, audit, publish = steps.get('write', {}), steps.get('audit', {}), steps.get('publish', {}) %}
  {% set scanned = steps.values() | map(attribute='scanned') | reject('none') | list %}
  {% set billed = steps.values() | map(attribute='billed') | reject('none') | list %}
  {{ return([
      write.get('seconds'), audit.get('seconds'), publish.get('seconds'), steps.values() | sum(attribute='statements'),
      scanned | sum if scanned else none, billed | sum if billed else none,
      audit.get('scanned'), audit.get('billed'),
  ]) }}
{% endmacro %}

{# Bytes that the engine told of only later, to the records that have none: [{run, port, bytes, audit_bytes}]. #}
{% macro record_bytes(publications) %}
  {% set rows = [] %}
  {% for one in publications %}
    {% do rows.append('(' ~ portmesh.literal(one.run) ~ ', ' ~ portmesh.literal(one.port) ~ ', ' ~ one.bytes | int ~ ', ' ~ one.audit_bytes | int ~ ')') %}
  {% endfor %}
  {% do portmesh.execute_sql(
      'merge into ' ~ portmesh.record_table('publications') ~ ' as recorded using (select * from (values ' ~ rows | join(', ')
      ~ ') as rows_told (run, port, bytes, audit_bytes)) as told on recorded.invocation_id = told.run and recorded.port_id = told.port'
      ~ ' and recorded.bytes_scanned is null'
      ~ ' when matched then update set bytes_scanned = told.bytes, audit_bytes_scanned = told.audit_bytes') %}
{% endmacro %}
