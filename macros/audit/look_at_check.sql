{# Runs before a check is measured for the first time, without reading a row. Limits that dbt could not decide by are
   refused. A check with broken SQL is found here if the error of a statement with others might not name it. #}
{% macro look_at_check(port, check, joins_others, is_increment) %}
  {% set sql = portmesh.test_sql(check, check.sql) %}
  {% if portmesh.has_plain_limits(check) %}
    {% if joins_others and (is_increment or not portmesh._is_named_by_its_line(check)) %}
      {% do portmesh.ask_about_checks(port, [check], portmesh.analyse_query, sql) %}
    {% endif %}
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

{# Whether an error of the check's SQL has its line (describe_broken_checks). An operation does not see the error. In a
   domain's own macro, with a window function, or if a sub-select lacks its `group by`, Spark may leave the line out. An
   open quote, bracket or comment has the line where another check closes it. An increment has few new checks, so each
   is looked at: DuckDB leaves out more lines. #}
{% macro _is_named_by_its_line(check) %}
  {% set closed = "(?s)'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\\n]*|/\\*.*?\\*/" %}
  {% set left = modules.re.sub(closed, '', check.sql) %}
  {% set stated = (check.where or '') ~ ' ' ~ check.arguments.values() | join(' ') %}
  {% set is_odd = left.count('(') != left.count(')') or modules.re.search('(?i)[\'"`]|/\\*|\\bover\\b', left)
      or modules.re.search('(?i)\\bselect\\b', stated) %}
  {{ return(flags.WHICH != 'run-operation' and check.is_of_mesh and not is_odd) }}
{% endmacro %}
