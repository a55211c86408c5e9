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
    {% if not check.is_known %}{% do portmesh._look_before(port, check, group | length > 1) %}{% endif %}
    {% set with_buckets = check.quick and check.quick.buckets %}
    {% set sql = portmesh.measured_buckets(check) if with_buckets else portmesh.test_sql(check, check.quick.sql if check.quick else check.sql) %}
    {% do parts.append('select ' ~ loop.index ~ ' as place, ' ~ portmesh._counts(check) ~ ', ' ~ ('buckets' if with_buckets else no_buckets)
        ~ ' from (\n' ~ sql ~ '\n) as measured') %}
  {% endfor %}
  {% set table = portmesh.ask_about_checks(port, group, portmesh.query, parts | join('\nunion all\n') ~ '\norder by place') %}
  {% set places = table.columns['place'].values() | map('int') | list %}
  {% set results = [table.rows[0]['failures'] | int if counts else none] %}
  {% for check in group %}
    {% do portmesh._assert_one_row(port, check, places.count(loop.index)) %}
    {% set at = places.index(loop.index) %}
    {% set is_counted = not check.quick or table.rows[at]['failures'] == 0 %}
    {% set own = table.limit(at, at + 1).exclude(['place', 'buckets']) %}
    {% do results.append({'table': own, 'failing_sql': check.sql} if is_counted else portmesh._counted_again(port, check, table.rows[at])) %}
  {% endfor %}
  {{ return(results) }}
{% endmacro %}

{% macro _counted_again(port, check, found) %}
  {% set rows = portmesh.rows_in_buckets(check, found) if check.quick.buckets else check.relation %}
  {% set sql = portmesh.render_check(port, check, rows) %}
  {% set table = portmesh.ask_about_checks(port, [check], portmesh.query, portmesh.test_sql(check, sql)) %}
  {{ return({'table': table, 'failing_sql': sql}) }}
{% endmacro %}

{# One check's decimals would make decimals of the counts of all; NULL where it is no whole number that fits. dbt takes a number or a text for
   a verdict, too. #}
{% macro _counts(check) %}
  {% if portmesh.has_plain_limits(check) %}{{ return('failures, should_warn, should_error') }}{% endif %}
  {{- return('case when abs(failures) < 9e18 and failures = floor(failures) then cast(failures as bigint) end as failures,'
      ~ ' cast(should_warn as boolean) as should_warn, cast(should_error as boolean) as should_error') -}}
{% endmacro %}

{# Before a check is measured for the first time: the one that is broken is named before it joins the others in a statement, and
   limits with which dbt could not decide are refused. Reads no row. #}
{% macro _look_before(port, check, joins_others) %}
  {% set sql = portmesh.test_sql(check, check.sql) %}
  {% if portmesh.has_plain_limits(check) %}
    {% if joins_others %}{% do portmesh.ask_about_checks(port, [check], portmesh.analyse_query, sql) %}{% endif %}
    {{ return('') }}
  {% endif %}
  {% set count = portmesh.ask_about_checks(port, [check], portmesh.describe_query, 'select ' ~ check.fail_calc ~ ' as failures from (\n' ~ check.sql ~ '\n) as found') %}
  {% if not modules.re.match('u?(tiny|small|big|huge)?int(eger)?\\b|(double|float|real|decimal|numeric)\\b', count[0].type | lower) %}
    {% do portmesh._refuse_limits(port, check, 'a value of type ' ~ count[0].type | lower) %}
  {% endif %}
  {% set columns = portmesh.ask_about_checks(port, [check], portmesh.describe_query, sql) %}
  {% if columns | map(attribute='name') | map('lower') | list != ['failures', 'should_warn', 'should_error'] %}
    {% do portmesh._refuse_limits(port, check, (columns | length) ~ ' columns where dbt expects failures, should_warn and should_error') %}
  {% endif %}
{% endmacro %}

{% macro _assert_one_row(port, check, rows) %}
  {% if rows != 1 %}{% do portmesh._refuse_limits(port, check, rows ~ ' rows of counts: fail_calc is no aggregate') %}{% endif %}
{% endmacro %}

{# dbt, too, ends in an error there, and would do so after the publication. #}
{% macro _refuse_limits(port, check, got) %}
  {% do exceptions.raise_dependency_error(
      port.label ~ ' was not published: its check ' ~ check.name ~ ' gave no whole number of failures.\n\n'
      ~ '  fail_calc       ' ~ portmesh.printable(check.fail_calc) ~ '\n  warn_if         ' ~ portmesh.printable(check.warn_if)
      ~ '\n  error_if        ' ~ portmesh.printable(check.error_if) ~ '\n  got             ' ~ got
      ~ '\n  allowed         an aggregate in fail_calc that gives a whole number, never NULL, and a condition after it in the others'
      ~ '\n  next            fix them in ' ~ port.contract_path) %}
{% endmacro %}

{% macro _decided(port, check, result, seconds) %}
  {% set row = result.table.rows[0] %}
  {{ return(dict(check, result=result.table, failing_sql=result.failing_sql, seconds=seconds,
      failures=portmesh._counted(port, check, row['failures']), status=portmesh._status(check, row['should_warn'], row['should_error']))) }}
{% endmacro %}

{# DuckDB gives a whole number as a decimal, too. #}
{% macro _counted(port, check, failures) %}
  {% if failures is none or failures | int != failures %}{% do portmesh._refuse_limits(port, check, 'null, a fraction, or a number that no record holds') %}{% endif %}
  {{ return(failures | int) }}
{% endmacro %}

{# dbt.task.test.TestRunner.build_test_run_result #}
{% macro _status(check, should_warn, should_error) %}
  {% if check.severity == 'error' and should_error %}{{ return('fail') }}{% endif %}
  {% if not should_warn %}{{ return('pass') }}{% endif %}
  {% set is_test = check.id.startswith('test.') %}
  {{ return('fail' if is_test and (flags.WARN_ERROR or flags.WARN_ERROR_OPTIONS.includes('LogTestResult')) else 'warn') }}
{% endmacro %}
