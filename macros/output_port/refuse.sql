{% macro refuse(attempt) %}
  {% set port = attempt.port %}
  {% set details = portmesh._failure_details(attempt) %}
  {% if attempt.kind == 'increment' %}{% do portmesh.withdraw_increment(attempt) %}{% endif %}
  {% do portmesh.record_attempt(attempt, 'refused', port.version) %}
  {% do portmesh.keep_failures(attempt) %}
  {% do portmesh.drop_superseded_versions(port) %}
  {{ adapter.commit() }}
  {% do exceptions.raise_dependency_error(portmesh._refusal(attempt, details)) %}
{% endmacro %}

{% macro _refusal(attempt, details) %}
  {%- set port = attempt.port -%}
  {%- set rows = [] -%}
  {%- for check in attempt.failed -%}
    {%- set rows_failed = details[check.id].rows_failed -%}
    {%- do rows.append([
        portmesh._check_text(check), check.column or '-', '{:,}'.format(check.failures) ~ portmesh._unit(check),
        '-' if rows_failed is none else '{:,}'.format(rows_failed) ~ ' of ' ~ '{:,}'.format(attempt.row_count),
        '-' if rows_failed is none or not attempt.row_count else '%.2f %%' | format(100 * rows_failed / attempt.row_count),
        portmesh._allowed(check), details[check.id].examples]) -%}
  {%- endfor -%}
  {%- set passed = attempt.checks | length - attempt.failed | length -%}
  {{- port.label }} was not published. {{ portmesh._what_consumers_keep(attempt.current) }}

{{ portmesh.text_table(['check', 'column', 'failed', 'rows', 'share', 'allowed', 'for example'], rows) }}
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

{# What a check counts: dbt's unique and accepted_values give a row for each key or value, with its n_records. #}
{% macro _unit(check) %}
  {%- set units = {'unique': ' key', 'unique_combination': ' key', 'accepted_values': ' value'} -%}
  {%- set of_the_whole = ['row_count_between', 'not_null_share', 'fresh_within'] -%}
  {%- if check.fail_calc != 'count(*)' or check.kind in of_the_whole -%}{{- return('') -}}{%- endif -%}
  {{- return(units.get(check.kind, ' row') ~ ('s' if check.failures != 1 else '')) -}}
{% endmacro %}

{# {check id: {rows_failed, examples}}: up to three offending values; of a missing value, the keys of its rows. #}
{% macro _failure_details(attempt) %}
  {% set details = {} %}
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
    {% do details.update({check.id: {'rows_failed': portmesh._rows_failed(check), 'examples': values | join(', ')}}) %}
  {% endfor %}
  {{ return(details) }}
{% endmacro %}

{% macro _rows_failed(check) %}
  {% if not portmesh._unit(check) %}{{ return(none) }}{% endif %}
  {% if portmesh._unit(check).startswith(' row') %}{{ return(check.failures) }}{% endif %}
  {{ return(run_query('select sum(n_records) from (' ~ check.sql ~ '\n) as failing').rows[0][0] | int) }}
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
