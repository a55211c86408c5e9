{# Runs a plan and returns {checks, row_count}. Each check gets {result, failures, status, seconds, failing_sql}, with
   the status that dbt's own test node would have; `row_count` is the row count of `audited`. #}
{% macro measure_checks(port, plan, audited) %}
  {% set is_increment = plan | rejectattr('scope', 'equalto', 'whole') | list | length > 0 %}
  {% set at_once, measured, counted = portmesh.checks_at_once(is_increment), [], namespace(rows=none) %}
  {% for group in portmesh.parts_of_statement(plan, plan | map(attribute='sql') | list, at_once) %}
    {% set counts = audited if at_once > 1 and loop.first else none %}
    {% set started_at = modules.datetime.datetime.now() %}
    {% set results = portmesh._results(port, group, counts, is_increment) %}
    {% set seconds = (modules.datetime.datetime.now() - started_at).total_seconds() / group | length %}
    {% if counts %}{% set counted.rows = results[0] %}{% endif %}
    {% for check in group %}
      {% do measured.append(portmesh._decided(port, check, results[loop.index], seconds)) %}
    {% endfor %}
  {% endfor %}
  {% do portmesh.begin_checks([]) %}
  {% set row_count = portmesh.count_rows(audited) if counted.rows is none else counted.rows %}
  {{ return({'checks': measured, 'row_count': row_count}) }}
{% endmacro %}

{# Runs one statement and returns [row count of `counts`, then {table, failing_sql} for each check]. A check whose quick
   form found something is counted again with its own SQL. #}
{% macro _results(port, group, counts, is_increment) %}
  {% for check in group if not check.is_known %}
    {% do portmesh.look_at_check(port, check, group | length > 1, is_increment) %}
  {% endfor %}
  {% set table = portmesh.ask_about_checks(port, group, portmesh.query, portmesh._statement(group, counts)) %}
  {% set places = table.columns['place'].values() | map('int') | list %}
  {% set results = [table.rows[places.index(0)]['failures'] | int if counts else none] %}
  {% for check in group %}
    {% set rows = places.count(loop.index) %}
    {% if rows != 1 %}
      {% do portmesh.refuse_limits(port, check, rows ~ ' rows of counts: fail_calc is not an aggregate') %}
    {% endif %}
    {% set at = places.index(loop.index) %}
    {% set own = {'table': table.limit(at, at + 1).exclude(['place', 'buckets']), 'failing_sql': check.sql} %}
    {% set is_counted = not check.quick or table.rows[at]['failures'] == 0 %}
    {% do results.append(own if is_counted else portmesh._counted_again(port, check, table.rows[at])) %}
  {% endfor %}
  {{ return(results) }}
{% endmacro %}

{# Not sorted, because that costs Spark up to a third of a small statement's time. `describe_broken_checks` looks for
   the lines that begin with a place. #}
{% macro _statement(group, counts) %}
  {% set no_buckets, parts = 'cast(null as ' ~ portmesh.engine_type('string') ~ ') as buckets', [] %}
  {% if counts %}
    {% do parts.append('select 0 as place, count(*) as failures, false as should_warn, false as should_error, '
        ~ no_buckets ~ ' from ' ~ counts) %}
  {% endif %}
  {% for check in group %}
    {% set buckets = 'buckets' if check.quick and check.quick.buckets else no_buckets %}
    {% set sql = check.quick.counting if check.quick else portmesh.test_sql(check, check.sql) %}
    {% do parts.append('select ' ~ loop.index ~ ' as place, ' ~ portmesh._counts(check) ~ ', ' ~ buckets
        ~ ' from (\n' ~ sql ~ '\n) as measured') %}
  {% endfor %}
  {{ return(parts | join('\nunion all\n')) }}
{% endmacro %}

{# In a union, one check with decimals would turn the counts of all checks into decimals, so each count is cast to
   bigint; NULL if it is not a whole number that fits. The verdicts are cast to boolean because dbt also accepts a
   number or a text. #}
{% macro _counts(check) %}
  {% if portmesh.has_plain_limits(check) %}{{ return('failures, should_warn, should_error') }}{% endif %}
  {% set fits = 'abs(failures) < 9e18 and failures = floor(failures)' %}
  {{- return('case when ' ~ fits ~ ' then cast(failures as bigint) end as failures,'
      ~ ' cast(should_warn as boolean) as should_warn, cast(should_error as boolean) as should_error') -}}
{% endmacro %}

{% macro _counted_again(port, check, found) %}
  {% set rows = portmesh._rows_in_buckets(check, found) if check.quick.buckets else check.relation %}
  {% set sql = portmesh.render_check(port, check, rows).sql %}
  {% set table = portmesh.ask_about_checks(port, [check], portmesh.query, portmesh.test_sql(check, sql)) %}
  {{ return({'table': table, 'failing_sql': sql}) }}
{% endmacro %}

{# The rows in the buckets with duplicates, on which dbt's own SQL returns the same as on all rows. The buckets are
   listed as literals, so that the engine can skip files with other keys, or come from a subquery if there are too many
   to list. #}
{% macro _rows_in_buckets(check, measured) %}
  {% set buckets, found = check.quick.buckets, measured['buckets'].split() | map('int') | unique | list %}
  {% set is_complete = found | length == measured['failures'] and found | length <= 1000 %}
  {% set condition = buckets.key ~ ' in (' ~ (found | join(', ') if is_complete else check.quick.sql) ~ ')' %}
  {% if buckets.keys_in_a_row %}
    {% set first, last = found | min * buckets.keys_in_a_row, (found | max + 1) * buckets.keys_in_a_row - 1 %}
    {% set condition = check.column ~ ' between ' ~ first ~ ' and ' ~ last ~ ' and ' ~ condition %}
  {% endif %}
  {{ return('(select * from ' ~ check.relation ~ ' where ' ~ condition ~ ')') }}
{% endmacro %}

{# DuckDB may return a whole number as a decimal, so the value is compared with its integer. #}
{% macro _decided(port, check, result, seconds) %}
  {% set row = result.table.rows[0] %}
  {% set failures = row['failures'] %}
  {% if failures is none or failures | int != failures %}
    {% do portmesh.refuse_limits(port, check, 'null, a fraction, or a number too large to record') %}
  {% endif %}
  {{ return(dict(check, result=result.table, failing_sql=result.failing_sql, seconds=seconds, failures=failures | int,
      status=portmesh._status(check, row['should_warn'], row['should_error']))) }}
{% endmacro %}

{# Decides as dbt.task.test.TestRunner.build_test_run_result does. #}
{% macro _status(check, should_warn, should_error) %}
  {% if check.severity == 'error' and should_error %}{{ return('fail') }}{% endif %}
  {% if not should_warn %}{{ return('pass') }}{% endif %}
  {% set warnings_fail = flags.WARN_ERROR or flags.WARN_ERROR_OPTIONS.includes('LogTestResult') %}
  {{ return('fail' if check.id.startswith('test.') and warnings_fail else 'warn') }}
{% endmacro %}
