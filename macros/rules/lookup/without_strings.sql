{# The code with its string literals emptied, so that only names, numbers and operators remain. #}
{% macro without_strings(code) %}
  {{- return(modules.re.sub('"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'', "''", code)) -}}
{% endmacro %}
