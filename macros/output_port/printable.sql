{# A value as a terminal may have it: in one line, what does not print written as an escape such as \n or \x1b, and
   cut to `length` characters. Whatever comes from data goes through it before it is in a message. #}
{% macro printable(value, length=60) %}
  {%- if value is none -%}{{- return('null') -}}{%- endif -%}
  {%- set characters = [] -%}
  {%- for character in (value | string)[:length + 1] -%}
    {%- do characters.append(character if character.isprintable() else ('%r' | format(character))[1:-1]) -%}
  {%- endfor -%}
  {{- return(characters | join | truncate(length, true, '…', 0)) -}}
{% endmacro %}
