{# The audit of a version, decided before anything is measured: every check of the port with what it reads and its SQL.
   `audited` is the version as it will be, `increment` the rows that are new in it, none for a full build. Adds to
   list_checks: {definition, is_known, scope, relation, sql, quick}. #}
{% macro plan_audit(port, current, audited, increment) %}
  {% set checks = portmesh.list_checks(port) %}
  {% do portmesh.assert_checks_can_run(port, checks) %}
  {% set rendered = [] %}
  {% for check in checks %}{% do rendered.append(portmesh._rendered_check(port, check, audited)) %}{% endfor %}
  {% do portmesh.begin_checks([]) %}
  {% set before = portmesh.measured_before(rendered, port, current) %}
  {% set may_be_proved = increment is not none and portmesh.reads_as_recorded(port, current) %}
  {% set is_small = current and current.row_count < 1000000 %}
  {% set plan = [] %}
  {% for check in rendered %}
    {% do plan.append(portmesh._planned_check(port, check, before.get(check.id, {}), audited, increment, may_be_proved, is_small)) %}
  {% endfor %}
  {{ return(plan) }}
{% endmacro %}

{% macro _rendered_check(port, check, audited) %}
  {% do portmesh.begin_checks([check]) %}
  {% set sql = portmesh.render_check(port, check, audited) %}
  {{ return(dict(check, sql=sql, definition=portmesh._definition(port, check, sql | replace(audited | string, port.relation | string)))) }}
{% endmacro %}

{# What a check asks of any version: the same until somebody changes it. The clock is no part of it. #}
{% macro _definition(port, check, sql) %}
  {% set of_the_clock = {'arguments': check.arguments, 'where': check.where, 'fail_calc': check.fail_calc} %}
  {{ return(local_md5(tojson(of_the_clock, of_the_clock | string) if check.macro == 'macro.portmesh.test_fresh_within' else portmesh.test_sql(check, sql))) }}
{% endmacro %}

{# As dbt's own test node measures. #}
{% macro test_sql(check, sql) %}
  {{- return(get_test_sql(sql, check.fail_calc, check.warn_if, check.error_if, none)) -}}
{% endmacro %}

{% macro _planned_check(port, check, before, audited, increment, may_be_proved, is_small) %}
  {% do portmesh.begin_checks([check]) %}
  {% set is_known = before.definition == check.definition %}
  {% set scope = portmesh._scope(port, check, may_be_proved and is_known and before.failures == 0) %}
  {% set relation = audited if scope == 'whole' else portmesh._part_to_read(port, check, scope, audited, increment) %}
  {% set planned = dict(check, is_known=is_known, scope=scope, relation=relation) %}
  {% if scope != 'whole' %}{% set planned = dict(planned, sql=portmesh.render_check(port, check, relation)) %}{% endif %}
  {{ return(dict(planned, quick=none if is_small else portmesh.quick_form(port, planned, increment))) }}
{% endmacro %}

{# What a check must read: the increment's rows, the rows that share its keys, or the whole port. A check that found nothing
   in the version that consumers read, and asks the same now, has proved the rest. #}
{% macro _scope(port, check, is_proved) %}
  {% if not is_proved or check.fail_calc != 'count(*)' or check.reach == 'whole' %}{{ return('whole') }}{% endif %}
  {% set declared = (check.test.config.get('meta') or {}).get('row_wise') %}
  {% if declared %}{{ return('rows') }}{% endif %}
  {% set arguments = portmesh._rendered_arguments_for(port, check) %}
  {% if not portmesh.is_stable(port, check, arguments) %}{{ return('whole') }}{% endif %}
  {% if check.reach == 'row' %}{{ return('rows') }}{% endif %}
  {{ return('keys' if portmesh._has_exact_keys(port, arguments.get('columns') or [check.column]) else 'whole') }}
{% endmacro %}

{# Arguments as the test macro gets them. #}
{% macro _rendered_arguments_for(port, check) %}
  {% set lent = portmesh._lend_context(port, check, port.relation) %}
  {% set arguments = portmesh._rendered_arguments(check.arguments) %}
  {% do portmesh._take_context_back(lent) %}
  {{ return(arguments) }}
{% endmacro %}

{# A double has values that are equal to none, so rows that share its keys cannot be looked up. #}
{% macro _has_exact_keys(port, keys) %}
  {% for column in port.columns if column.data_type == 'double' %}
    {% for key in keys if modules.re.search('(?i)(?<!\\w)' ~ modules.re.escape(column.name) ~ '(?!\\w)', key) %}{{ return(false) }}{% endfor %}
  {% endfor %}
  {{ return(true) }}
{% endmacro %}

{# A published row of the port's unique_key gave way to the increment's, so a key that holds it has no other rows. #}
{% macro _part_to_read(port, check, scope, audited, increment) %}
  {% if scope == 'rows' %}{{ return(increment) }}{% endif %}
  {% set columns = portmesh._rendered_arguments_for(port, check).get('columns') or [check.column] %}
  {% if not portmesh.columns_in_sql(port, port.unique_key) | reject('in', columns) | list %}{{ return(increment) }}{% endif %}
  {{ return('(select * from ' ~ audited ~ ' where ' ~ portmesh.shares_key(port, columns, increment) ~ ')') }}
{% endmacro %}
