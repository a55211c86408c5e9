{# Runs after a dbt command. For each port that failed with an error not raised by Portmesh, it logs what consumers read
   now (according to the records), the step that failed, and what to do. dbt's output has the error itself. #}
{% macro explain_faults(results) %}
  {%- if not execute or not flags.INTROSPECT -%}{{- return('') -}}{%- endif -%}
  {%- do portmesh.explain_lake_faults(results) -%}
  {%- set faults = [] -%}
  {%- for result in results if result.status == 'error' and result.node.config.materialized == 'output_port' -%}
    {%- set fault = portmesh._fault_of(result.node, result.message or '') -%}
    {%- if fault -%}{%- do faults.append(fault) -%}{%- endif -%}
  {%- endfor -%}
  {%- if faults | rejectattr('cause.answers', 'sameas', false) | list -%}
    {%- do try_or_compiler_error(portmesh._explained(faults), portmesh._ask_what_is_published, faults) -%}
  {%- endif -%}
  {%- if faults -%}{%- do portmesh.say(portmesh._explained(faults)) -%}{%- endif -%}
  {%- do portmesh.explain_casts(results) -%}
  {%- for text in portmesh._faults_of_others(results, faults) -%}{%- do portmesh.say(text) -%}{%- endfor -%}
{% endmacro %}

{# For other nodes, only the causes that keep the run from using its engine, unless a port's message already names them.
   Other errors belong to the node, and dbt prints them. Results include start hooks; findings of the rules are left
   out. #}
{% macro _faults_of_others(results, faults) %}
  {% set found, told, texts = {}, faults | map(attribute='cause.cause') | list, [] %}
  {% set causes = portmesh.causes_of_faults() %}
  {% for result in results if result.status in ['error', 'runtime error']
      and not modules.re.search('\\d+ findings?; nothing was built\\.', result.message or '') %}
    {% set cause = portmesh.cause_of(result.message or '', causes) %}
    {% if cause.answers is sameas false and cause.cause not in told %}
      {% do found.setdefault(cause.cause, {'remedy': cause.remedy, 'nodes': []}).nodes.append(result.node.name) %}
    {% endif %}
  {% endfor %}
  {% for cause, fault in found.items() %}
    {% set count = fault.nodes | length %}
    {% set names = fault.nodes[:3] | join(', ') ~ (' and ' ~ (count - 3) ~ ' more' if count > 3 else '') %}
    {% do texts.append(
        'The run could not use its engine. Nothing downstream of these nodes was built or published.'
        ~ '\n\n  failed  ' ~ names ~ '\n  cause   ' ~ cause ~ '\n  next    ' ~ fault.remedy ~ ', then: dbt retry') %}
  {% endfor %}
  {{ return(texts) }}
{% endmacro %}

{# What can be said about a port's error without asking the engine; none if the message already says everything, or if
   no step had begun. #}
{% macro _fault_of(node, message) %}
  {% set port = portmesh.describe_port(graph.nodes[node.unique_id]) %}
  {% set begun, cause = portmesh.work_begun(node), portmesh.cause_of(message, portmesh.causes_of_faults()) %}
  {% set is_nothing = message.startswith('Compilation Error') and not begun.step %}
  {% if is_nothing or port.label ~ ' was not ' in message %}{{ return(none) }}{% endif %}
  {% set step = 'view ' ~ begun.view if begun.view else begun.step or 'start' %}
  {% set fault = {'port': port, 'step': step, 'cause': cause, 'what': 'the run failed'} %}
  {% set bad = '' if cause.pattern else portmesh.bad_value(node, message) %}
  {% if bad %}{% do fault.update({'cause': {'cause': bad, 'remedy': 'fix these rows or the cast'}}) %}{% endif %}
  {% set is_of_checks = begun.checks and not cause.tried and cause.answers is not sameas false %}
  {% if is_of_checks %}{% do fault.update(portmesh._fault_of_checks(fault, begun, message)) %}{% endif %}
  {{ return(dict(fault, meaning=portmesh._what_is_known(fault))) }}
{% endmacro %}

{# If no known cause matches, the engine's own message is the cause. Spark puts its message inside Java errors, mostly
   after an error class in brackets. #}
{% macro _fault_of_checks(fault, begun, message) %}
  {% set of_spark = modules.re.search('(\\[[A-Z][A-Z0-9_.]+\\] (?![\\w.]+Exception: )[^\\n]+)', message)
      or modules.re.search('(?m)^.*\\.\\w+Exception: (.+)$', message) %}
  {% set text = modules.re.sub('^\\w+ Error[^\\n]*\\n', '', message).replace('\n  ', '\n').strip() %}
  {% set said = of_spark.group(1) if of_spark else text.split('\n\n')[0] %}
  {% set broken = portmesh.describe_broken_checks(fault.port, begun.checks, begun.sql, message) %}
  {% set cause = {'cause': portmesh.printable(said | replace('\n', ' '), 300), 'remedy': broken.remedy} %}
  {{ return({'what': broken.what, 'cause': fault.cause if fault.cause.pattern else cause}) }}
{% endmacro %}

{# What is certain without asking the engine: before the switch nothing has changed. After it, Iceberg's tables have
   changed, but DuckDB's transaction may have been rolled back. #}
{% macro _what_is_known(fault) %}
  {% set port, step = fault.port, fault.step %}
  {% set not_asked = '; the engine did not answer which version that is.' %}
  {% if step not in ['publish', 'record'] %}
    {{ return(port.label ~ ' was not published: ' ~ fault.what ~ '. Consumers keep their version' ~ not_asked) }}
  {% elif step == 'record' and target.type != 'duckdb' %}
    {{ return(port.label ~ ' was published, but the run failed afterwards. Consumers read the new version.') }}
  {% endif %}
  {{ return(port.label ~ ' may have been published: the run failed in that step.'
      ~ ' Consumers read either the version they had or the new one' ~ not_asked) }}
{% endmacro %}

{# The port's transaction has ended by now, so the records show the actual state. #}
{% macro _ask_what_is_published(faults) %}
  {% for fault in faults if fault.cause.answers is not sameas false %}
    {% do fault.update({'meaning': portmesh._what_is_published(fault, portmesh.read_history(fault.port))}) %}
  {% endfor %}
{% endmacro %}

{% macro _what_is_published(fault, history) %}
  {% set port, current = fault.port, history.current %}
  {% set not_published = port.label ~ ' was not published: ' ~ fault.what ~ '. ' %}
  {% set published = port.label ~ ' was published, but the run failed afterwards. ' %}
  {% set unrecorded = 'Consumers read a version that is not recorded; the next run audits all of it.' %}
  {% if not current %}
    {% set is_done = fault.step == 'record' and target.type != 'duckdb' %}
    {{ return(published ~ unrecorded if is_done else not_published ~ portmesh.what_consumers_see(none)) }}
  {% endif %}
  {% if not portmesh.reads_as_recorded(port, current) %}
    {{ return((published if fault.step in ['publish', 'record'] else not_published) ~ unrecorded) }}
  {% endif %}
  {% for attempt in history.attempts if attempt.verdict == 'published' and attempt.invocation_id == invocation_id %}
    {% if attempt.version == current.version %}{{ return(published ~ portmesh.what_consumers_see(current)) }}{% endif %}
  {% endfor %}
  {{ return(not_published ~ portmesh.what_consumers_see(current)) }}
{% endmacro %}

{% macro _explained(faults) %}
  {%- set texts = [] -%}
  {%- for fault in faults -%}
    {%- do texts.append(
        fault.meaning ~ '\n\n  step    ' ~ fault.step ~ '\n  cause   ' ~ fault.cause.cause ~ '\n  next    '
        ~ fault.cause.remedy ~ ', then: ' ~ portmesh.build_command(fault.port.node)
        ~ ('; nothing needs repair' if fault.cause.tried)) -%}
  {%- endfor -%}
  {{- return(texts | join('\n\n')) -}}
{% endmacro %}
