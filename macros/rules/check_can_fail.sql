{# PM123: finds only the checks that certainly cannot fail, whatever the rows are. #}
{% macro check_can_fail(mesh) %}
  {% set reasons = {} %}
  {% for test in portmesh.checks_with_config(mesh) %}
    {% do reasons.update({test.unique_id: portmesh._why_it_never_fails(test.config)}) %}
  {% endfor %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() %}
    {% for test in mesh.tests_of.get(port.unique_id, []) if test.test_metadata %}
      {% set may_let_all_pass = test.test_metadata.name in ['expression_is_true', 'row_count_between'] %}
      {% set reason = reasons.get(test.unique_id)
          or (portmesh._why_all_rows_pass(test.test_metadata) if may_let_all_pass) %}
      {% if reason %}
        {% do findings.append(portmesh.finding('PM123', port,
            'The check ' ~ test.alias ~ ' of ' ~ portmesh.label_of(port) ~ ' can never fail: ' ~ reason ~ '.',
            'Write what it should find, or remove the check')) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _why_it_never_fails(config) %}
  {% if config.limit is not none and config.limit < 1 %}
    {{ return('its limit is ' ~ config.limit ~ ', so no row is counted') }}
  {% elif portmesh.constant_of(config.where) is false %}
    {{ return('its where is ' ~ config.where ~ ', so no row is checked') }}
  {% elif modules.re.match('\\s*(0+(\\.0*)?|null)\\s*$', config.fail_calc | lower) %}
    {{ return('its fail_calc is ' ~ config.fail_calc) }}
  {% endif %}
  {% set counts_rows = modules.re.match('\\s*count\\s*\\(.*\\)\\s*$', config.fail_calc | lower) is not none %}
  {% set key = 'warn_if' if config.severity | lower == 'warn' else 'error_if' %}
  {% if counts_rows and portmesh._is_never_true(config[key], config.limit) %}
    {% set with_limit = ' (limit: ' ~ config.limit ~ ')' if config.limit else '' %}
    {{ return('its ' ~ key ~ ' is ' ~ config[key] ~ ', which no row count can meet' ~ with_limit) }}
  {% endif %}
  {{ return('') }}
{% endmacro %}

{# Whether no whole number from 0 (up to the limit, if there is one) meets a condition such as `> 10`. #}
{% macro _is_never_true(condition, limit) %}
  {% set parts = modules.re.match('\\s*(<=|>=|!=|<>|==|=|<|>)\\s*(-?\\d+)\\s*$', condition) %}
  {% if not parts %}{{ return(portmesh.constant_of('1 = 1 and n ' ~ condition) is false) }}{% endif %}
  {% set operator, bound = parts.group(1), parts.group(2) | int %}
  {% set too_many = limit is not none and (bound > limit or (operator == '>' and bound == limit)) %}
  {{ return((operator == '<' and bound <= 0) or (operator in ['<=', '=', '=='] and bound < 0)
      or (operator in ['>', '>=', '=', '=='] and too_many)) }}
{% endmacro %}

{% macro _why_all_rows_pass(check) %}
  {% if check.name == 'expression_is_true' and portmesh.constant_of(check.kwargs.expression) is true %}
    {{ return('its expression is always true: ' ~ check.kwargs.expression) }}
  {% endif %}
  {% set kwargs = check.kwargs %}
  {% if check.name == 'row_count_between' and kwargs.get('max_rows') is none and kwargs.get('min_rows') == 0 %}
    {{ return('every row count is at least 0') }}
  {% endif %}
  {{ return('') }}
{% endmacro %}
