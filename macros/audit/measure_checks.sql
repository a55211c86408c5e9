{# Runs a plan: {checks, row_count}. Each check of the plan comes back with {result, failures, status, seconds,
   failing_sql}, decided as dbt's own test node decides; `row_count` is that of `audited`. #}
{% macro measure_checks(port, plan, audited, current) %}
  {% set is_increment = plan | rejectattr('scope', 'equalto', 'whole') | list | length > 0 %}
  {% set at_once, measured = portmesh.checks_at_once(is_increment), [] %}
  {% set counted = namespace(rows=none) %}
  {% for group in plan | batch(at_once) %}
    {% set counts = audited if at_once > 1 and loop.first else none %}
    {% set started_at = modules.datetime.datetime.now() %}
    {% set results = portmesh._results(port, group, counts) %}
    {% set seconds = (modules.datetime.datetime.now() - started_at).total_seconds() / group | length %}
    {% if counts %}{% set counted.rows = results[0] %}{% endif %}
    {% for check in group %}{% do measured.append(portmesh._decided(port, check, results[loop.index], seconds)) %}{% endfor %}
  {% endfor %}
  {% do portmesh.begin_checks([]) %}
  {{ return({'checks': measured, 'row_count': portmesh.count_rows(audited) if counted.rows is none else counted.rows}) }}
{% endmacro %}

{# [rows of `counts`, {table, failing_sql} for each check] of one statement; a check whose quick form found something is counted
   again. #}
{% macro _results(port, group, counts) %}
  {% set no_buckets = 'cast(null as ' ~ portmesh.engine_type('string') ~ ') as buckets' %}
  {% set parts = ['select 0 as place, count(*) as failures, false as should_warn, false as should_error, ' ~ no_buckets ~ ' from ' ~ counts] if counts else [] %}
  {% for check in group %}
    {% if group | length > 1 and not check.is_known %}{% do portmesh.assert_can_be_run(port, check) %}{% endif %}
    {% set with_buckets = check.quick and check.quick.buckets %}
    {% set sql = portmesh.measured_buckets(check) if with_buckets else portmesh.test_sql(check, check.quick.sql if check.quick else check.sql) %}
    {% do parts.append('select ' ~ loop.index ~ ' as place, ' ~ portmesh._whole_failures(check) ~ ', should_warn, should_error, '
        ~ ('buckets' if with_buckets else no_buckets) ~ ' from (\n' ~ sql ~ '\n) as measured') %}
  {% endfor %}
  {% set table = portmesh.ask_about_checks(port, group, portmesh.query, parts | join('\nunion all\n') ~ '\norder by place') %}
  {% set first, results = 1 if counts else 0, [table.rows[0]['failures'] | int if counts else none] %}
  {% for check in group %}
    {% set found = table.rows[loop.index0 + first] %}
    {% set is_counted = not check.quick or found['failures'] == 0 %}
    {% set own = table.limit(loop.index0 + first, loop.index0 + first + 1).exclude(['place', 'buckets']) %}
    {% do results.append({'table': own, 'failing_sql': check.sql} if is_counted else portmesh._counted_again(port, check, found)) %}
  {% endfor %}
  {{ return(results) }}
{% endmacro %}

{% macro _counted_again(port, check, found) %}
  {% set rows = portmesh.rows_in_buckets(check, found) if check.quick.buckets else check.relation %}
  {% set sql = portmesh.render_check(port, check, rows) %}
  {% set table = portmesh.ask_about_checks(port, [check], portmesh.query, portmesh.test_sql(check, sql)) %}
  {{ return({'table': table, 'failing_sql': sql}) }}
{% endmacro %}

{# One check's decimals would make decimals of the counts of all; NULL where it is no whole number. #}
{% macro _whole_failures(check) %}
  {{- return('failures' if check.fail_calc == 'count(*)'
      else 'case when failures = floor(failures) then cast(failures as bigint) end as failures') -}}
{% endmacro %}

{# Looked at alone before it joins the others in a statement, so that the one that is broken is named. #}
{% macro assert_can_be_run(port, check) %}
  {% do portmesh.ask_about_checks(port, [check], portmesh.analyse_query, portmesh.test_sql(check, check.sql)) %}
{% endmacro %}

{% macro _decided(port, check, result, seconds) %}
  {% set row = result.table.rows[0] %}
  {{ return(dict(check, result=result.table, failing_sql=result.failing_sql, seconds=seconds,
      failures=portmesh._counted(port, check, row['failures']), status=portmesh._status(check, row['should_warn'], row['should_error']))) }}
{% endmacro %}

{# dbt takes no other than a whole number, and would fail on it after the publication; DuckDB gives it as a decimal, too. #}
{% macro _counted(port, check, failures) %}
  {% if failures is none or failures | int != failures %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not published: its check ' ~ check.name ~ ' gave no whole number of failures.\n\n'
        ~ '  fail_calc       ' ~ check.fail_calc ~ '\n'
        ~ '  allowed         what gives a whole number, and never NULL\n'
        ~ '  next            fix fail_calc in ' ~ port.contract_path ~ ', with coalesce(…, 0) for instance') %}
  {% endif %}
  {{ return(failures | int) }}
{% endmacro %}

{# dbt.task.test.TestRunner.build_test_run_result #}
{% macro _status(check, should_warn, should_error) %}
  {% if check.severity == 'error' and should_error %}{{ return('fail') }}{% endif %}
  {% if not should_warn %}{{ return('pass') }}{% endif %}
  {% set is_test = check.id.startswith('test.') %}
  {{ return('fail' if is_test and (flags.WARN_ERROR or flags.WARN_ERROR_OPTIONS.includes('LogTestResult')) else 'warn') }}
{% endmacro %}
