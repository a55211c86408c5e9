{% macro refuse(attempt) %}
  {% set port = attempt.port %}
  {% set examples = portmesh._examples(attempt) %}
  {% if attempt.kind == 'increment' %}{% do portmesh.withdraw_increment(attempt) %}{% endif %}
  {% do portmesh.record_attempt(attempt, 'refused', port.version) %}
  {% do portmesh.keep_failures(attempt) %}
  {% do portmesh.drop_superseded_versions(port) %}
  {{ adapter.commit() }}
  {% do exceptions.raise_dependency_error(portmesh._refusal(attempt, examples)) %}
{% endmacro %}

{% macro _refusal(attempt, examples) %}
  {%- set port = attempt.port -%}
  {%- set rows = [] -%}
  {%- for check in attempt.failed -%}
    {%- do rows.append([
        portmesh._check_text(check), check.column or '-',
        '{:,}'.format(check.failures) ~ ' of ' ~ '{:,}'.format(attempt.row_count),
        '%.2f %%' | format(100 * check.failures / attempt.row_count) if attempt.row_count else '-',
        portmesh._allowed(check), examples[check.id]]) -%}
  {%- endfor -%}
  {%- set passed = attempt.checks | length - attempt.failed | length -%}
  {{- port.label }} was not published. {{ portmesh._what_consumers_keep(attempt.current) }}

{{ portmesh.text_table(['check', 'column', 'failed of rows', 'share', 'allowed', 'for example'], rows) }}
  {{ passed }} other check{{ 's' if passed != 1 }} passed.

  the candidate   {{ port.candidate.schema }}.{{ port.candidate.identifier }}
{%- for check in attempt.failed if check.failures_kept %}
  {{ 'the rows     ' if loop.first else '             ' }}   select * from {{ check.failures_relation.schema }}.{{ check.failures_relation.identifier }}
{%- endfor %}
  next            mend the model or the batch, then: dbt build --select {{ port.node.name }}+
{%- endmacro %}

{% macro _what_consumers_keep(current) %}
  {%- if not current -%}{{- return('It has no published version yet, so consumers see nothing.') -}}{%- endif -%}
  {{- return('Consumers keep the version of ' ~ current.attempted_at.strftime('%d %b %H:%M') ~ ' UTC ('
      ~ '{:,}'.format(current.row_count) ~ ' rows).') -}}
{% endmacro %}

{% macro _check_text(check) %}
  {%- set shown = [] -%}
  {%- for name, value in check.kwargs.items() if name not in ['model', 'column_name'] and value is not none -%}
    {%- do shown.append(name ~ ' ' ~ value) -%}
  {%- endfor -%}
  {{- return((check.kind ~ ' ' ~ shown | join(', ')) | trim | truncate(48, true, '…', 0)) -}}
{% endmacro %}

{# "!= 0" and "> 0" allow 0, "> 17" allows 17; anything else is shown as it is written. #}
{% macro _allowed(check) %}
  {%- set limit = check.error_if if check.severity == 'error' else check.warn_if -%}
  {%- set number = modules.re.match('^\\s*(?:!=|<>|>)\\s*(\\d+)\\s*$', limit) -%}
  {{- return('{:,}'.format(number.group(1) | int) if number else 'unless ' ~ limit) -}}
{% endmacro %}

{# Up to three offending values of each failed check; of a missing value, the keys of its rows. #}
{% macro _examples(attempt) %}
  {% set examples = {} %}
  {% set keys = attempt.checks | selectattr('kind', 'equalto', 'unique') | map(attribute='column') | list %}
  {% for check in attempt.failed %}
    {% set sql = check.sql %}
    {% if check.kind == 'not_null' and keys and check.column not in keys %}
      {% set source = attempt.port.candidate if check.scope == 'rows' else portmesh.audited_relation(attempt) %}
      {% set sql = 'select ' ~ keys[0] ~ ' from ' ~ portmesh.filtered(source, (check.where ~ ' and ' if check.where else '') ~ check.column ~ ' is null') %}
    {% endif %}
    {% set values = [] %}
    {% for row in run_query('select * from (' ~ sql ~ '\n) as failing limit 3').rows %}
      {% do values.append(row[0] | string | truncate(24, true, '…', 0)) %}
    {% endfor %}
    {% do examples.update({check.id: values | join(', ')}) %}
  {% endfor %}
  {{ return(examples) }}
{% endmacro %}

{% macro audited_relation(attempt) %}
  {{- return(portmesh.version_relation(attempt.port, attempt.base)) -}}
{% endmacro %}

{# The failing rows stay beside the refused candidate, under the names that dbt gives stored failures. #}
{% macro keep_failures(attempt) %}
  {% set whole = portmesh.refused_relation(attempt) %}
  {% for check in attempt.failed if check.store_failures is not sameas false %}
    {% set relation = attempt.port.candidate if check.scope == 'rows' else whole %}
    {% do portmesh.replace_table(check.failures_relation, portmesh.compile_check(attempt.port, check, relation)) %}
    {% do check.update({'failures_kept': true}) %}
  {% endfor %}
{% endmacro %}

{% macro drop_kept_failures(checks) %}
  {% for check in checks if not check.store_failures and not flags.STORE_FAILURES %}
    {% set kept = load_relation(check.failures_relation) %}
    {% if kept %}{% do adapter.drop_relation(kept) %}{% endif %}
  {% endfor %}
{% endmacro %}
