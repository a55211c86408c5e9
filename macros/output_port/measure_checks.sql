{# The port's checks with what they found in `audited`; also counts its rows (port.row_count). #}
{% macro measure_checks(port, audited, current, increment) %}
  {% set checks = portmesh.port_checks(port) %}
  {% for check in checks %}{% do check.update({'definition': portmesh.definition_of(port, check)}) %}{% endfor %}
  {% set measured = portmesh.measured_before(checks, port, current) %}
  {% set has_proofs = increment and portmesh.reads_as_recorded(port, current) %}
  {% for check in checks %}
    {% set before = measured.get(check.id, {}) %}
    {% do check.update({'is_known': before.definition == check.definition}) %}
    {% do check.update({'scope': portmesh._scope(check, has_proofs and check.is_known and before.failures == 0)}) %}
    {% do check.update({'reads': portmesh._relation_to_read(port, check, audited)}) %}
  {% endfor %}
  {% do port.update({'is_small': current and current.row_count < 1000000}) %}
  {% do port.update({'row_count': portmesh.run_checks(port, checks, audited)}) %}
  {% for check in checks %}
    {% set row = check.result.rows[0] %}
    {% do check.update({
        'failures': portmesh._counted(port, check, row['failures']),
        'status': portmesh._status(check, row['should_warn'], row['should_error'])}) %}
  {% endfor %}
  {{ return(checks) }}
{% endmacro %}

{# What a check asks of any version: the same until somebody changes it. The clock is no part of it. #}
{% macro definition_of(port, check) %}
  {% set is_of_the_clock = check.macro == 'macro.portmesh.test_fresh_within' %}
  {{ return(local_md5(tojson([check.kwargs, check.where, check.fail_calc]) if is_of_the_clock
      else portmesh.test_sql(check, portmesh.compile_check(port, check, port.relation)))) }}
{% endmacro %}

{# As dbt's own test node measures and decides. #}
{% macro test_sql(check, sql) %}
  {{- return(get_test_sql(sql, check.fail_calc, check.warn_if, check.error_if, none)) -}}
{% endmacro %}

{# dbt takes no other than a whole number, and would fail on it after the publication; DuckDB gives it as a decimal, too. #}
{% macro _counted(port, check, failures) %}
  {% if failures is none or failures | int != failures %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not published: its check ' ~ check.name ~ ' gave no whole number of failures.\n\n'
        ~ '  fail_calc       ' ~ check.fail_calc ~ '\n'
        ~ '  allowed         what gives a whole number, and never NULL\n'
        ~ '  next            mend fail_calc in ' ~ port.contract_path ~ ', with coalesce(…, 0) for instance') %}
  {% endif %}
  {{ return(failures | int) }}
{% endmacro %}

{# What a check must read: the increment's rows, the rows that share its keys, or the whole port. #}
{% macro _scope(check, is_proved) %}
  {% if not is_proved or check.fail_calc != 'count(*)' %}{{ return('whole') }}{% endif %}
  {% if check.row_wise %}{{ return('rows') }}{% endif %}
  {% set is_of_keys = check.macro in ['macro.dbt.test_unique', 'macro.portmesh.test_unique_combination'] %}
  {{ return('keys' if is_of_keys and check.stays_true else 'whole') }}
{% endmacro %}

{# A published row of the port's unique_key gave way to the increment's, so a key that holds it has no other rows. #}
{% macro _relation_to_read(port, check, audited) %}
  {% if check.scope == 'whole' %}{{ return(audited) }}{% endif %}
  {% set columns = check.kwargs.get('columns') or [check.column] %}
  {% if check.scope == 'rows' or not portmesh.columns_in_sql(port, port.unique_key) | reject('in', columns) | list %}{{ return(port.candidate) }}{% endif %}
  {{ return('(select * from ' ~ audited ~ ' where ' ~ portmesh.shares_key(columns, port.candidate) ~ ')') }}
{% endmacro %}

{# Runs one check on a relation, as dbt's own test node does. #}
{% macro run_check(port, check, relation) %}
  {% set sql = portmesh.compile_check(port, check, relation) %}
  {% set result = try_or_compiler_error(
      portmesh.broken_check(port, check, sql), portmesh.query, portmesh.test_sql(check, sql)) %}
  {% do check.update({'result': result}) %}
{% endmacro %}

{% macro broken_check(port, check, sql) %}
  {{- return(port.label ~ ' was not published: its check ' ~ check.name ~ ' cannot be run: its SQL is broken, or the engine refused it.\n\n'
      ~ '  the database error is in logs/dbt.log; the SQL:\n' ~ sql) -}}
{% endmacro %}

{# As dbt's own test node decides. #}
{% macro _status(check, should_warn, should_error) %}
  {% if check.severity == 'error' and should_error %}{{ return('fail') }}{% endif %}
  {% if not should_warn %}{{ return('pass') }}{% endif %}
  {% set is_test = check.id.startswith('test.') %}
  {{ return('fail' if is_test and (flags.WARN_ERROR or flags.WARN_ERROR_OPTIONS.includes('LogTestResult')) else 'warn') }}
{% endmacro %}
