{# {what, remedy} for checks that the engine could not run. #}
{% macro describe_broken_checks(port, checks) %}
  {% set names = checks | map(attribute='name') | join(', ') %}
  {% if checks | length > 1 %}
    {% set selected = portmesh.selector_of(port.node) %}
    {{ return({
        'what': 'its checks, sent in one statement, could not be run: ' ~ names,
        'remedy': 'run them one by one (dbt test --select ' ~ selected ~ ') and fix the one that fails'}) }}
  {% endif %}
  {{ return({'what': 'its check ' ~ names ~ ' could not be run', 'remedy': portmesh._where_to_fix(port, checks[0])}) }}
{% endmacro %}

{% macro _where_to_fix(port, check) %}
  {% set of_the_mesh = check.macro.split('.')[1] in ['dbt', 'portmesh'] %}
  {% set its_macro = '' if of_the_mesh else ' or its macro ' ~ check.macro.split('.', 1)[1] %}
  {% set its_sql = ' (its SQL: dbt compile --select ' ~ check.test.name ~ ')' if check.id.startswith('test.') else '' %}
  {% set its_limits = '' if portmesh.has_plain_limits(check) else ' or its limits (fail_calc, warn_if, error_if)' %}
  {{ return('fix the check' ~ its_limits ~ ' in ' ~ port.contract_path ~ its_macro ~ its_sql) }}
{% endmacro %}
