{# After a run: for each port that an error ended which Portmesh did not raise itself, what consumers read now, as the
   records tell it, at which step the run broke, and what to do. The error itself stands in dbt's output. #}
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
  {%- if faults -%}{%- do log(portmesh._explained(faults), info=true) -%}{%- endif -%}
  {%- for text in portmesh._faults_of_others(results, faults) -%}{%- do log(text, info=true) -%}{%- endfor -%}
{% endmacro %}

{# Of what is no port: each cause that keeps a run from its engine, unless a port tells of it. Other errors dbt prints,
   and they are the node's. A hook of the start is there, too: what the rules found (check_rules) is no fault. #}
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
        'The run broke on the way to its engine. What reads these was not built, and ports above it were not published.'
        ~ '\n\n  broke   ' ~ names ~ '\n  cause   ' ~ cause ~ '\n  next    ' ~ fault.remedy ~ ', then: dbt retry') %}
  {% endfor %}
  {{ return(texts) }}
{% endmacro %}

{# What is known of a port's fault without the engine; none where the message says all of it itself, or nothing was
   begun. #}
{% macro _fault_of(node, message) %}
  {% set port = portmesh.describe_port(graph.nodes[node.unique_id]) %}
  {% set begun, cause = portmesh.work_begun(node), portmesh.cause_of(message, portmesh.causes_of_faults()) %}
  {% set is_nothing = message.startswith('Compilation Error') and not begun.step %}
  {% if is_nothing or port.label ~ ' was not ' in message %}{{ return(none) }}{% endif %}
  {% set step = 'view ' ~ begun.view if begun.view else begun.step or 'start' %}
  {% set fault = {'port': port, 'step': step, 'cause': cause, 'what': 'the run broke', 'view': begun.view} %}
  {% set is_of_checks = begun.checks and not cause.tried and cause.answers is not sameas false %}
  {% if is_of_checks %}{% do fault.update(portmesh._fault_of_checks(fault, begun.checks, message)) %}{% endif %}
  {{ return(dict(fault, meaning=portmesh._what_is_known(fault))) }}
{% endmacro %}

{# What the engine said is the cause where no other is known. Spark hides its own, with a class, in errors of Java. #}
{% macro _fault_of_checks(fault, checks, message) %}
  {% set of_spark = modules.re.search('\\[[A-Z][A-Z0-9_.]+\\] [^\\n]+', message) %}
  {% set text = modules.re.sub('^\\w+ Error[^\\n]*\\n', '', message).replace('\n  ', '\n').strip() %}
  {% set said = of_spark.group(0) if of_spark else text.split('\n\n')[0] %}
  {% set broken = portmesh.describe_broken_checks(fault.port, checks) %}
  {% set cause = {'cause': portmesh.printable(said, 300), 'remedy': broken.remedy} %}
  {{ return({'what': broken.what, 'cause': fault.cause if fault.cause.pattern else cause}) }}
{% endmacro %}

{# Without asking: before the switch nothing has changed; after it, Iceberg's tables have, and DuckDB's transaction
   may not. #}
{% macro _what_is_known(fault) %}
  {% set port, step = fault.port, fault.step %}
  {% set not_asked = '; the engine could not be asked which version that is.' %}
  {% if step not in ['publish', 'record'] %}
    {{ return(port.label ~ ' was not published: ' ~ fault.what ~ '. Consumers keep what they had' ~ not_asked) }}
  {% elif step == 'record' and target.type != 'duckdb' %}
    {{ return(port.label ~ ' is published, and the run broke after that. Consumers read the new version' ~ not_asked) }}
  {% endif %}
  {{ return(port.label ~ ' was perhaps published: the run broke in that step.'
      ~ ' Consumers read the version they had or the new one' ~ not_asked) }}
{% endmacro %}

{# The records are asked after the transaction of the port: what they say is so. #}
{% macro _ask_what_is_published(faults) %}
  {% for fault in faults if fault.cause.answers is not sameas false %}
    {% do fault.update({'meaning': portmesh._what_is_published(fault, portmesh.read_history(fault.port))}) %}
  {% endfor %}
{% endmacro %}

{% macro _what_is_published(fault, history) %}
  {% set port, current = fault.port, history.current %}
  {% set not_published = port.label ~ ' was not published: ' ~ fault.what ~ '. ' %}
  {% set published = port.label ~ ' is published, and the run broke after that. ' %}
  {% set unrecorded = 'Consumers read a version that has no record: the next run audits all of it.' %}
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
        ~ fault.cause.remedy ~ ', then: ' ~ portmesh.build_command(fault.port, also=[fault.view] if fault.view else [])
        ~ ('; nothing needs repair' if fault.cause.tried)) -%}
  {%- endfor -%}
  {{- return(texts | join('\n\n')) -}}
{% endmacro %}
