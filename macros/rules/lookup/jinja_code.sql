{# The code of a text's blocks and expressions, without Jinja's comments and raw blocks; braces in braces count, as in
   Jinja's own lexer, to a depth of five; beyond it all the rest is taken for code. What stands outside is SQL. #}
{% macro jinja_code(text) %}
  {%- set string = '"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'' -%}
  {%- set inner = namespace(braces='(?:' ~ string ~ '|[^\'"{}])*') -%}
  {%- for _ in range(4) -%}
    {%- set inner.braces = '(?:' ~ string ~ '|[^\'"{}]|\\{' ~ inner.braces ~ '\\})*' -%}
  {%- endfor -%}
  {%- set blocks = '(?s)\\{#.*?#\\}|\\{%[-+]?\\s*raw\\s*[-+]?%\\}.*?\\{%[-+]?\\s*endraw\\s*[-+]?%\\}'
      ~ '|\\{\\{(' ~ inner.braces
      ~ ')\\}\\}|\\{%((?:' ~ string ~ '|(?!%\\}).)*)%\\}|\\{\\{(.*)' -%}
  {%- set found = [] -%}
  {%- for groups in modules.re.findall(blocks, text or '') -%}{%- do found.append(groups | join) -%}{%- endfor -%}
  {{- return(found | join('\n')) -}}
{% endmacro %}
