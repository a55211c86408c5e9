{% macro is_date(text) %}
  {{- return(modules.re.match('^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$', text | string) is not none) -}}
{% endmacro %}
