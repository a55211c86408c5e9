{# The same code with its string literals emptied: what is left is names, numbers and operators. #}
{% macro without_strings(code) %}
  {{- return(modules.re.sub('"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'', "''", code)) -}}
{% endmacro %}
