{# SQL for what printable() does: a text from outside as it may be shown, without what a terminal would obey. #}
{% macro shown_in_sql(text) %}
  {{- return("regexp_replace(left(" ~ text ~ ", 200), '[\\p{C}\\p{Zl}\\p{Zp}]', '�', 'g')") -}}
{% endmacro %}
