{% macro refuse(attempt) %}
  {% set port = attempt.port %}
  {% do portmesh.begin_step('record') %}
  {% if attempt.kind == 'increment' and attempt.written %}{% do portmesh.withdraw_increment(attempt) %}{% endif %}
  {% do portmesh.keep_failures(attempt) %}
  {% do portmesh.record_attempt(attempt, 'refused', port.version) %}
  {% do portmesh.drop_superseded_versions(port) %}
  {% set message = portmesh._refusal(attempt) %}
  {{ adapter.commit() }}
  {% do exceptions.raise_dependency_error(message) %}
{% endmacro %}

{% macro _refusal(attempt) %}
  {%- set port = attempt.port -%}
  {%- set rows = [] -%}
  {%- for check in attempt.failed -%}
    {%- set rows_failed = portmesh._rows_failed(check) -%}
    {%- do rows.append([
        portmesh._check_text(check), check.column or '-', '{:,}'.format(check.failures) ~ portmesh._unit(check),
        '-' if rows_failed is none else '{:,}'.format(rows_failed) ~ ' of ' ~ '{:,}'.format(attempt.row_count),
        '-' if rows_failed is none or not attempt.row_count else '%.2f %%' | format(100 * rows_failed / attempt.row_count),
        portmesh._allowed(check), portmesh._examples(attempt, check)]) -%}
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
  {%- set units = {'macro.dbt.test_unique': ' key', 'macro.portmesh.test_unique_combination': ' key', 'macro.dbt.test_accepted_values': ' value'} -%}
  {%- set of_the_whole = ['row_count_between', 'not_null_share', 'fresh_within'] -%}
  {%- if check.fail_calc != 'count(*)' or check.kind in of_the_whole -%}{{- return('') -}}{%- endif -%}
  {{- return(units.get(check.macro, ' row') ~ ('s' if check.failures != 1 else '')) -}}
{% endmacro %}

{# Up to three offending values; of a missing value, the keys of its rows. #}
{% macro _examples(attempt, check) %}
  {%- set keys = attempt.checks | selectattr('kind', 'equalto', 'unique') | map(attribute='column') | list -%}
  {%- set column = '*' if check.macro != 'macro.dbt.test_not_null' else keys[0] if keys and check.column not in keys else check.column -%}
  {%- set values = [] -%}
  {%- for row in portmesh.query('select ' ~ column ~ ' from ' ~ check.failing ~ ' limit 3').rows -%}
    {%- do values.append(row[0] | string | truncate(24, true, '…', 0)) -%}
  {%- endfor -%}
  {{- return(values | join(', ')) -}}
{% endmacro %}

{% macro _rows_failed(check) %}
  {%- if not portmesh._unit(check) -%}{{- return(none) -}}{%- endif -%}
  {%- if portmesh._unit(check).startswith(' row') -%}{{- return(check.failures) -}}{%- endif -%}
  {{- return(portmesh.query('select sum(n_records) from ' ~ check.failing).rows[0][0] | int) -}}
{% endmacro %}

{# The failing rows stay beside the refused candidate, under the names that dbt gives stored failures. #}
{% macro keep_failures(attempt) %}
  {% set whole = portmesh.refused_relation(attempt) %}
  {% for check in attempt.failed %}
    {% set sql = portmesh._failing_rows(attempt.port, check, attempt.port.candidate if check.scope == 'rows' else whole) %}
    {% if check.store_failures is sameas false %}
      {% do check.update({'failing': '(' ~ sql ~ '\n) as failing'}) %}
    {% else %}
      {% do portmesh.replace_table(check.failures_relation, sql) %}
      {% do check.update({'failing': check.failures_relation, 'failures_kept': true}) %}
    {% endif %}
  {% endfor %}
{% endmacro %}

{% macro _failing_rows(port, check, relation) %}
  {% if check.macro == 'macro.dbt.test_not_null' %}
    {% set missing = check.column ~ ' is null' %}
    {{ return('select * from ' ~ portmesh.filtered(relation, '(' ~ check.where ~ ') and ' ~ missing if check.where else missing)) }}
  {% endif %}
  {{ return(portmesh.compile_check(port, check, portmesh.narrowed(relation, check))) }}
{% endmacro %}

{% macro drop_kept_failures(checks) %}
  {% for check in checks if not check.store_failures and not flags.STORE_FAILURES %}
    {% set kept = load_relation(check.failures_relation) %}
    {% if kept %}{% do adapter.drop_relation(kept) %}{% endif %}
  {% endfor %}
{% endmacro %}
