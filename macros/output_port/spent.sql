{# What the statements of a port cost, by step (write, audit, publish): seconds, and what Athena tells of bytes. #}

{% macro spent() %}
  {{- return(graph.setdefault('portmesh_spent', {}).setdefault(invocation_id, {}).setdefault(model.unique_id if model else none, {})) -}}
{% endmacro %}

{# From here on, statements belong to this step. #}
{% macro begin_step(name) %}
  {% set spent, now = portmesh.spent(), modules.datetime.datetime.now() %}
  {% if spent.step %}
    {% do spent.steps[spent.step].update({'seconds': (now - spent.since).total_seconds()}) %}
  {% endif %}
  {% do spent.setdefault('steps', {}).update({name: {'statements': 0, 'scanned': none, 'billed': none}}) %}
  {% do spent.update({'step': name, 'since': now}) %}
{% endmacro %}

{# Beside dbt's comment on the statement (run, domain, product, port: query_comment), for whoever looks at the engine's history. #}
{% macro step_comment() %}{{ return('/* step: ' ~ portmesh.spent().step ~ ' */ ' if portmesh.spent().step else '') }}{% endmacro %}

{# Athena bills each statement that reads data by the megabyte, ten at least; one that only defines something is free.
   https://aws.amazon.com/athena/pricing/ #}
{% macro account_for(sql, response) %}
  {% set spent = portmesh.spent() %}
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
{% macro spent_values() %}
  {% set steps = portmesh.spent().get('steps', {}) %}
  {% set write, audit, publish = steps.get('write', {}), steps.get('audit', {}), steps.get('publish', {}) %}
  {% set told = steps.values() | rejectattr('scanned', 'none') | list %}
  {{ return([
      write.get('seconds'), audit.get('seconds'), publish.get('seconds'), steps.values() | sum(attribute='statements'),
      told | sum(attribute='scanned') if told else none, told | sum(attribute='billed') if told else none,
      audit.get('scanned'), audit.get('billed'),
  ]) }}
{% endmacro %}
