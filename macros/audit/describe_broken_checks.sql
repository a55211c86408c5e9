{# {what, remedy} for checks that the engine could not run. If its message names a line of their statement, only the
   check on that line. #}
{% macro describe_broken_checks(port, checks, sql='', message='') %}
  {% set checks = portmesh._checks_in_error(checks, sql, message) or checks %}
  {% set names = checks | map(attribute='name') | join(', ') %}
  {% if checks | length > 1 %}
    {% set selected = portmesh.selector_of(port.node) %}
    {{ return({
        'what': 'its checks, sent in one statement, could not be run: ' ~ names,
        'remedy': 'run them one by one (dbt test --select ' ~ selected ~ ') and fix the one that fails'}) }}
  {% endif %}
  {{ return({'what': 'its check ' ~ names ~ ' could not be run', 'remedy': portmesh._where_to_fix(port, checks[0])}) }}
{% endmacro %}

{# Spark and DuckDB count dbt's comment as the first line. Athena does not; the lines around a check's SQL leave room
   for that. Spark writes `; line 7 pos 1`, `(line 7, pos 1)` or `== SQL (line 7, position 1)`, Athena `: line 7:1:`,
   and DuckDB `LINE 7:`. #}
{% macro _checks_in_error(checks, sql, message) %}
  {% set line = modules.re.search('(?m)(?:; line |\\(line |: line |^ *LINE )(\\d+)(?:, pos| pos |:)',
      portmesh.said_by_engine(message)) %}
  {% if not line %}{{ return([]) }}{% endif %}
  {% set until_there = sql.split('\n')[:line.group(1) | int - 1] | join('\n') %}
  {% set places = modules.re.findall('(?m)^select (\\d+) as place, ', until_there) | map('int') | list %}
  {{ return(checks[places[-1] - 1:places[-1]] if places else []) }}
{% endmacro %}

{% macro _where_to_fix(port, check) %}
  {% set its_macro = '' if check.is_of_mesh else ' or its macro ' ~ check.macro.split('.', 1)[1] %}
  {% set its_sql = ' (its SQL: dbt compile --select ' ~ check.test.name ~ ')' if check.id.startswith('test.') else '' %}
  {% set its_limits = '' if portmesh.has_plain_limits(check) else ' or its limits (fail_calc, warn_if, error_if)' %}
  {{ return('fix the check' ~ its_limits ~ ' in ' ~ port.contract_path ~ its_macro ~ its_sql) }}
{% endmacro %}
