{# Runs before a check is measured for the first time, without reading a row. A check with broken SQL is found here,
   before it is put into one statement with others. Limits that dbt could not decide by are refused. #}
{% macro look_at_check(port, check, joins_others) %}
  {% set sql = portmesh.test_sql(check, check.sql) %}
  {% if portmesh.has_plain_limits(check) %}
    {% if joins_others %}{% do portmesh.ask_about_checks(port, [check], portmesh.analyse_query, sql) %}{% endif %}
    {{ return('') }}
  {% endif %}
  {% set count = 'select ' ~ check.fail_calc ~ ' as failures from (\n' ~ check.sql ~ '\n) as found' %}
  {% set type = portmesh.ask_about_checks(port, [check], portmesh.describe_query, count)[0].type | lower %}
  {% set number = 'u?(tiny|small|big|huge)?int(eger)?\\b|(double|float|real|decimal|numeric)\\b' %}
  {% if not modules.re.match(number, type) %}
    {% do portmesh.refuse_limits(port, check, 'a value of type ' ~ type) %}
  {% endif %}
  {% set columns = portmesh.ask_about_checks(port, [check], portmesh.describe_query, sql) %}
  {% if columns | map(attribute='name') | map('lower') | list != ['failures', 'should_warn', 'should_error'] %}
    {% do portmesh.refuse_limits(port, check,
        columns | length ~ ' columns, where dbt expects failures, should_warn and should_error') %}
  {% endif %}
{% endmacro %}
