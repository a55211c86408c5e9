{# A text from data as a terminal may show it: on one line, control characters made visible, at most `length` characters. #}
{% macro printable(value, length=60) %}
  {%- set characters = [] -%}
  {%- for character in (value | string)[:length + 1] -%}
    {%- do characters.append(character if character.isprintable() else ('%r' | format(character))[1:-1]) -%}
  {%- endfor -%}
  {{- return(characters | join | truncate(length, true, '…', 0)) -}}
{% endmacro %}
