{# The audit plan of a version, made before anything is measured: every check of the port, the rows that it reads and
   its SQL. `audited` is the version as it will be; `increment` has its new rows, none for a full build. Adds to
   list_checks: {rendered, refers_to_itself, definition, is_known, scope, relation, sql, quick}. #}
{% macro plan_audit(port, current, audited, increment) %}
  {% set checks, plan = portmesh.list_checks(port), [] %}
  {% do portmesh.assert_checks_can_run(port, checks) %}
  {% do portmesh.refresh_views(port.node) %}
  {% for check in checks %}{% do plan.append(portmesh._rendered_check(port, check, audited)) %}{% endfor %}
  {% do portmesh.begin_checks([]) %}
  {% set before = portmesh.measured_before(port, plan, current) %}
  {% set may_be_proved = increment is not none and portmesh.reads_as_recorded(port, current) %}
  {% set is_small = current and current.row_count < 1000000 %}
  {% for check in plan %}
    {% do portmesh.begin_checks([check]) %}
    {% set found = before.get(check.id, {}) %}
    {% set is_known = found.definition == check.definition %}
    {% set scope = portmesh._scope(port, check, may_be_proved and is_known and found.failures == 0) %}
    {% do check.update({'is_known': is_known, 'scope': scope, 'relation': audited}) %}
    {% if scope != 'whole' %}{% do check.update(portmesh._part_to_read(port, check, audited, increment)) %}{% endif %}
    {% do check.update({'quick': none if is_small else portmesh.quick_form(port, check, increment)}) %}
  {% endfor %}
  {{ return(plan) }}
{% endmacro %}

{# The check with its rendered arguments, and whether a `relationships` check refers to the port itself. #}
{% macro _rendered_check(port, check, audited) %}
  {% do portmesh.begin_checks([check]) %}
  {% set rendered = portmesh.render_check(port, check, audited) %}
  {% set sql = rendered.sql | replace(audited | string, port.relation | string) %}
  {{ return(dict(check, sql=rendered.sql, rendered=rendered.arguments,
      refers_to_itself=rendered.arguments.get('to') | string in [audited | string, port.relation | string],
      definition=portmesh._definition(check, sql))) }}
{% endmacro %}

{# A hash of what a check requires, which stays the same until someone changes the check. It leaves out the clock. #}
{% macro _definition(check, sql) %}
  {% set stated = {'arguments': check.arguments, 'where': check.where, 'fail_calc': check.fail_calc} %}
  {% set is_of_the_clock = check.macro == 'macro.portmesh.test_fresh_within' %}
  {{ return(local_md5(tojson(stated, stated | string) if is_of_the_clock else portmesh.test_sql(check, sql))) }}
{% endmacro %}

{# What a check must read: the increment's rows, all rows that share its keys, or the whole port. If the same check
   found no failures in the published version, the published rows need not be read again. #}
{% macro _scope(port, check, is_proved) %}
  {% if not is_proved or check.fail_calc != 'count(*)' or check.reach == 'whole' %}{{ return('whole') }}{% endif %}
  {% set declared = (check.test.config.get('meta') or {}).get('row_wise') %}
  {% if declared %}{{ return('rows') }}{% endif %}
  {% if not portmesh.is_stable(port, check) %}{{ return('whole') }}{% endif %}
  {% if check.reach == 'row' %}{{ return('rows') }}{% endif %}
  {{ return('keys' if portmesh._has_exact_keys(port, portmesh._key_of(check)) else 'whole') }}
{% endmacro %}

{% macro _key_of(check) %}{{ return(check.rendered.get('columns') or [check.column]) }}{% endmacro %}

{# A double can be NaN, which does not equal itself, so rows that share such a key cannot be looked up. #}
{% macro _has_exact_keys(port, keys) %}
  {% for column in port.columns if column.data_type == 'double' %}
    {% set name = '(?i)(?<!\\w)' ~ modules.re.escape(column.name) ~ '(?!\\w)' %}
    {% for key in keys if modules.re.search(name, key) %}{{ return(false) }}{% endfor %}
  {% endfor %}
  {{ return(true) }}
{% endmacro %}

{# {relation, sql} for a check that need not read the whole port. If the check's key includes the port's unique_key, the
   increment's rows are enough: they have replaced all published rows with the same unique_key. A check whose macro is
   known only writes the relation's name into its SQL, so it need not be rendered again. #}
{% macro _part_to_read(port, check, audited, increment) %}
  {% set key = portmesh._key_of(check) %}
  {% set holds_unique_key = not portmesh.columns_in_sql(port, port.unique_key) | reject('in', key) | list %}
  {% set relation = increment if check.scope == 'rows' or holds_unique_key
      else '(select * from ' ~ audited ~ ' where ' ~ portmesh.shares_key(port, key, increment) ~ ')' %}
  {% set sql = check.sql | replace(audited | string, relation | string) if check.sql_arguments is not none
      else portmesh.render_check(port, check, relation).sql %}
  {{ return({'relation': relation, 'sql': sql}) }}
{% endmacro %}
