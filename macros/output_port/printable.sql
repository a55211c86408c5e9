{# A value made safe for a terminal: on one line, cut to `length` characters, with unprintable characters written as
   escapes such as \n or \x1b. Every value from data passes through this before it appears in a message. #}
{% macro printable(value, length=60) %}
  {%- if value is none -%}{{- return('null') -}}{%- endif -%}
  {%- set characters = [] -%}
  {%- for character in (value | string)[:length + 1] -%}
    {%- do characters.append(character if character.isprintable() else ('%r' | format(character))[1:-1]) -%}
  {%- endfor -%}
  {{- return(characters | join | truncate(length, true, '…', 0)) -}}
{% endmacro %}
