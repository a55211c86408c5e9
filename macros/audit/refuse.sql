{# Records the refusal first, so that it is kept whatever happens next. Then stores the failing rows and raises the
   message. #}
{% macro refuse(attempt) %}
  {% set port = attempt.port %}
  {% do portmesh.begin_step('refuse') %}
  {% do portmesh.record_attempt(attempt, 'refused', attempt.place.version) %}
  {{ adapter.commit() }}
  {% set failing = [] %}
  {% for check in attempt.failed %}
    {% do portmesh.begin_checks([check]) %}
    {% do failing.append(portmesh._kept_failures(check)) %}
  {% endfor %}
  {% do portmesh.begin_checks([]) %}
  {% do portmesh.drop_superseded_versions(port, attempt.history, attempt.place) %}
  {% set message = portmesh._refusal(attempt, failing) %}
  {{ adapter.commit() }}
  {% do exceptions.raise_dependency_error(message) %}
{% endmacro %}

{% macro _refusal(attempt, failing) %}
  {%- set port, passed = attempt.port, attempt.checks | length - attempt.failed | length -%}
  {{- port.label }} was not published. {{ portmesh.what_consumers_see(attempt.current, 'keep') }}
{%- if attempt.kind == 'start' %}
These rows come from the version or old name that it starts from (config.meta.starts_from, portmesh rename).
{%- endif %}

{{ portmesh._table_of_failures(attempt, failing) }}
  {{ passed }} other check{{ 's' if passed != 1 }} passed.

  the candidate   {{ attempt.audited.schema }}.{{ attempt.audited.identifier }}
{%- for check in failing if check.is_kept %}
{%- set table = check.failures_relation %}
  {{ 'the rows' if loop.first else '        ' }}        select * from {{ table.schema }}.{{ table.identifier }}
{%- endfor %}
  next            fix the model or the batch, then: {{ portmesh.build_command(port.node) }}
{%- endmacro %}

{% macro _table_of_failures(attempt, failing) %}
  {% set all, rows = attempt.row_count, [] %}
  {% for check in failing %}
    {% set failed = portmesh._rows_failed(check) %}
    {% do rows.append([
        portmesh._check_text(check), portmesh.printable(check.column or '-'),
        '{:,}'.format(check.failures) ~ portmesh._unit(check),
        '-' if failed is none else '{:,}'.format(failed) ~ ' of ' ~ '{:,}'.format(all),
        '-' if failed is none or not all else '%.2f %%' | format(100 * failed / all),
        portmesh._allowed(check), portmesh._examples(attempt, check)]) %}
  {% endfor %}
  {{ return(portmesh.text_table(['check', 'column', 'failed', 'rows', 'share', 'allowed', 'for example'], rows)) }}
{% endmacro %}

{% macro _check_text(check) %}
  {%- set shown = [] -%}
  {%- for name, value in portmesh.stated_arguments(check).items() -%}
    {%- do shown.append(name ~ ' ' ~ value) -%}
  {%- endfor -%}
  {{- return(portmesh.printable((check.kind ~ ' ' ~ shown | join(', ')) | trim, 48)) -}}
{% endmacro %}

{# The number of failures that a check allows: "!= 0" and "> 0" allow 0, "> 17" allows 17; any other condition is shown
   as written. If the check failed only because of --warn-error, its warn_if is shown. #}
{% macro _allowed(check) %}
  {%- set is_error = check.severity == 'error' and check.result.rows[0]['should_error'] -%}
  {%- set limit = check.error_if if is_error else check.warn_if -%}
  {%- set number = modules.re.match('^\\s*(?:!=|<>|>)\\s*(\\d+)\\s*$', limit) -%}
  {{- return('{:,}'.format(number.group(1) | int) if number else 'unless ' ~ portmesh.printable(limit)) -}}
{% endmacro %}

{# The unit of a check's failures: dbt's unique and accepted_values return one row for each key or value. #}
{% macro _unit(check) %}
  {%- if check.fail_calc != 'count(*)' or not check.unit -%}{{- return('') -}}{%- endif -%}
  {%- set plural = 'es' if check.unit == 'batch' else 's' -%}
  {{- return(' ' ~ check.unit ~ (plural if check.failures != 1 else '')) -}}
{% endmacro %}

{# Up to three failing values, or for not_null the keys of the failing rows: the lowest, so that each run shows the
   same. In a domain's own check, the first column may have a type without an order. #}
{% macro _examples(attempt, check) %}
  {%- set keys = attempt.checks | selectattr('kind', 'equalto', 'unique') | map(attribute='column') | list -%}
  {%- set key = keys[0] if keys and check.column not in keys else check.column -%}
  {%- set column, values = key if check.macro == 'macro.dbt.test_not_null' else '*', [] -%}
  {%- set order = ' order by 1 nulls last' if check.is_of_mesh else '' -%}
  {%- for row in portmesh.query('select ' ~ column ~ ' from ' ~ check.failing ~ order ~ ' limit 3').rows -%}
    {%- do values.append(portmesh.printable(row[0], 24)) -%}
  {%- endfor -%}
  {{- return(values | join(', ')) -}}
{% endmacro %}

{% macro _rows_failed(check) %}
  {%- if not portmesh._unit(check) -%}{{- return(none) -}}{%- endif -%}
  {%- if check.unit == 'row' -%}{{- return(check.failures) -}}{%- endif -%}
  {{- return(portmesh.query('select sum(n_records) from ' ~ check.failing).rows[0][0] | int) -}}
{% endmacro %}

{# Adds {failing, is_kept} to the check: its failing rows as a stored table, or as SQL if the check sets
   store_failures: false. For not_null, the whole rows are stored. #}
{% macro _kept_failures(check) %}
  {% set sql = check.failing_sql %}
  {% if check.macro == 'macro.dbt.test_not_null' %}
    {% set is_missing = ('(' ~ check.where ~ ') and ' if check.where else '') ~ check.column ~ ' is null' %}
    {% set sql = 'select * from ' ~ portmesh.filtered(check.relation, is_missing) %}
  {% endif %}
  {% if check.store_failures is sameas false %}
    {{ return(dict(check, failing='(' ~ sql ~ '\n) as failing', is_kept=false)) }}
  {% endif %}
  {% do portmesh.replace_table(check.failures_relation, sql) %}
  {{ return(dict(check, failing=check.failures_relation, is_kept=true)) }}
{% endmacro %}
