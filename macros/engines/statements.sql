{# Every statement of a port goes through execute_sql or query, so that its cost is counted for each step: write, audit,
   publish, record. If the engine accepts a comment, the step is added next to dbt's own (query_comment), so that it is
   visible in the engine's history. #}
{% macro execute_sql(sql) %}
  {% call statement('execute_sql', auto_begin=True) %}{{ portmesh._step_comment(sql) }}{{ sql }}{% endcall %}
  {% do portmesh._count_cost(sql, load_result('execute_sql').response) %}
{% endmacro %}

{% macro query(sql) %}
  {% call statement('query', fetch_result=True) %}{{ portmesh._step_comment(sql) }}{{ sql }}{% endcall %}
  {% set result = load_result('query') %}
  {% do portmesh._count_cost(sql, result.response) %}
  {{ return(result.table) }}
{% endmacro %}

{% macro count_rows(relation) %}
  {{- return(portmesh.query('select count(*) from ' ~ relation).rows[0][0] | int) -}}
{% endmacro %}

{# The following statements belong to this step. `write` is the first step of an attempt. #}
{% macro begin_step(name) %}
  {% set work, now, read = portmesh._work_on(model), modules.datetime.datetime.now(), portmesh.bytes_read_so_far() %}
  {% if name == 'write' %}{% do work.clear() %}{% endif %}
  {% if work.step %}
    {% do work.steps[work.step].update({'seconds': (now - work.since).total_seconds()}) %}
    {% if read is not none %}{% do work.steps[work.step].update({'scanned': read - work.read}) %}{% endif %}
  {% endif %}
  {% do work.setdefault('steps', {}).update({name: {'statements': 0, 'scanned': none, 'billed': none}}) %}
  {% do work.update({'step': name, 'since': now, 'read': read, 'checks': []}) %}
{% endmacro %}

{# If the engine fails from now on, these checks caused it. `sql` is their statement. #}
{% macro begin_checks(checks, sql='') %}
  {% do portmesh._work_on(model).update({'checks': checks, 'sql': sql}) %}
{% endmacro %}

{# If the engine fails from now on, storing the rows of this view caused it. #}
{% macro begin_view(name) %}{% do portmesh._work_on(model).update({'view': name}) %}{% endmacro %}

{# {step, checks, sql, view}: the last step that the run began for a node (empty if none), and the checks that were
   running with their statement, or the view that was being stored in it. #}
{% macro work_begun(node) %}
  {% set work = portmesh._work_on(node) %}
  {{ return({'step': work.step or '', 'checks': work.checks or [], 'sql': work.sql, 'view': work.view}) }}
{% endmacro %}

{# The values for the columns write_seconds to audit_bytes_billed of publications; null if the engine does not report
   them. #}
{% macro step_costs() %}
  {% set steps = portmesh._work_on(model).get('steps', {}) %}
  {% set write, audit, publish = steps.get('write', {}), steps.get('audit', {}), steps.get('publish', {}) %}
  {% set scanned = steps.values() | map(attribute='scanned') | reject('none') | list %}
  {% set billed = steps.values() | map(attribute='billed') | reject('none') | list %}
  {{ return([
      write.get('seconds'), audit.get('seconds'), publish.get('seconds'), steps.values() | sum(attribute='statements'),
      scanned | sum if scanned else none, billed | sum if billed else none,
      audit.get('scanned'), audit.get('billed'),
  ]) }}
{% endmacro %}

{# This run's work on a node: {step, since, read, steps, checks}. #}
{% macro _work_on(node) %}
  {%- set work = graph.setdefault('portmesh_work', {}).setdefault(invocation_id, {}) -%}
  {{- return(work.setdefault(node.unique_id if node else none, {})) -}}
{% endmacro %}

{% macro _step_comment(sql) %}
  {%- set step = portmesh._work_on(model).step -%}
  {{- return('/* step: ' ~ step ~ ' */ ' if step and portmesh.takes_comment(sql) else '') -}}
{% endmacro %}

{# Athena bills each statement by the megabytes it scans, at least ten; DDL statements are free.
   https://aws.amazon.com/athena/pricing/ #}
{% macro _count_cost(sql, response) %}
  {% set work = portmesh._work_on(model) %}
  {% if not work.step %}{{ return(none) }}{% endif %}
  {% set step, scanned = work.steps[work.step], response.data_scanned_in_bytes if response is not string else none %}
  {% do step.update({'statements': step.statements + 1}) %}
  {% if scanned is number %}
    {% set defines = '(?is)\\s*(create(?!.*\\bas\\b\\s+(select|with))|alter|drop|explain|show|describe)' %}
    {% set megabytes = [10, (scanned / 1000000) | round(0, 'ceil') | int] | max %}
    {% set megabytes = 0 if modules.re.match(defines, sql) else megabytes %}
    {% set billed = (step.billed or 0) + megabytes * 1000000 %}
    {% do step.update({'scanned': (step.scanned or 0) + scanned, 'billed': billed}) %}
  {% endif %}
{% endmacro %}
