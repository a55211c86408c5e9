{# SQL that does what printable() does: makes a text from outside safe to show, without terminal control characters. #}
{% macro shown_in_sql(text) %}
  {{- return("regexp_replace(left(" ~ text ~ ", 200), '[\\p{C}\\p{Zl}\\p{Zp}]', '�', 'g')") -}}
{% endmacro %}
